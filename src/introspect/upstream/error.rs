//! Why could it not be found out?

use std::{error::Error as StdError, fmt, sync::Arc};

use hyper::StatusCode;
use tower::BoxError;

use crate::{
    error::{Error, ErrorKind},
    outbound::{OutboundError, OutboundErrorKind},
};

/// The other server could not be asked, or its answer says nothing that can be relied on.
///
/// That is never "no token": at the endpoint it becomes 503. It holds nothing of what was sent, and
/// nothing of what was answered.
#[derive(Clone, Debug)]
pub struct UpstreamError {
    kind: UpstreamErrorKind,
    reason: &'static str,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// What kind of failure an [`UpstreamError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UpstreamErrorKind {
    /// What was configured cannot be used.
    Configuration,
    /// There was no answer, or not all of it.
    Unreachable,
    /// It took too long.
    TimedOut,
    /// The answer has this status, and not 200. 401 and 403 say that this server is not let in
    /// (RFC 7662 §2.3). Redirects are not followed.
    Status(StatusCode),
    /// The answer is no introspection of which there is one reading.
    Malformed,
    /// The answer is longer than what is read of one.
    TooLarge,
    /// The token is active, and the answer does not say whose it is. See
    /// [`client_claim`](super::UpstreamBuilder::client_claim).
    Unowned,
}

impl UpstreamErrorKind {
    /// A short name for logs and metrics, such as `timed_out`. It does not tell which status.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Status(_) => "status",
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::Unowned => "unowned",
        }
    }
}

impl UpstreamError {
    pub(super) fn new(kind: UpstreamErrorKind, reason: &'static str) -> Self {
        Self {
            kind,
            reason,
            source: None,
        }
    }

    pub(super) fn configuration(reason: &'static str) -> Self {
        Self::new(UpstreamErrorKind::Configuration, reason)
    }

    pub(super) fn malformed(reason: &'static str) -> Self {
        Self::new(UpstreamErrorKind::Malformed, reason)
    }

    pub(super) fn caused_by(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> UpstreamErrorKind {
        self.kind
    }
}

impl From<OutboundError> for UpstreamError {
    fn from(error: OutboundError) -> Self {
        let kind = match error.kind {
            OutboundErrorKind::Configuration => UpstreamErrorKind::Configuration,
            OutboundErrorKind::Unreachable
            | OutboundErrorKind::Closed
            | OutboundErrorKind::ForbiddenAddress => UpstreamErrorKind::Unreachable,
            OutboundErrorKind::TimedOut => UpstreamErrorKind::TimedOut,
            OutboundErrorKind::Status(status) => UpstreamErrorKind::Status(status),
            OutboundErrorKind::Compressed => UpstreamErrorKind::Malformed,
            OutboundErrorKind::TooLarge => UpstreamErrorKind::TooLarge,
        };
        let error = Self {
            kind,
            reason: error.reason,
            source: error.source.map(Arc::from),
        };
        match kind {
            // What the other server says of this one request: anybody can send a token like that.
            UpstreamErrorKind::Status(
                StatusCode::BAD_REQUEST
                | StatusCode::PAYLOAD_TOO_LARGE
                | StatusCode::URI_TOO_LONG
                | StatusCode::UNPROCESSABLE_ENTITY,
            ) => error.caused_by(Error::new(ErrorKind::Unavailable).without_alarm()),
            _ => error,
        }
    }
}

impl fmt::Display for UpstreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            UpstreamErrorKind::Status(status) => {
                write!(
                    f,
                    "no introspection: the server answered {}",
                    status.as_u16()
                )
            }
            UpstreamErrorKind::Configuration => write!(f, "invalid configuration: {}", self.reason),
            _ => write!(f, "no introspection: {}", self.reason),
        }
    }
}

impl StdError for UpstreamError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
