//! Why is there no answer?

use hyper::StatusCode;
use tower::BoxError;

/// There was no answer that could be used.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) fault: Fault,
    pub(crate) reason: &'static str,
    pub(crate) source: Option<BoxError>,
}

/// What was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// There is nothing to connect with.
    SetUp,
    /// There was no answer, or not all of it.
    Unreached,
    /// The connection was closed before the first octet of an answer.
    Closed,
    /// It took too long.
    TimedOut,
    /// The addresses are none to connect to.
    Refused,
    /// A status that is not 200.
    Status(StatusCode),
    /// The body is compressed.
    Compressed,
    /// The body is longer than what is read.
    TooLarge,
}

impl Fault {
    pub(super) fn because(self, reason: &'static str) -> Failure {
        Failure {
            fault: self,
            reason,
            source: None,
        }
    }
}

impl Failure {
    pub(super) fn of(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }
}
