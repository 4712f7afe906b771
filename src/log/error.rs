//! Why a log could not do what it was asked.

use std::{error::Error as StdError, fmt, sync::Arc};

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
    /// An earlier commit failed. Nothing is appended until the log is reopened.
    Closed,
    /// Records after the position asked for are no longer there.
    Gap,
}

impl LogError {
    /// An error of this kind, for logs of your own.
    #[must_use]
    pub fn new(kind: LogErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// Keeps the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> LogErrorKind {
        self.kind
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
            LogErrorKind::Closed => "the log refuses appends since one failed; reopen it",
            LogErrorKind::Gap => "the log no longer has every record after this position",
        })
    }
}

impl StdError for LogError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
