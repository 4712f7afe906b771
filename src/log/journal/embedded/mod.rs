//! A journal in the file of a log.

mod observe;
mod row;
mod tables;

use std::{fmt, time::Duration};

use futures::future::{BoxFuture, FutureExt as _, ready};

use super::{
    super::{EmbeddedLog, FileKey, LogError, LogErrorKind, NumericDate},
    Journal, JournalChange, JournalEntry, JournalWrite, NewJournalEntry,
    entry::check_lengths,
};
use tables::{Digest, Tables};

/// How many expired entries each new one removes.
const EXPIRED_PER_ENTRY: usize = 2;

/// A journal in the file of an [`EmbeddedLog`].
///
/// Its writes are a part of the commits of the log, and [`EmbeddedLog::backup`] copies it. The
/// contents are masked, and the keys are digests with a key of the file: see [`log`](super::super).
/// Clones, and journals that are opened on clones of the log, are the same journal.
///
/// It has at most one million entries. Beyond that, a write fails with [`LogErrorKind::Full`]: no
/// entry is removed before it expires. Each new entry removes up to two that have expired, unless the
/// clock is [ahead](LogErrorKind::ClockJumped).
///
/// An entry that is damaged is skipped, as if it were not there. With the feature `metrics`, the
/// counter `tower_revocation_journal_damaged_total` counts how often one was read. With the feature
/// `tracing`, it is an event of level `ERROR`.
///
/// Reads use the file on the calling thread.
///
/// ```
/// use tower_revocation::log::{
///     EmbeddedJournal, EmbeddedLog, Journal, JournalWrite, NewJournalEntry, NumericDate,
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("revocations.redb");
/// let journal = EmbeddedJournal::open(EmbeddedLog::open(&path)?)?;
/// let entry = NewJournalEntry::new(b"ordered".to_vec(), NumericDate::FOREVER);
/// journal.write(vec![entry]).await?;
/// drop(journal);
///
/// let journal = EmbeddedJournal::open(EmbeddedLog::open(&path)?)?;
/// assert_eq!(journal.newest(None, 1).await?[0].content, b"ordered");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct EmbeddedJournal {
    log: EmbeddedLog,
    capacity: u64,
}

impl EmbeddedJournal {
    /// Opens the journal in the file of this log.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read, or if its tables of a journal have another format.
    pub fn open(log: EmbeddedLog) -> Result<Self, LogError> {
        log.read(tables::check)?;
        Ok(Self {
            log,
            capacity: 1_000_000,
        })
    }

    /// Limits the number of entries. Defaults to one million. An entry takes about 1 KiB of the
    /// file, and at most 65 KiB.
    ///
    /// # Panics
    ///
    /// Panics if it is zero.
    #[must_use]
    pub fn capacity(mut self, entries: u64) -> Self {
        assert!(entries > 0, "the capacity of the journal is zero");
        self.capacity = entries;
        self
    }
}

impl Journal for EmbeddedJournal {
    fn write(
        &self,
        batch: Vec<NewJournalEntry>,
    ) -> BoxFuture<'_, Result<Vec<JournalWrite>, LogError>> {
        if let Err(error) = check_lengths(batch.iter().map(|new| &new.content)) {
            return ready(Err(error)).boxed();
        }
        let (capacity, now) = (self.capacity, NumericDate::now());
        // By a clock that is ahead, entries would be removed that are still to be kept.
        let forgotten = self.log.clock().now().ok();
        let written = self.log.write(move |work| {
            let mut tables = Tables::open(work.transaction)?;
            let new = batch.len() as u64;
            if let Some(forgotten) = forgotten {
                let limit = EXPIRED_PER_ENTRY.saturating_mul(batch.len());
                tables.forget(work, forgotten, limit)?;
            }
            if tables.len()?.saturating_add(new) > capacity {
                return Ok(None);
            }
            let mut writes = Vec::with_capacity(batch.len());
            for new in batch {
                let digest = new.key.map(|key| digest(work.key(), &key));
                let earlier = match &digest {
                    Some(digest) => tables.find(work.key(), digest, now)?,
                    None => None,
                };
                writes.push(match earlier {
                    Some(earlier) => JournalWrite::Earlier(earlier),
                    None => JournalWrite::Written(tables.insert(work, new, digest)?),
                });
            }
            Ok(Some(writes))
        });
        let full = || LogError::new(LogErrorKind::Full).caused_by("the journal is full");
        written
            .map(move |written| written?.ok_or_else(full))
            .boxed()
    }

    fn replace(&self, batch: Vec<JournalChange>) -> BoxFuture<'_, Result<Vec<bool>, LogError>> {
        if let Err(error) = check_lengths(batch.iter().map(|change| &change.content)) {
            return ready(Err(error)).boxed();
        }
        let now = NumericDate::now();
        let replaced = self.log.write(move |work| {
            let mut tables = Tables::open(work.transaction)?;
            let mut replaced = Vec::with_capacity(batch.len());
            for change in batch {
                let row = tables.row(work.key(), change.place, now)?;
                let row = row.filter(|row| row.entry.version == change.version);
                replaced.push(row.is_some());
                if let Some(row) = row {
                    tables.change(work, row, Some(change.content), change.due)?;
                }
            }
            Ok(replaced)
        });
        replaced.boxed()
    }

    fn get(&self, place: u64) -> BoxFuture<'_, Result<Option<JournalEntry>, LogError>> {
        let (key, now) = (self.log.key(), NumericDate::now());
        let entry = self
            .log
            .read(|database| tables::get(database, key, place, now));
        ready(entry.map_err(LogError::from)).boxed()
    }

    fn find(&self, key: [u8; 32]) -> BoxFuture<'_, Result<Option<JournalEntry>, LogError>> {
        let now = NumericDate::now();
        let digest = digest(self.log.key(), &key);
        let entry = self
            .log
            .read(|database| tables::find(database, self.log.key(), &digest, now));
        ready(entry.map_err(LogError::from)).boxed()
    }

    fn newest(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<JournalEntry>, LogError>> {
        let (key, now) = (self.log.key(), NumericDate::now());
        let entries = self
            .log
            .read(|database| tables::newest(database, key, before, limit, now));
        ready(entries.map_err(LogError::from)).boxed()
    }

    fn take_due(
        &self,
        limit: usize,
        lease: Duration,
    ) -> BoxFuture<'_, Result<Vec<JournalEntry>, LogError>> {
        let now = NumericDate::now();
        let taken = self.log.write(move |work| {
            let mut tables = Tables::open(work.transaction)?;
            let mut taken = Vec::new();
            for row in tables.due(work, limit, now)? {
                taken.push(tables.change(work, row, None, Some(now + lease))?);
            }
            Ok(taken)
        });
        taken.boxed()
    }

    fn waiting(&self) -> BoxFuture<'_, Result<u64, LogError>> {
        let now = NumericDate::now();
        let waiting = self.log.read(|database| tables::waiting(database, now));
        ready(waiting.map_err(LogError::from)).boxed()
    }
}

/// A digest of a key, which peers choose.
fn digest(file: &FileKey, key: &[u8; 32]) -> Digest {
    file.digest(&[b"journal".as_slice(), key].concat())
}

impl fmt::Debug for EmbeddedJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedJournal")
            .field("log", &self.log)
            .field("capacity", &self.capacity)
            .finish()
    }
}
