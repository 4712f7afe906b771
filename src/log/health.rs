//! Can the log be appended to, and is its process ready?

use std::{
    error::Error as StdError,
    sync::Arc,
    time::{Duration, Instant},
};

use super::LogError;
#[cfg(any(feature = "embedded", feature = "fleet"))]
use super::LogErrorKind;
#[cfg(any(feature = "embedded", feature = "fleet"))]
use crate::error::{Error, ErrorKind};

/// Whether a log accepts appends, and whether its process is ready.
///
/// Readiness for checks is separate: an [`Index`](crate::enforce::Index) keeps what it knows while
/// its log cannot be written.
///
/// ```
/// use tower_revocation::log::{MemoryLog, RevocationLog};
///
/// let health = MemoryLog::new().health();
/// assert!(health.is_writable());
/// assert!(health.cause().is_none());
/// ```
#[derive(Clone, Debug, Default)]
pub struct LogHealth {
    failing: Option<Failing>,
    /// Why the process is not ready, although the log may accept appends.
    unready: Option<Arc<str>>,
    /// What is wrong, but does no harm yet.
    warning: Option<Arc<str>>,
}

#[derive(Clone, Debug)]
struct Failing {
    cause: LogError,
    since: Instant,
    next_attempt: Instant,
}

impl LogHealth {
    /// Makes the health of a log whose last append succeeded, or that had no append yet.
    #[must_use]
    pub fn writable() -> Self {
        Self::default()
    }

    /// Makes the health of a log that has refused every append since `since` because of `cause`,
    /// and that refuses appends at least until `next_attempt`.
    #[must_use]
    pub fn failing(cause: LogError, since: Instant, next_attempt: Instant) -> Self {
        Self {
            failing: Some(Failing {
                cause,
                since,
                next_attempt,
            }),
            ..Self::default()
        }
    }

    /// Says why the process is not ready, and what else is wrong.
    #[cfg(feature = "fleet")]
    pub(super) fn with(mut self, unready: Option<String>, warning: Option<Arc<str>>) -> Self {
        self.unready = unready.map(Arc::from);
        self.warning = warning;
        self
    }

    /// Returns whether the log accepts appends.
    ///
    /// On a process that follows a feed, says whether the relay answers: it can never append.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.failing.is_none()
    }

    /// Returns whether this process knows the log and has the right time. Always true for a log to
    /// which no other process appends.
    ///
    /// A process that is not ready answers each request as far as it can, but a load balancer should
    /// send requests to others. It becomes ready again by itself. Whether the log accepts appends is
    /// another question: see [`is_writable`](Self::is_writable).
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.unready.is_none()
    }

    /// Returns on one line, for operators, why the log refuses appends, why the process is not ready,
    /// and what else is wrong.
    ///
    /// ```
    /// use tower_revocation::log::{MemoryLog, RevocationLog};
    ///
    /// let health = MemoryLog::new().health();
    /// assert!(health.is_writable() && health.is_ready());
    /// assert_eq!(health.reason(), None);
    /// ```
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        let failing = self.cause().map(|cause| causes(cause));
        let others = [&self.unready, &self.warning].into_iter().flatten();
        let reasons: Vec<_> = failing
            .into_iter()
            .chain(others.map(ToString::to_string))
            .collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }

    /// Returns why the log refuses appends, if it does.
    #[must_use]
    pub fn cause(&self) -> Option<&LogError> {
        self.failing.as_ref().map(|failing| &failing.cause)
    }

    /// Returns for how long the log has refused appends, if it does.
    #[must_use]
    pub fn failing_for(&self) -> Option<Duration> {
        self.failing.as_ref().map(|failing| failing.since.elapsed())
    }

    /// Returns the time until the log tries to recover, if it refuses appends. It is zero during an
    /// attempt.
    #[must_use]
    pub fn retry_delay(&self) -> Option<Duration> {
        let now = Instant::now();
        let failing = self.failing.as_ref();
        failing.map(|failing| failing.next_attempt.saturating_duration_since(now))
    }

    /// Makes the error of an append that a failing log refuses. Its source chain contains the
    /// response for the peer: when to try again.
    #[cfg(any(feature = "embedded", feature = "fleet"))]
    pub(super) fn error(&self, kind: LogErrorKind) -> Option<LogError> {
        // An attempt that is running takes time.
        let delay = self.retry_delay()?.max(Duration::from_secs(1));
        let response = Error::new(ErrorKind::Unavailable)
            .retry_after(delay)
            .caused_by(self.cause()?.clone());
        Some(LogError::new(kind).caused_by(response))
    }

    #[cfg(feature = "embedded")]
    pub(super) fn failing_since(&self) -> Option<Instant> {
        self.failing.as_ref().map(|failing| failing.since)
    }
}

/// An error and its sources, on one line.
fn causes(error: &dyn StdError) -> String {
    let mut causes = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        causes = format!("{causes}: {cause}");
        source = cause.source();
    }
    // An error may quote a server.
    causes.replace(char::is_control, "?")
}
