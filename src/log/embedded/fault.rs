//! The doorway between the store's errors and ours, so that none of its types is in our API.

use std::io;

use super::super::{LogError, LogErrorKind};

/// Any error on the way to a commit.
#[derive(Clone, Debug)]
pub(crate) struct Fault(LogError);

impl Fault {
    pub(crate) fn new(kind: LogErrorKind) -> Self {
        Self(LogError::new(kind))
    }
}

impl Fault {
    /// The same cause, of another kind.
    pub(super) fn as_kind(&self, kind: LogErrorKind) -> Self {
        Self(LogError::new(kind).caused_by(self.0.clone()))
    }

    /// The thread that writes has panicked.
    pub(super) fn panicked() -> Self {
        let error = LogError::new(LogErrorKind::Storage);
        Self(error.caused_by("the thread that writes has panicked"))
    }

    pub(super) fn is_a_gap(&self) -> bool {
        self.0.kind() == LogErrorKind::Gap
    }

    /// Whether a row could not be understood, or there is no room for another, which says nothing
    /// about the file as a whole.
    pub(super) fn is_about_rows(&self) -> bool {
        matches!(
            self.0.kind(),
            LogErrorKind::NewerFormat | LogErrorKind::Full | LogErrorKind::ClockWentBack
        )
    }

    /// Whether whoever hears of it has to open the store anew.
    pub(super) fn is_about_the_store(&self) -> bool {
        matches!(self.0.kind(), LogErrorKind::Storage | LogErrorKind::Closed)
    }

    /// Whether the store itself works, and is only not where it is looked for.
    pub(super) fn is_about_the_path(&self) -> bool {
        matches!(
            self.0.kind(),
            LogErrorKind::Missing | LogErrorKind::Replaced
        )
    }
}

impl<E: Into<redb::Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        let error = error.into();
        let kind = match &error {
            redb::Error::DatabaseAlreadyOpen => LogErrorKind::Locked,
            redb::Error::UpgradeRequired(_) => LogErrorKind::NewerFormat,
            redb::Error::PreviousIo | redb::Error::DatabaseClosed => LogErrorKind::Closed,
            // What is not the store's own file at all is reported as an I/O error.
            redb::Error::Io(cause) if cause.kind() == io::ErrorKind::InvalidData => {
                LogErrorKind::Corrupt
            }
            redb::Error::Corrupted(_)
            | redb::Error::TableTypeMismatch { .. }
            | redb::Error::TypeDefinitionChanged { .. }
            | redb::Error::TableIsMultimap(_) => LogErrorKind::Corrupt,
            _ => LogErrorKind::Storage,
        };
        Self(LogError::new(kind).caused_by(error))
    }
}

impl From<Fault> for LogError {
    fn from(Fault(error): Fault) -> Self {
        error
    }
}
