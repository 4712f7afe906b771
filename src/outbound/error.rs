//! Errors of the HTTP client. Each room above turns them into an error type of its own.

use hyper::StatusCode;
use tower::BoxError;

use crate::tls::TlsError;

/// A request failed, or its response cannot be used.
#[derive(Debug)]
pub(crate) struct OutboundError {
    pub(crate) kind: OutboundErrorKind,
    pub(crate) reason: &'static str,
    pub(crate) source: Option<BoxError>,
}

/// What kind of failure an [`OutboundError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutboundErrorKind {
    /// The root certificates or the crypto provider are missing or cannot be used.
    Configuration,
    /// The connection failed, or the response is incomplete.
    Unreachable,
    /// The server closed the connection before the first byte of a response.
    Closed,
    /// The response was not complete within the timeout.
    TimedOut,
    /// The name has no public address, and private addresses are not allowed.
    ForbiddenAddress,
    /// The status is not 200.
    Status(StatusCode),
    /// The body is compressed.
    Compressed,
    /// The body is larger than the limit.
    TooLarge,
}

impl OutboundError {
    pub(super) fn new(kind: OutboundErrorKind, reason: &'static str) -> Self {
        Self {
            kind,
            reason,
            source: None,
        }
    }

    pub(super) fn caused_by(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl From<TlsError> for OutboundError {
    fn from(TlsError { reason, source }: TlsError) -> Self {
        Self {
            kind: OutboundErrorKind::Configuration,
            reason,
            source,
        }
    }
}
