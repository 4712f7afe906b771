//! Why is there no answer?

use hyper::StatusCode;
use tower::BoxError;

/// There was no answer that could be used.
#[derive(Debug)]
pub(crate) struct OutboundError {
    pub(crate) kind: OutboundErrorKind,
    pub(crate) reason: &'static str,
    pub(crate) source: Option<BoxError>,
}

/// What was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutboundErrorKind {
    /// There is nothing to connect with.
    Configuration,
    /// There was no answer, or not all of it.
    Unreachable,
    /// The connection was closed before the first octet of an answer.
    Closed,
    /// It took too long.
    TimedOut,
    /// The addresses are none to connect to.
    ForbiddenAddress,
    /// A status that is not 200.
    Status(StatusCode),
    /// The body is compressed.
    Compressed,
    /// The body is longer than what is read.
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

    pub(super) fn configuration(reason: &'static str) -> Self {
        Self::new(OutboundErrorKind::Configuration, reason)
    }

    pub(super) fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }
}
