//! The conversion of the store's errors, so that none of its types is in the public API.

use std::io;

use super::super::{LogError, LogErrorKind};

/// An error on the way to a commit.
#[derive(Clone, Debug)]
pub(crate) struct Fault(LogError);

impl Fault {
    pub(crate) fn new(kind: LogErrorKind) -> Self {
        Self(LogError::new(kind))
    }

    /// Returns an error of another kind with this one as its cause.
    pub(super) fn as_kind(&self, kind: LogErrorKind) -> Self {
        Self(LogError::new(kind).caused_by(self.0.clone()))
    }

    /// The writing thread has panicked.
    pub(super) fn panicked() -> Self {
        let error = LogError::new(LogErrorKind::Storage);
        Self(error.caused_by("the writing thread has panicked"))
    }

    /// Returns whether the other jobs of the commit can continue: this one could not read a row, or
    /// found no room for another, and has written nothing.
    pub(super) fn keeps_the_commit(&self) -> bool {
        matches!(
            self.0.kind(),
            LogErrorKind::UnknownFormat | LogErrorKind::Full | LogErrorKind::ClockWentBack
        )
    }

    /// Returns whether the store must be opened again.
    pub(super) fn needs_reopening(&self) -> bool {
        matches!(self.0.kind(), LogErrorKind::Storage | LogErrorKind::Closed)
    }

    /// Returns whether the store works and is only not at its path.
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
            redb::Error::UpgradeRequired(_) => LogErrorKind::UnknownFormat,
            redb::Error::PreviousIo | redb::Error::DatabaseClosed => LogErrorKind::Closed,
            // The library reports a file of another format as an I/O error.
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
