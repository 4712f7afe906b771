//! What a journal contains.

use std::fmt;

use super::super::{LogError, LogErrorKind, NumericDate};

/// An entry that is not written yet.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewJournalEntry {
    /// The content, at most 64 KiB.
    pub content: Vec<u8>,
    /// The entry is kept until then.
    pub expires: NumericDate,
    /// Identifies the entry: at most one entry that is kept has this key.
    pub key: Option<[u8; 32]>,
    /// When something has to be done about it.
    pub due: Option<NumericDate>,
}

/// An entry of a [`Journal`](super::Journal).
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JournalEntry {
    /// The place: later entries have greater ones. Never zero.
    pub place: u64,
    /// Counts the changes, from zero.
    pub version: u32,
    /// The content.
    pub content: Vec<u8>,
    /// When something has to be done about it.
    pub due: Option<NumericDate>,
}

/// What [`write`](super::Journal::write) did with an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JournalWrite {
    /// It was written at this place, with version 0.
    Written(u64),
    /// It was not written: this entry has its key.
    Earlier(JournalEntry),
}

/// A change of an entry.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JournalChange {
    /// Which entry.
    pub place: u64,
    /// The version that is changed.
    pub version: u32,
    /// The new content.
    pub content: Vec<u8>,
    /// The new date when something has to be done about it.
    pub due: Option<NumericDate>,
}

impl NewJournalEntry {
    /// The longest content, in bytes.
    pub const MAX_CONTENT: usize = 64 * 1024;

    /// Makes an entry without a key and a due date.
    #[must_use]
    pub fn new(content: Vec<u8>, expires: NumericDate) -> Self {
        Self {
            content,
            expires,
            key: None,
            due: None,
        }
    }
}

impl JournalEntry {
    /// Makes an entry, for implementations of [`Journal`](super::Journal).
    #[must_use]
    pub fn new(place: u64, version: u32, content: Vec<u8>, due: Option<NumericDate>) -> Self {
        Self {
            place,
            version,
            content,
            due,
        }
    }

    /// Returns the change that gives this version of the entry another content and due date.
    #[must_use]
    pub fn change(&self, content: Vec<u8>, due: Option<NumericDate>) -> JournalChange {
        JournalChange {
            place: self.place,
            version: self.version,
            content,
            due,
        }
    }
}

/// Fails if a content is too long.
pub(crate) fn check_lengths<'a>(
    contents: impl IntoIterator<Item = &'a Vec<u8>>,
) -> Result<(), LogError> {
    let is_long = |content: &Vec<u8>| content.len() > NewJournalEntry::MAX_CONTENT;
    if contents.into_iter().any(is_long) {
        let error = LogError::new(LogErrorKind::Full);
        return Err(error.caused_by("the content of an entry is longer than 64 KiB"));
    }
    Ok(())
}

/// Shows everything but the content, which may name people.
impl fmt::Debug for NewJournalEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewJournalEntry")
            .field("expires", &self.expires)
            .field("due", &self.due)
            .finish_non_exhaustive()
    }
}

/// Shows everything but the content, which may name people.
impl fmt::Debug for JournalEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JournalEntry")
            .field("place", &self.place)
            .field("version", &self.version)
            .field("due", &self.due)
            .finish_non_exhaustive()
    }
}

/// Shows everything but the content, which may name people.
impl fmt::Debug for JournalChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JournalChange")
            .field("place", &self.place)
            .field("version", &self.version)
            .field("due", &self.due)
            .finish_non_exhaustive()
    }
}
