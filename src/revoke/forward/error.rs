//! Why a revocation could not be forwarded.

use std::{error::Error as StdError, fmt, sync::Arc};

use hyper::StatusCode;

use crate::outbound::{OutboundError, OutboundErrorKind};

/// A revocation that could not be forwarded, or a server that cannot be forwarded to.
///
/// It has nothing of what was sent, and nothing of what was answered but the status.
#[derive(Clone, Debug)]
pub struct ForwardError {
    kind: ForwardErrorKind,
    reason: &'static str,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// What kind of failure a [`ForwardError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ForwardErrorKind {
    /// What was configured cannot be used: the URI, or certificates to trust; or there is nothing
    /// to speak TLS with.
    Configuration,
    /// There was no answer, or not all of it.
    Unreachable,
    /// It took too long.
    TimedOut,
    /// The answer has this status, and is no success. Redirects are not followed.
    Status(StatusCode),
    /// The answer cannot be read.
    Malformed,
    /// The answer is longer than the limit.
    TooLarge,
}

impl ForwardError {
    /// What was configured cannot be used.
    pub(super) fn new(reason: &'static str) -> Self {
        Self {
            kind: ForwardErrorKind::Configuration,
            reason,
            source: None,
        }
    }

    pub(super) fn answered(status: StatusCode) -> Self {
        Self {
            kind: ForwardErrorKind::Status(status),
            ..Self::new("the server did not answer with success")
        }
    }

    /// What kind of failure it is.
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
            ForwardErrorKind::Status(status) => {
                let status = status.as_u16();
                write!(
                    f,
                    "the revocation was not forwarded: the server answered {status}"
                )
            }
            _ => write!(f, "the revocation was not forwarded: {}", self.reason),
        }
    }
}

impl StdError for ForwardError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
