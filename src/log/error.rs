//! Why did a log fail?

use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};

use tower::BoxError;

use crate::error::Error;

/// The error of a log that could not be opened, read or appended to.
///
/// At the endpoint it becomes 503, because it is not known whether the token is revoked.
#[derive(Clone, Debug)]
pub struct LogError {
    kind: LogErrorKind,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// The kind of a [`LogError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LogErrorKind {
    /// Too many appends are waiting. Nothing was queued; try again.
    QueueFull,
    /// The log has reached its ceiling. Nothing was appended, and no record is removed before it
    /// expires.
    Full,
    /// Another process has the file open.
    Locked,
    /// The file is damaged or is not a log, or the answer of a server is not as expected.
    Corrupt,
    /// The file or the tables have a format that this version does not read.
    UnknownFormat,
    /// The file was written with another key, or the key is wrong.
    WrongKey,
    /// The disk or the file system failed, or is full.
    Storage,
    /// The log accepts no appends now, and this one was not tried. An earlier commit failed, and the
    /// log recovers without help: see [`LogHealth`](super::LogHealth). Or it was closed, as by
    /// `FleetLog::close`, or its runtime has ended: then it stays so.
    Closed,
    /// There is no file at the path, or it was removed.
    Missing,
    /// The file at the path is not the file that was opened, or an older state of it. The log does
    /// not use it, because it would lose what was appended since.
    Replaced,
    /// A server that keeps the log did not answer in time, or could not be reached. The append may
    /// be in the log nevertheless; to send it again does no harm.
    Unavailable,
    /// The URL of the log is wrong, or the server that keeps it has settings with which its promises do
    /// not hold, or lacks something. The cause says what to change.
    Misconfigured,
    /// The system's clock is ahead of the time that has passed. Nothing was removed, because tokens
    /// that have expired by this clock may still be alive.
    ClockJumped,
    /// The system's clock was set back to before the expiry of entries that were removed. Whether
    /// there was an entry is unknown until the clock has passed that expiry again.
    ClockWentBack,
}

impl LogErrorKind {
    /// Returns a short name for logs and counters.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::Full => "full",
            Self::Locked => "locked",
            Self::Corrupt => "corrupt",
            Self::UnknownFormat => "unknown_format",
            Self::WrongKey => "wrong_key",
            Self::Storage => "storage",
            Self::Closed => "closed",
            Self::Missing => "missing",
            Self::Replaced => "replaced",
            Self::Unavailable => "unavailable",
            Self::Misconfigured => "misconfigured",
            Self::ClockJumped => "clock_jumped",
            Self::ClockWentBack => "clock_went_back",
        }
    }
}

impl LogError {
    /// Makes an error of this kind, for logs of your own.
    #[must_use]
    pub fn new(kind: LogErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// Sets the cause, which [`source`](std::error::Error::source) returns.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> LogErrorKind {
        self.kind
    }

    /// Returns when to try again, if a [`crate::Error`] in the source chain contains it. The
    /// endpoint sends it in `Retry-After`.
    #[must_use]
    pub fn retry_delay(&self) -> Option<Duration> {
        Error::in_chain(self)?.retry_delay()
    }
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            LogErrorKind::QueueFull => "too many revocations are waiting to be written",
            LogErrorKind::Full => "the log has reached its ceiling",
            LogErrorKind::Locked => "the log is open in another process",
            LogErrorKind::Corrupt => "the log is damaged, or what is there is not a log",
            LogErrorKind::UnknownFormat => "the log has a format that this version does not read",
            LogErrorKind::WrongKey => "the tokens in the file were registered with another key",
            LogErrorKind::Storage => "the log could not be written or read",
            LogErrorKind::Closed => "the log accepts no appends now",
            LogErrorKind::Missing => "there is no file at the path of the log",
            LogErrorKind::Replaced => {
                "the file at the path of the log is another file, or an older state of it"
            }
            LogErrorKind::Unavailable => "the server of the log did not answer",
            LogErrorKind::Misconfigured => "the log is not set up as it must be",
            LogErrorKind::ClockJumped => "the clock is ahead of the time that has passed",
            LogErrorKind::ClockWentBack => {
                "the clock was set back to before the expiry of removed entries"
            }
        })
    }
}

impl StdError for LogError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
