//! The log in one file, which returns from an append once the records are durable.

mod backend;
mod epochs;
mod fault;
mod file;
mod follow;
mod health;
mod mask;
mod open;
mod pace;
mod pending;
mod periodic;
mod queue;
mod recovery;
mod row;
mod rows;
mod store;
mod tables;
#[cfg(feature = "feed")]
mod tail;
#[cfg(test)]
mod tests;
mod thread;
mod upkeep;
mod work;
mod writer;

use std::{
    fmt,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use super::{
    Appended, CheckedClock, Durability, LogError, LogHealth, Position, Reader, Revocation,
    RevocationLog, Selector, readers::Readers,
};
pub(crate) use fault::Fault;
pub(crate) use mask::FileKey;
use store::Store;
#[cfg(feature = "issued")]
pub(crate) use work::SweepStep;
pub(crate) use work::Work;
use writer::Writer;

/// A log in one file. `append` returns once `fsync` has written the records to the disk.
///
/// See [the module](super) for what happens when the disk fails or the file is replaced, for
/// backups, and for the effects of a clock that jumps.
///
/// One thread writes. Appends that arrive during a commit share the next commit and its `fsync`. So
/// many concurrent callers get far more revocations per second than the disk can do `fsync`s. The
/// log needs no async runtime.
///
/// After each commit that wrote something, the thread stays awake for at most 50 µs, to find the
/// next append without being woken. A commit with fewer appends than the last one waits for more:
/// for an eighth of the time that the last one took, and at most 500 µs. So a single append after a
/// batch waits once.
///
/// The file is read when it is opened. Its content is kept in memory, at 74 to 149 bytes per record:
/// the table doubles when it is full, and needs both sizes for that moment. Besides, redb caches the
/// file in up to 1 GiB.
///
/// Clones are the same log. When the last clone is dropped, queued appends are written and the file
/// is closed. Dropping it blocks for as long as the disk takes.
///
/// ```
/// use tower_revocation::log::{
///     EmbeddedLog, NumericDate, Revocation, RevocationLog, Selector, Snapshot,
/// };
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
/// assert_eq!(Snapshot::of(&log).await?.records, [record]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct EmbeddedLog {
    store: Arc<Store>,
    /// A store is replaced by a copy of itself only, so the key stays the same.
    key: Arc<FileKey>,
    readers: Arc<Mutex<Readers>>,
    writer: Arc<Writer>,
    /// How many selectors may have a record.
    ceiling: Arc<AtomicUsize>,
    /// The clock by which expired records are removed.
    clock: Arc<CheckedClock>,
}

impl EmbeddedLog {
    /// Runs a job as a part of a commit. See [`Writer::write`].
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

    /// As [`write`](Self::write), and counts the job towards the client's quota of the queue.
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

    /// Reads tables other than those of the log.
    #[cfg(any(
        feature = "admin",
        feature = "fleet",
        feature = "issued",
        feature = "jwt"
    ))]
    pub(crate) fn read<T>(
        &self,
        job: impl FnOnce(&redb::Database) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.store.with(job)
    }

    /// Returns the key of the file.
    #[cfg(any(feature = "admin", feature = "issued", feature = "jwt"))]
    pub(crate) fn key(&self) -> &FileKey {
        &self.key
    }

    /// Returns the clock by which expired records are removed.
    #[cfg(any(feature = "admin", feature = "issued"))]
    pub(crate) fn clock(&self) -> &Arc<CheckedClock> {
        &self.clock
    }

    fn append_as(
        &self,
        client: Option<Selector>,
        new: usize,
        batch: Vec<Revocation>,
    ) -> impl Future<Output = Result<Option<Appended>, LogError>> + Send + use<> {
        // The batch is queued now, and not when the future is first polled. Dropping the future
        // does not cancel it.
        let ceiling = self.ceiling.clone();
        self.writer.write(client, move |work| {
            if !work.has_room(new, &batch) {
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

    /// At most 16,384 appends can wait, of which at most 1,024 can belong to one client.
    fn append_for(
        &self,
        client: Selector,
        new: usize,
        batch: Vec<Revocation>,
    ) -> impl Future<Output = Result<Option<Appended>, LogError>> + Send {
        self.append_as(Some(client), new, batch)
    }

    /// The log is not writable after a failed commit, until the file was read and written again.
    /// While nothing is appended, the log checks once a second that the file is still there.
    fn health(&self) -> LogHealth {
        self.writer.health()
    }

    /// The file is read on the calling thread, while others append.
    fn follow(
        &self,
        reader: Weak<dyn Reader>,
    ) -> impl Future<Output = Result<(), LogError>> + Send {
        self.add(reader)
    }

    fn durability(&self) -> Durability {
        Durability::Disk
    }

    fn lease(&self) -> Option<Duration> {
        None
    }
}

impl fmt::Debug for EmbeddedLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedLog")
            .field("health", &self.health())
            .finish_non_exhaustive()
    }
}
