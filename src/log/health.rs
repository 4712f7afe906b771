//! Can the log be appended to?

use std::time::{Duration, Instant};

use super::LogError;

/// Whether a log can be appended to: readiness *for revocation*.
///
/// It is apart from the readiness for checks: an [`Index`](crate::enforce::Index) keeps what it
/// knows while its log cannot be written.
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
}

#[derive(Clone, Debug)]
struct Failing {
    cause: LogError,
    since: Instant,
    next_attempt: Instant,
}

impl LogHealth {
    /// The last append succeeded, or none was tried yet.
    #[must_use]
    pub fn writable() -> Self {
        Self::default()
    }

    /// Every append fails since then, because of this, until the next attempt to recover at least.
    #[must_use]
    pub fn failing(cause: LogError, since: Instant, next_attempt: Instant) -> Self {
        Self {
            failing: Some(Failing {
                cause,
                since,
                next_attempt,
            }),
        }
    }

    /// Whether the log takes appends.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.failing.is_none()
    }

    /// Why it does not.
    #[must_use]
    pub fn cause(&self) -> Option<&LogError> {
        self.failing.as_ref().map(|failing| &failing.cause)
    }

    /// For how long it has not.
    #[must_use]
    pub fn failing_for(&self) -> Option<Duration> {
        self.failing.as_ref().map(|failing| failing.since.elapsed())
    }

    /// The time until the log tries to recover. Zero if it is trying now.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let now = Instant::now();
        let failing = self.failing.as_ref();
        failing.map(|failing| failing.next_attempt.saturating_duration_since(now))
    }

    #[cfg(feature = "embedded")]
    pub(super) fn failing_since(&self) -> Option<Instant> {
        self.failing.as_ref().map(|failing| failing.since)
    }
}
