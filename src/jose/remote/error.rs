//! Why are there no keys?

use std::{error::Error as StdError, fmt, sync::Arc};

use hyper::StatusCode;
use tower::BoxError;

use crate::outbound::{OutboundError, OutboundErrorKind};

/// There are no keys: what was configured or registered cannot be used, or the keys could not be
/// fetched and there are none from before.
///
/// Whether a client is the one it claims to be could then not be found out, which is 503. If what
/// the client registered [is unusable](Self::is_unusable), it has no keys, which is 401.
///
/// It holds nothing of what was fetched.
#[derive(Clone, Debug)]
pub struct RemoteError {
    kind: RemoteErrorKind,
    reason: &'static str,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// What kind of failure a [`RemoteError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RemoteErrorKind {
    /// What was configured cannot be used: a URI, an issuer, or certificates to trust; or there is
    /// nothing to speak TLS with.
    Configuration,
    /// The `jwks_uri` that a client registered may not be fetched, or leads to addresses that may
    /// not be.
    Registration,
    /// There was no answer, or not all of it.
    Unreachable,
    /// It took too long.
    TimedOut,
    /// The answer has this status, and not 200. Redirects are not followed.
    Status(StatusCode),
    /// The answer is no JWK Set.
    Malformed,
    /// The answer is longer than the limit.
    TooLarge,
    /// The answer is a JWK Set in which no key can be used.
    NoUsableKey,
    /// The metadata of the issuer could not be fetched, or names no keys.
    Metadata,
    /// A key that was not tried, or cannot be used here, may have made the signature.
    Untried,
}

impl RemoteError {
    pub(super) fn new(kind: RemoteErrorKind, reason: &'static str) -> Self {
        Self {
            kind,
            reason,
            source: None,
        }
    }

    pub(super) fn configuration(reason: &'static str) -> Self {
        Self::new(RemoteErrorKind::Configuration, reason)
    }

    pub(super) fn registration(reason: &'static str) -> Self {
        Self::new(RemoteErrorKind::Registration, reason)
    }

    pub(super) fn metadata(reason: &'static str) -> Self {
        Self::new(RemoteErrorKind::Metadata, reason)
    }

    /// The task that fetches or reads has ended early.
    pub(super) fn broken_off(source: impl Into<BoxError>) -> Self {
        Self::new(RemoteErrorKind::Unreachable, "the fetch broke off").caused_by(source)
    }

    /// A key that was not tried, or cannot be used here, may have made the signature.
    pub(crate) fn untried() -> Self {
        let reason = "not every key that may have made the signature can be tried";
        Self::new(RemoteErrorKind::Untried, reason)
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> RemoteErrorKind {
        self.kind
    }

    /// Whether the fault is with what is registered or published: the URI may not be fetched, leads
    /// to addresses that may not be, redirects, or has no key set within the limits. Otherwise the
    /// source could not be asked, and may be there again later.
    #[must_use]
    pub fn is_unusable(&self) -> bool {
        match self.kind {
            RemoteErrorKind::Registration
            | RemoteErrorKind::Malformed
            | RemoteErrorKind::TooLarge => true,
            RemoteErrorKind::Status(status) => status.is_redirection(),
            // A set without a usable key may be between two keys.
            _ => false,
        }
    }

    pub(super) fn caused_by(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }
}

impl From<OutboundError> for RemoteError {
    fn from(error: OutboundError) -> Self {
        let kind = match error.kind {
            OutboundErrorKind::Configuration => RemoteErrorKind::Configuration,
            OutboundErrorKind::ForbiddenAddress => RemoteErrorKind::Registration,
            OutboundErrorKind::Unreachable | OutboundErrorKind::Closed => {
                RemoteErrorKind::Unreachable
            }
            OutboundErrorKind::TimedOut => RemoteErrorKind::TimedOut,
            OutboundErrorKind::Status(status) => RemoteErrorKind::Status(status),
            OutboundErrorKind::Compressed => RemoteErrorKind::Malformed,
            OutboundErrorKind::TooLarge => RemoteErrorKind::TooLarge,
        };
        Self {
            kind,
            reason: error.reason,
            source: error.source.map(Arc::from),
        }
    }
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = self.reason;
        match self.kind {
            RemoteErrorKind::Configuration => write!(f, "invalid configuration: {reason}"),
            RemoteErrorKind::Registration => write!(f, "invalid jwks_uri: {reason}"),
            RemoteErrorKind::Status(status) => {
                let status = status.as_u16();
                write!(f, "the keys were not fetched: the server answered {status}")
            }
            RemoteErrorKind::Unreachable
            | RemoteErrorKind::TimedOut
            | RemoteErrorKind::Malformed
            | RemoteErrorKind::TooLarge
            | RemoteErrorKind::NoUsableKey => write!(f, "the keys were not fetched: {reason}"),
            RemoteErrorKind::Metadata => {
                write!(f, "the issuer's metadata cannot be used: {reason}")
            }
            RemoteErrorKind::Untried => f.write_str(reason),
        }
    }
}

impl StdError for RemoteError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
