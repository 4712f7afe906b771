//! Entries beside the records of a log.

#[cfg(feature = "embedded")]
mod embedded;
mod entry;
mod memory;
#[cfg(test)]
pub(crate) mod tests;

use std::{fmt, sync::Arc, time::Duration};

use futures::future::BoxFuture;

use super::LogError;
#[cfg(feature = "embedded")]
pub use embedded::EmbeddedJournal;
#[cfg(feature = "fleet")]
pub(crate) use entry::check_lengths;
pub use entry::{JournalChange, JournalEntry, JournalWrite, NewJournalEntry};
pub use memory::MemoryJournal;

/// Entries beside the records of a log, in the order in which they were written.
///
/// An entry has a place, a content, and until when it is kept. It can have a key, which no other
/// entry has, and a date when it is due. [`admin`](crate::admin) keeps the orders of operators in
/// it: who ordered what and why, which order is a repetition, and what has to be told to an issuer.
///
/// **Every method that returns `Ok` has made its changes durable**, as the
/// [`append`](super::RevocationLog::append) of the log does.
pub trait Journal: fmt::Debug + Send + Sync {
    /// Writes a whole batch, or nothing. Returns one result for each entry, in the same order.
    ///
    /// If there is an entry with the key of a new one, the new one is not written, and the earlier
    /// one is returned. That also holds for two entries of one batch.
    ///
    /// # Errors
    ///
    /// Fails with [`LogErrorKind::Full`](super::LogErrorKind::Full) if a content is longer than 64
    /// KiB, or if there is no room. Nothing is written then. Fails if the batch could not be made
    /// durable. It may be in the journal nevertheless.
    fn write(
        &self,
        batch: Vec<NewJournalEntry>,
    ) -> BoxFuture<'_, Result<Vec<JournalWrite>, LogError>>;

    /// Replaces the contents and the due dates of entries, all or nothing. Returns for each whether
    /// it was replaced: an entry is left as it is if its version is another one.
    ///
    /// # Errors
    ///
    /// Fails with [`LogErrorKind::Full`](super::LogErrorKind::Full) if a content is longer than 64
    /// KiB. Nothing is changed then. Fails if the changes could not be made durable. They may have
    /// been made nevertheless.
    fn replace(&self, batch: Vec<JournalChange>) -> BoxFuture<'_, Result<Vec<bool>, LogError>>;

    /// Returns the entry at a place. `None` if there is none, or if it is no longer kept.
    ///
    /// # Errors
    ///
    /// Fails if the journal cannot be read.
    fn get(&self, place: u64) -> BoxFuture<'_, Result<Option<JournalEntry>, LogError>>;

    /// Returns the entry with a key. `None` if there is none, or if it is no longer kept.
    ///
    /// # Errors
    ///
    /// Fails if the journal cannot be read.
    fn find(&self, key: [u8; 32]) -> BoxFuture<'_, Result<Option<JournalEntry>, LogError>>;

    /// Returns the newest entries, at most `limit`, from new to old: all of them, or those before a
    /// place.
    ///
    /// # Errors
    ///
    /// Fails if the journal cannot be read.
    fn newest(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<JournalEntry>, LogError>>;

    /// Takes entries that are due, at most `limit`, those first that are due for the longest time.
    ///
    /// They are due again after `lease`, so that no other process takes them meanwhile, and so that
    /// none is lost if this process ends. The returned versions are those after that change.
    ///
    /// # Errors
    ///
    /// Fails if the journal cannot be read, or if the change could not be made durable.
    fn take_due(
        &self,
        limit: usize,
        lease: Duration,
    ) -> BoxFuture<'_, Result<Vec<JournalEntry>, LogError>>;

    /// Returns how many entries have a due date, past or future.
    ///
    /// # Errors
    ///
    /// Fails if the journal cannot be read.
    fn waiting(&self) -> BoxFuture<'_, Result<u64, LogError>>;
}

impl<J: Journal + ?Sized> Journal for Arc<J> {
    fn write(
        &self,
        batch: Vec<NewJournalEntry>,
    ) -> BoxFuture<'_, Result<Vec<JournalWrite>, LogError>> {
        (**self).write(batch)
    }

    fn replace(&self, batch: Vec<JournalChange>) -> BoxFuture<'_, Result<Vec<bool>, LogError>> {
        (**self).replace(batch)
    }

    fn get(&self, place: u64) -> BoxFuture<'_, Result<Option<JournalEntry>, LogError>> {
        (**self).get(place)
    }

    fn find(&self, key: [u8; 32]) -> BoxFuture<'_, Result<Option<JournalEntry>, LogError>> {
        (**self).find(key)
    }

    fn newest(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<JournalEntry>, LogError>> {
        (**self).newest(before, limit)
    }

    fn take_due(
        &self,
        limit: usize,
        lease: Duration,
    ) -> BoxFuture<'_, Result<Vec<JournalEntry>, LogError>> {
        (**self).take_due(limit, lease)
    }

    fn waiting(&self) -> BoxFuture<'_, Result<u64, LogError>> {
        (**self).waiting()
    }
}
