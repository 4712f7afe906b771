//! Why could a revocation not be forwarded?

use std::{error::Error as StdError, fmt, sync::Arc};

use hyper::StatusCode;

use crate::outbound::{OutboundError, OutboundErrorKind};

/// A revocation that could not be forwarded, or a configuration that cannot be used.
///
/// It contains nothing of the request, and nothing of the response but the status.
#[derive(Clone, Debug)]
pub struct ForwardError {
    kind: ForwardErrorKind,
    reason: &'static str,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// The kind of a [`ForwardError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ForwardErrorKind {
    /// The URI or the certificates to trust cannot be used, or there is no TLS provider.
    Configuration,
    /// There was no response, or it was incomplete.
    Unreachable,
    /// The time limit expired.
    TimedOut,
    /// The response has this status, which does not mean success. Redirects are not followed.
    Status(StatusCode),
    /// The response cannot be read.
    Malformed,
    /// The response is longer than the limit.
    TooLarge,
}

impl ForwardError {
    /// Makes an error about the configuration.
    pub(super) fn new(reason: &'static str) -> Self {
        Self {
            kind: ForwardErrorKind::Configuration,
            reason,
            source: None,
        }
    }

    pub(super) fn status(status: StatusCode) -> Self {
        Self {
            kind: ForwardErrorKind::Status(status),
            ..Self::new("the server did not respond with success")
        }
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> ForwardErrorKind {
        self.kind
    }
}

impl From<OutboundError> for ForwardError {
    fn from(error: OutboundError) -> Self {
        let kind = match error.kind {
            OutboundErrorKind::Configuration => ForwardErrorKind::Configuration,
            OutboundErrorKind::Unreachable
            | OutboundErrorKind::Closed
            | OutboundErrorKind::ForbiddenAddress => ForwardErrorKind::Unreachable,
            OutboundErrorKind::TimedOut => ForwardErrorKind::TimedOut,
            OutboundErrorKind::Status(status) => ForwardErrorKind::Status(status),
            OutboundErrorKind::Compressed => ForwardErrorKind::Malformed,
            OutboundErrorKind::TooLarge => ForwardErrorKind::TooLarge,
        };
        Self {
            kind,
            reason: error.reason,
            source: error.source.map(Arc::from),
        }
    }
}

impl fmt::Display for ForwardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ForwardErrorKind::Configuration => write!(f, "invalid configuration: {}", self.reason),
            ForwardErrorKind::Status(status) => write!(
                f,
                "the revocation was not forwarded: the server responded with {}",
                status.as_u16()
            ),
            _ => write!(f, "the revocation was not forwarded: {}", self.reason),
        }
    }
}

impl StdError for ForwardError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
