//! Why a log could not do what it was asked.

use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};

use tower::BoxError;

/// A log that could not be opened, read or appended to.
///
/// At the endpoint it becomes 503: nothing is known to be revoked.
#[derive(Clone, Debug)]
pub struct LogError {
    kind: LogErrorKind,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// What kind of failure a [`LogError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LogErrorKind {
    /// Too many appends are waiting. Nothing was queued; try again.
    QueueFull,
    /// The log has as many records as it may have. Nothing was appended, and nothing is forgotten
    /// before it expires.
    Full,
    /// Another process has the file open.
    Locked,
    /// The file is damaged, or is no log at all.
    Corrupt,
    /// The file was written by a newer version of this crate.
    NewerFormat,
    /// The file was written under another key, or the key is wrong.
    WrongKey,
    /// The disk or the file system failed, or is full.
    Storage,
    /// An earlier commit failed, and this append was not tried. The log reopens itself: see
    /// [`LogHealth`](super::LogHealth).
    Closed,
    /// There is no file at the path, or no longer.
    Missing,
    /// The file at the path is another one than was opened, or an older state of it. It is not
    /// used: what was appended since would be lost.
    Replaced,
    /// Records after the position asked for are no longer there, or the position is not one of
    /// this log.
    Gap,
    /// The system's clock is ahead of the time that has passed. Nothing was forgotten: what has
    /// expired by such a clock may be alive.
    ClockJumped,
    /// The system's clock has gone back to before the end of what was forgotten. Whether something
    /// was there cannot be found out until the clock has passed that end again.
    ClockWentBack,
}

impl LogErrorKind {
    /// A short name for logs and counters.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::Full => "full",
            Self::Locked => "locked",
            Self::Corrupt => "corrupt",
            Self::NewerFormat => "newer_format",
            Self::WrongKey => "wrong_key",
            Self::Storage => "storage",
            Self::Closed => "closed",
            Self::Missing => "missing",
            Self::Replaced => "replaced",
            Self::Gap => "gap",
            Self::ClockJumped => "clock_jumped",
            Self::ClockWentBack => "clock_went_back",
        }
    }
}

impl LogError {
    /// An error of this kind, for logs of your own.
    #[must_use]
    pub fn new(kind: LogErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// Keeps the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> LogErrorKind {
        self.kind
    }

    /// When to try again, if a [`crate::Error`] in the chain of sources says so. The endpoint
    /// repeats it in `Retry-After`.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        crate::Error::in_chain(self)?.retry_delay()
    }
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            LogErrorKind::QueueFull => "too many revocations are waiting to be written",
            LogErrorKind::Full => "the log has as many records as it may have",
            LogErrorKind::Locked => "the log is open in another process",
            LogErrorKind::Corrupt => "the log is damaged, or the file is no log",
            LogErrorKind::NewerFormat => "the log was written by a newer version",
            LogErrorKind::WrongKey => "the tokens in the file were registered under another key",
            LogErrorKind::Storage => "the log could not be written or read",
            LogErrorKind::Closed => {
                "the log refuses appends since one failed, until it has recovered"
            }
            LogErrorKind::Missing => "there is no file at the log's path",
            LogErrorKind::Replaced => {
                "the file at the log's path is another one, or an older state"
            }
            LogErrorKind::Gap => "the log does not have every record after this position",
            LogErrorKind::ClockJumped => "the clock is ahead of the time that has passed",
            LogErrorKind::ClockWentBack => "the clock has gone back behind what was forgotten",
        })
    }
}

impl StdError for LogError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
