//! In the file of a log, durable before it answers.

use std::{fmt, time::SystemTime};

use futures::future::BoxFuture;
use redb::{
    Database, ReadableDatabase as _, ReadableTable as _, ReadableTableMetadata as _,
    TableDefinition, TableError,
};
use tower::BoxError;

use super::{Attempt, FORGOTTEN_BY_THE_WAY, Once, ReplayGuard, end, present};
use crate::log::{EmbeddedLog, Fault, LogError, Work};

/// By what was used: when it is over.
const USED: TableDefinition<'_, &[u8; 32], u64> = TableDefinition::new("replay_used");
/// The same, in the order in which they are over.
const BY_END: TableDefinition<'_, (u64, &[u8; 32]), ()> = TableDefinition::new("replay_by_end");
/// `forgotten`: the latest end of any that has been forgotten.
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("replay_meta");

/// So many are forgotten in one step of a sweep.
const SWEEP_STEP: usize = 1024;

/// Remembers in the file of a log: what was used before a restart or a crash stays used.
///
/// It answers when that is on the disk, and takes part in the log's commits, so that many requests
/// share one `fsync`. Clones, and guards that are opened on clones of the log, are the same guard.
///
/// It is bounded: with the default of 1 000 000 entries, of some 170 octets in the file each.
/// Entries that are over are forgotten as it goes, a few at a time. When it is full of entries that
/// are not, it refuses to take more rather than forget one of them: the endpoint answers 503. What
/// it has forgotten it does not take again, even after the clock was set back.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tower_revocation::{
///     client::replay::{EmbeddedGuard, Once, ReplayGuard},
///     log::EmbeddedLog,
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tower::BoxError> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("revocations.redb");
/// let once = Once::new("https://as.example.com", "s6BhdRkqt3", "u1");
/// let until = SystemTime::now() + Duration::from_secs(60);
/// let guard = EmbeddedGuard::open(EmbeddedLog::open(&path)?)?;
/// assert!(guard.use_up(once, until).await?);
/// drop(guard);
///
/// let guard = EmbeddedGuard::open(EmbeddedLog::open(&path)?)?;
/// assert!(!guard.use_up(once, until).await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct EmbeddedGuard {
    log: EmbeddedLog,
    capacity: u64,
}

impl EmbeddedGuard {
    /// Keeps them in the file of this log.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or means something else by the names of these tables.
    pub fn open(log: EmbeddedLog) -> Result<Self, LogError> {
        log.read(check)?;
        Ok(Self {
            log,
            capacity: 1_000_000,
        })
    }

    /// Room for so many entries: as many assertions as your clients send within the longest
    /// lifetime of one.
    ///
    /// # Panics
    ///
    /// If it is zero: nothing could ever be used.
    #[must_use]
    pub fn capacity(mut self, capacity: u64) -> Self {
        assert!(capacity > 0, "a guard without room admits nobody");
        self.capacity = capacity;
        self
    }

    /// Forgets everything that is over, and answers how much that was.
    ///
    /// It goes step by step, so that requests pass between. What is used makes room by itself: call
    /// this where that may not be for a long time.
    ///
    /// # Errors
    ///
    /// If it could not be written.
    pub async fn sweep(&self) -> Result<u64, LogError> {
        let mut forgotten = 0;
        loop {
            let step = self
                .log
                .write(|work| forget(work, present(SystemTime::now()), SWEEP_STEP))
                .await?;
            forgotten += step as u64;
            if step < SWEEP_STEP {
                return Ok(forgotten);
            }
        }
    }
}

impl ReplayGuard for EmbeddedGuard {
    /// Dropping the future does not take it back: what was asked is used up, or was not taken in.
    fn use_up(&self, once: Once, until: SystemTime) -> BoxFuture<'_, Result<bool, BoxError>> {
        let (end, capacity) = (end(until), self.capacity);
        let attempt = self.log.write(move |work| {
            // On the one thread that writes, so that no one else has forgotten by a later clock.
            use_up(work, once, end, present(SystemTime::now()), capacity)
        });
        Box::pin(async move { attempt.await?.answer() })
    }
}

impl fmt::Debug for EmbeddedGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedGuard")
            .field("log", &self.log)
            .field("capacity", &self.capacity)
            .finish()
    }
}

/// That tables of these names, if there are any, are ours.
fn check(database: &Database) -> Result<(), Fault> {
    let transaction = database.begin_read()?;
    let missing = |error: TableError| match error {
        // The first that is used makes it.
        TableError::TableDoesNotExist(_) => Ok(()),
        error => Err(error),
    };
    transaction.open_table(USED).map(drop).or_else(missing)?;
    transaction.open_table(BY_END).map(drop).or_else(missing)?;
    transaction.open_table(META).map(drop).or_else(missing)?;
    Ok(())
}

pub(super) fn use_up(
    work: &mut Work<'_>,
    once: Once,
    end: u64,
    now: u64,
    capacity: u64,
) -> Result<Attempt, Fault> {
    forget(work, now, FORGOTTEN_BY_THE_WAY)?;
    if end <= now {
        return Ok(Attempt::Used);
    }
    if end <= forgotten(work)? {
        return Ok(Attempt::ClockWentBack);
    }
    let mut used = work.transaction.open_table(USED)?;
    let mut by_end = work.transaction.open_table(BY_END)?;
    let known = used.get(once.as_bytes())?.map(|end| end.value());
    match known {
        Some(known) if known > now => return Ok(Attempt::Used),
        Some(known) => {
            by_end.remove((known, once.as_bytes()))?;
        }
        None if used.len()? >= capacity => return Ok(Attempt::Full),
        None => {}
    }
    used.insert(once.as_bytes(), end)?;
    by_end.insert((end, once.as_bytes()), ())?;
    work.dirty = true;
    Ok(Attempt::Fresh)
}

/// Forgets the next few that are over, and answers how many they were.
pub(super) fn forget(work: &mut Work<'_>, now: u64, limit: usize) -> Result<usize, Fault> {
    let mut used = work.transaction.open_table(USED)?;
    let mut by_end = work.transaction.open_table(BY_END)?;
    let mut over = Vec::new();
    for row in by_end.iter()?.take(limit) {
        let (row, ()) = row.map(|(row, nothing)| (row, nothing.value()))?;
        let (end, once) = row.value();
        if end > now {
            break;
        }
        over.push((end, *once));
    }
    for (end, once) in &over {
        by_end.remove((*end, once))?;
        used.remove(once)?;
    }
    if let Some((end, _)) = over.last() {
        work.transaction
            .open_table(META)?
            .insert("forgotten", end)?;
        work.dirty = true;
    }
    Ok(over.len())
}

fn forgotten(work: &Work<'_>) -> Result<u64, Fault> {
    let meta = work.transaction.open_table(META)?;
    Ok(meta.get("forgotten")?.map_or(0, |end| end.value()))
}
