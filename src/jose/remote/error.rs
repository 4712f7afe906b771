//! Why there are no keys.

use std::{error::Error as StdError, fmt, sync::Arc};

use hyper::StatusCode;
use tower::BoxError;

use crate::outbound::{OutboundError, OutboundErrorKind};

/// The keys of an issuer or a client are not available: a configured or registered URI cannot be
/// used, or the fetch failed and there is no earlier set.
///
/// A client then cannot be authenticated, which is 503. If the URI or the set that the client
/// registered [is unusable](Self::is_unusable), the client has no keys, which is 401.
///
/// The error contains nothing of the response.
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
    /// A configured URI, issuer or CA certificate cannot be used, or there is no crypto provider
    /// for TLS.
    Configuration,
    /// The `jwks_uri` that a client registered is not acceptable, or leads to addresses that are
    /// not allowed.
    Registration,
    /// The connection failed, or the response is incomplete.
    Unreachable,
    /// The response was not complete within the timeout.
    TimedOut,
    /// The response has this status instead of 200. Redirects are not followed.
    Status(StatusCode),
    /// The response is compressed, or is not a JWK Set.
    Malformed,
    /// The response is larger than the limit.
    TooLarge,
    /// The response is a JWK Set without a usable key.
    NoUsableKey,
    /// The metadata of the issuer could not be fetched, or has no usable `jwks_uri`.
    Metadata,
    /// The signature may be of a key that was not tried or that cannot be used here.
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

    /// The task that fetches or parses has panicked, or the runtime is shutting down.
    pub(super) fn aborted(source: impl Into<BoxError>) -> Self {
        Self::new(RemoteErrorKind::Unreachable, "the fetch was aborted").caused_by(source)
    }

    /// The signature may be of a key that was not tried or that cannot be used here.
    pub(crate) fn untried() -> Self {
        let reason = "not every key that may have made the signature was tried";
        Self::new(RemoteErrorKind::Untried, reason)
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> RemoteErrorKind {
        self.kind
    }

    /// Whether the registered URI or the published set is at fault: the URI is not acceptable,
    /// leads to addresses that are not allowed, redirects, or has no key set within the limits.
    /// Otherwise the source may be available later.
    #[must_use]
    pub fn is_unusable(&self) -> bool {
        match self.kind {
            RemoteErrorKind::Registration
            | RemoteErrorKind::Malformed
            | RemoteErrorKind::TooLarge => true,
            RemoteErrorKind::Status(status) => status.is_redirection(),
            // The owner of a set without a usable key may be replacing its only key.
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
                write!(f, "the keys were not fetched: the server returned {status}")
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
