//! The log in one file, durable before it answers.

mod chores;
mod epochs;
mod fault;
mod file;
mod health;
mod open;
#[cfg_attr(not(feature = "metrics"), path = "no_pending.rs")]
mod pending;
mod queue;
mod recovery;
mod store;
mod tables;
#[cfg(test)]
mod tests;
mod thread;
mod upkeep;
mod work;
mod writer;

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

#[cfg(any(feature = "issued", feature = "jwt"))]
use redb::Database;

use super::{
    Appended, Durability, LogError, LogHealth, Pace, Position, Reader, Revocation, RevocationLog,
    Selector, Snapshot, readers::Readers,
};
pub(crate) use fault::Fault;
use store::Store;
#[cfg(feature = "issued")]
pub(crate) use work::Step;
pub(crate) use work::Work;
use writer::Writer;

/// The log in one file. `append` answers when the records are on the disk, by `fsync`.
///
/// [The module's documentation](super) says what happens when the disk fails or the file is
/// replaced, how to back it up, and what a clock that jumps does.
///
/// One thread writes. Appends that arrive while it commits share the next commit, and so its
/// `fsync`: many callers get far more revocations a second than the disk has `fsync`s. Nothing
/// needs an async runtime.
///
/// The file is read when it is opened, and what it says is kept in memory: about 80 octets a
/// record.
///
/// Clones are the same log. When the last one is dropped, what is queued is written and the file is
/// closed; that blocks for as long as the disk takes.
///
/// ```
/// use tower_revocation::log::{EmbeddedLog, NumericDate, Revocation, RevocationLog, Selector};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("revocations.redb");
/// let log = EmbeddedLog::open(&path)?;
/// let record = Revocation::forever(Selector::grant("g1"), NumericDate::FOREVER);
/// log.append(vec![record]).await?;
/// drop(log);
///
/// let log = EmbeddedLog::open(&path)?;
/// assert_eq!(log.snapshot().await?.records, [record]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct EmbeddedLog {
    store: Arc<Store>,
    readers: Arc<Mutex<Readers>>,
    writer: Arc<Writer>,
    /// How many selectors may have a record.
    ceiling: Arc<AtomicUsize>,
    /// The clock by which records are forgotten.
    pace: Arc<Pace>,
}

impl EmbeddedLog {
    /// Takes part in a commit. See [`Writer::write`].
    pub(crate) fn write<T, F>(
        &self,
        job: F,
    ) -> impl Future<Output = Result<T, LogError>> + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce(&mut Work<'_>) -> Result<T, Fault> + Send + 'static,
    {
        self.writer.write(None, job)
    }

    /// As [`write`](Self::write), with a place in the client's quota of the queue.
    #[cfg(any(feature = "issued", feature = "jwt"))]
    pub(crate) fn write_for<T, F>(
        &self,
        client: Selector,
        job: F,
    ) -> impl Future<Output = Result<T, LogError>> + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce(&mut Work<'_>) -> Result<T, Fault> + Send + 'static,
    {
        self.writer.write(Some(client), job)
    }

    /// Reads tables beside the log's own.
    #[cfg(any(feature = "issued", feature = "jwt"))]
    pub(crate) fn read<T>(
        &self,
        job: impl FnOnce(&Database) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.store.with(job)
    }

    /// The clock by which records are forgotten.
    #[cfg(feature = "issued")]
    pub(crate) fn pace(&self) -> &Arc<Pace> {
        &self.pace
    }

    fn append_as(
        &self,
        client: Option<Selector>,
        new: usize,
        batch: Vec<Revocation>,
    ) -> impl Future<Output = Result<Option<Appended>, LogError>> + Send + use<> {
        // Queued here and now, and not when the future is polled: whoever drops it has appended.
        let ceiling = self.ceiling.clone();
        self.writer.write(client, move |work| {
            if !work.is_enough(new, &batch) {
                return Ok(None);
            }
            work.append(&batch, ceiling.load(Relaxed)).map(Some)
        })
    }
}

impl RevocationLog for EmbeddedLog {
    fn append(
        &self,
        batch: Vec<Revocation>,
    ) -> impl Future<Output = Result<Position, LogError>> + Send {
        let ceiling = self.ceiling.clone();
        self.write(move |work| Ok(work.append(&batch, ceiling.load(Relaxed))?.position))
    }

    fn append_at_most(
        &self,
        new: usize,
        batch: Vec<Revocation>,
    ) -> impl Future<Output = Result<Option<Appended>, LogError>> + Send {
        self.append_as(None, new, batch)
    }

    /// Of the 16,384 appends that can wait, a client's can be 1,024.
    fn append_for(
        &self,
        client: Selector,
        new: usize,
        batch: Vec<Revocation>,
    ) -> impl Future<Output = Result<Option<Appended>, LogError>> + Send {
        self.append_as(Some(client), new, batch)
    }

    /// Not writable from a failed commit on, until the file was read and written anew. While nothing
    /// is appended, it is looked once a second whether the file is still there.
    fn health(&self) -> LogHealth {
        self.writer.health()
    }

    async fn snapshot(&self) -> Result<Snapshot, LogError> {
        Ok(self.store.with(tables::snapshot)?)
    }

    async fn tail(&self, after: Position, reader: Weak<dyn Reader>) -> Result<(), LogError> {
        let readers = self.readers.clone();
        // Between two commits, so that nothing is missed and nothing is out of order.
        let joined = self.writer.between(move |store, told| {
            let missed = store.with(|database| tables::after(database, after, told.sequence))?;
            if let Some(reader) = reader.upgrade() {
                reader.read(told, &missed);
            }
            let mut readers = readers.lock().unwrap_or_else(PoisonError::into_inner);
            readers.add(reader);
            Ok(())
        });
        joined.await
    }

    fn durability(&self) -> Durability {
        Durability::Disk
    }

    fn is_local(&self) -> bool {
        true
    }
}

impl fmt::Debug for EmbeddedLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedLog")
            .field("health", &self.health())
            .finish_non_exhaustive()
    }
}
