//! Why an introspection at another server fails.

use std::{error::Error as StdError, fmt, sync::Arc};

use hyper::StatusCode;
use tower::BoxError;

use crate::{
    error::{Error, ErrorKind},
    outbound::{OutboundError, OutboundErrorKind},
};

/// The other server could not be asked, or its response cannot be relied on.
///
/// This never counts as "not a token": the endpoint returns 503. The error holds no part of the
/// request and no part of the response.
#[derive(Clone, Debug)]
pub struct UpstreamError {
    kind: UpstreamErrorKind,
    reason: &'static str,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// The kind of an [`UpstreamError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UpstreamErrorKind {
    /// The configuration cannot be used.
    Configuration,
    /// There was no response, or it was incomplete.
    Unreachable,
    /// The response took too long.
    TimedOut,
    /// The response has this status instead of 200. 401 and 403 mean that the other server does not
    /// accept the credentials of this one (RFC 7662 §2.3). Redirects are not followed.
    Status(StatusCode),
    /// The response is not an introspection response, or it is ambiguous.
    Malformed,
    /// The response is longer than the limit.
    TooLarge,
    /// The token is active, but the response does not name its client. See
    /// [`client_claim`](super::UpstreamBuilder::client_claim).
    Unowned,
}

impl UpstreamErrorKind {
    /// A short name for logs and metrics, such as `timed_out`. It does not include the status.
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

    /// The kind of the error.
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
            // The status is about this one request. Anybody can send a token that causes it.
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
                    "the introspection failed: the server returned {}",
                    status.as_u16()
                )
            }
            UpstreamErrorKind::Configuration => write!(f, "invalid configuration: {}", self.reason),
            _ => write!(f, "the introspection failed: {}", self.reason),
        }
    }
}

impl StdError for UpstreamError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
