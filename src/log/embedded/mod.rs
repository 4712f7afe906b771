//! The log in one file, durable before it answers.

mod fault;
mod file;
mod tables;
#[cfg(test)]
mod tests;
mod writer;

use std::{
    fmt,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use redb::Database;

use super::{
    Appended, Durability, LogError, LogErrorKind, NumericDate, Position, Reader, Revocation,
    RevocationLog, Snapshot, readers::Readers,
};
pub(crate) use fault::Fault;
#[cfg(feature = "issued")]
pub(crate) use tables::Step;
pub(crate) use tables::Work;
use writer::Writer;

/// The log in one file. `append` answers when the records are on the disk, by `fsync`.
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
    database: Arc<Database>,
    epoch: u64,
    readers: Arc<Mutex<Readers>>,
    writer: Arc<Writer>,
    /// How many selectors may have a record.
    ceiling: Arc<AtomicUsize>,
}

impl EmbeddedLog {
    /// Opens the file, or makes it. Only one process can have it open.
    ///
    /// After a crash, the last commit that was answered is there, whole. Finding it takes time in
    /// proportion to the file.
    ///
    /// # Errors
    ///
    /// [`Locked`](LogErrorKind::Locked) if it is open already, [`Corrupt`](LogErrorKind::Corrupt)
    /// if it is damaged or something else, [`NewerFormat`](LogErrorKind::NewerFormat) if a newer
    /// version wrote it, and [`Storage`](LogErrorKind::Storage) if it cannot be read or written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LogError> {
        Self::start(file::open(path.as_ref())?)
    }

    fn start(database: Database) -> Result<Self, LogError> {
        let state = tables::prepare(&database)?;
        let epoch = state.position.epoch;
        let database = Arc::new(database);
        let readers = Arc::<Mutex<Readers>>::default();
        let writer = Writer::start(database.clone(), state, readers.clone())?;
        Ok(Self {
            database,
            epoch,
            readers,
            writer: Arc::new(writer),
            ceiling: Arc::new(AtomicUsize::new(usize::MAX)),
        })
    }

    /// So many selectors at the most can have a record: an append that would add another is
    /// refused with [`LogErrorKind::Full`], and others of the same commit are not. There is no
    /// ceiling unless this is called. It holds for every clone.
    ///
    /// **Nothing is forgotten before it expires**, and what has expired makes room only when it is
    /// [swept](Self::sweep). A record about a selector that has one already always goes in, and a
    /// file that has more than this is not cut.
    #[must_use]
    pub fn ceiling(self, records: usize) -> Self {
        self.ceiling.store(records, Relaxed);
        self
    }

    /// Waits until everything that has been queued is on the disk.
    ///
    /// # Errors
    ///
    /// If it could not be written.
    pub async fn drain(&self) -> Result<(), LogError> {
        self.write(|_| Ok(())).await
    }

    /// Forgets the records that have expired, and those that later ones have overtaken. Answers how
    /// many have gone. A reader that is further behind than the last of them has to take a
    /// snapshot.
    ///
    /// It goes step by step, so that appends pass between. Call it now and then, aside of requests.
    ///
    /// # Errors
    ///
    /// If it could not be written.
    pub async fn sweep(&self) -> Result<u64, LogError> {
        let (mut forgotten, mut from) = (0, Some(0));
        while let Some(start) = from {
            let step = self
                .write(move |work| work.sweep(start, NumericDate::now()))
                .await?;
            forgotten += step.removed;
            from = step.next;
        }
        Ok(forgotten)
    }

    /// Takes part in a commit. See [`Writer::write`].
    pub(crate) fn write<T, F>(
        &self,
        job: F,
    ) -> impl Future<Output = Result<T, LogError>> + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce(&mut Work<'_>) -> Result<T, Fault> + Send + 'static,
    {
        self.writer.write(job)
    }

    /// For tables beside the log's own.
    #[cfg(any(feature = "issued", feature = "jwt"))]
    pub(crate) fn database(&self) -> &Database {
        &self.database
    }
}

impl RevocationLog for EmbeddedLog {
    fn append(
        &self,
        batch: Vec<Revocation>,
    ) -> impl Future<Output = Result<Position, LogError>> + Send {
        // Queued here and now, and not when the future is polled: whoever drops it has appended.
        let ceiling = self.ceiling.clone();
        self.write(move |work| Ok(work.append(&batch, ceiling.load(Relaxed))?.position))
    }

    fn append_at_most(
        &self,
        new: usize,
        batch: Vec<Revocation>,
    ) -> impl Future<Output = Result<Option<Appended>, LogError>> + Send {
        let ceiling = self.ceiling.clone();
        self.write(move |work| {
            if !work.is_enough(new, &batch) {
                return Ok(None);
            }
            work.append(&batch, ceiling.load(Relaxed)).map(Some)
        })
    }

    async fn snapshot(&self) -> Result<Snapshot, LogError> {
        Ok(tables::snapshot(&self.database, self.epoch)?)
    }

    async fn tail(&self, after: Position, reader: Weak<dyn Reader>) -> Result<(), LogError> {
        if after.epoch != self.epoch {
            return Err(LogError::new(LogErrorKind::Gap));
        }
        let (database, readers) = (self.database.clone(), self.readers.clone());
        // Between two commits, so that nothing is missed and nothing is out of order.
        let joined = self.write(move |work| {
            let missed = match tables::after(&database, after) {
                Ok(missed) => missed,
                Err(fault) => return Ok(Err(LogError::from(fault))),
            };
            if let Some(reader) = reader.upgrade() {
                reader.read(work.committed(), &missed);
            }
            readers
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .add(reader);
            Ok(Ok(()))
        });
        joined.await?
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
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}
