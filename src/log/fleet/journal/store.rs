//! What a server does for a journal.

use futures::future::BoxFuture;

use super::{
    super::super::{JournalChange, JournalEntry, JournalWrite, LogError, LogErrorKind},
    KeyedEntry,
};

/// The newest entries before a place.
pub(crate) struct JournalPage {
    pub(crate) entries: Vec<JournalEntry>,
    /// Entries before this place may follow.
    pub(crate) next: Option<u64>,
}

/// A journal on a server. Its methods are those of [`Journal`](super::super::super::Journal), and a
/// call that is sent again with the same mark changes nothing more.
pub(crate) trait JournalStore: Send + Sync {
    /// Writes entries with different keys.
    fn write<'a>(
        &'a self,
        mark: u64,
        batch: &'a [KeyedEntry],
    ) -> BoxFuture<'a, Result<Vec<JournalWrite>, LogError>>;

    /// Changes different entries.
    fn replace<'a>(
        &'a self,
        mark: u64,
        batch: &'a [JournalChange],
    ) -> BoxFuture<'a, Result<Vec<bool>, LogError>>;

    fn get(&self, place: u64) -> BoxFuture<'_, Result<Option<JournalEntry>, LogError>>;

    fn find(&self, key: [u8; 32]) -> BoxFuture<'_, Result<Option<JournalEntry>, LogError>>;

    /// Returns at most `limit` entries, and as many of them as one answer may have.
    fn newest(&self, before: u64, limit: usize) -> BoxFuture<'_, Result<JournalPage, LogError>>;

    /// Takes entries that are due. They are due again after `lease` seconds.
    fn take_due(
        &self,
        mark: u64,
        limit: usize,
        lease: u64,
    ) -> BoxFuture<'_, Result<Vec<JournalEntry>, LogError>>;

    fn waiting(&self) -> BoxFuture<'_, Result<u64, LogError>>;
}

/// Returns what distinguishes a call from others, and is the same if it is sent again.
pub(crate) fn mark() -> Result<u64, LogError> {
    getrandom::u64().map_err(no_random_numbers)
}

pub(super) fn no_random_numbers(error: getrandom::Error) -> LogError {
    LogError::new(LogErrorKind::Unavailable).caused_by(error.to_string())
}
