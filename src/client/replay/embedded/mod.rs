//! In the file of a log, durable before it answers.

mod tables;

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::future::BoxFuture;
use tower::BoxError;

use super::{Attempt, FORGOTTEN_BY_THE_WAY, Once, ReplayGuard, Room, end, present};
use crate::log::{EmbeddedLog, Fault, LogError, Selector, Work};
use tables::{Entry, Tables};

/// Unless it is set, as of an authenticator.
const MAX_LIFETIME: Duration = Duration::from_secs(60 * 60);
/// What is used is over this much later than its lifetime says: twice the largest skew of an
/// authenticator, and the second of the restore.
const SKEW: Duration = Duration::from_secs(2 * 60 + 1);

/// So many are forgotten in one step of a sweep.
const SWEEP_STEP: usize = 1024;

/// Remembers in the file of a log: what was used before a restart or a crash stays used.
///
/// It answers when that is on the disk, and takes part in the log's commits, so that many requests
/// share one `fsync`. Clones, and guards that are opened on clones of the log, are the same guard.
///
/// It is bounded: with the default of 1 000 000 entries, of some 400 bytes in the file each. One
/// client may have a tenth of them, unless [`quota`](Self::quota) says otherwise; beyond it that
/// client alone is answered 503.
///
/// Entries that are over are forgotten as it goes, a few at a time. When it is full of entries that
/// are not, it refuses to take more rather than forget one of them: the endpoint answers 503. What
/// it has forgotten it does not take again, even after the clock was set back.
///
/// After [`EmbeddedLog::restore`] it does not know what was used since the backup was made. It
/// refuses whatever may have been, with 503, for as long as assertions live: see
/// [`max_lifetime`](Self::max_lifetime).
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
    room: Room,
    max_lifetime: Duration,
}

impl EmbeddedGuard {
    /// Keeps them in the file of this log.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or means something else by the names of these tables.
    pub fn open(log: EmbeddedLog) -> Result<Self, LogError> {
        log.read(tables::check)?;
        Ok(Self {
            log,
            room: Room::new(1_000_000),
            max_lifetime: MAX_LIFETIME,
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
        self.room.capacity = Room::new(capacity).capacity;
        self
    }

    /// Room for so many entries of one client. Defaults to a tenth of the capacity, and in a guard
    /// for fewer than 160 entries to 16.
    ///
    /// It is the number of assertions that your busiest client sends within the longest lifetime of
    /// one. Instances of an attested client share the client's.
    ///
    /// # Panics
    ///
    /// If it is zero: nothing could ever be used.
    #[must_use]
    pub fn quota(mut self, entries: u64) -> Self {
        self.room = self.room.with_quota(entries);
        self
    }

    /// How long the longest assertion lives: the largest
    /// [`max_lifetime`](crate::client::assertion::Assertions::max_lifetime) of the authenticators
    /// that share the guard. Defaults to an hour, as theirs does.
    ///
    /// For this long after the log was [restored](EmbeddedLog::restore), and two minutes for clocks
    /// that differ, everything is refused with 503 that ends within that time and is not known to
    /// be used. **If it is shorter than an assertion lives, that assertion can be used twice.**
    #[must_use]
    pub fn max_lifetime(mut self, lifetime: Duration) -> Self {
        self.max_lifetime = lifetime;
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
        let (end, room, max_lifetime) = (end(until), self.room, self.max_lifetime);
        let client = Selector::client(&URL_SAFE_NO_PAD.encode(once.client()));
        let attempt = self.log.write_for(client, move |work| {
            // On the one thread that writes, so that no one else has forgotten by a later clock.
            let now = present(SystemTime::now());
            use_up(work, once, end, now, room, max_lifetime)
        });
        Box::pin(async move { attempt.await?.answer() })
    }
}

impl fmt::Debug for EmbeddedGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedGuard")
            .field("log", &self.log)
            .field("capacity", &self.room.capacity)
            .field("quota", &self.room.quota())
            .field("max_lifetime", &self.max_lifetime)
            .finish()
    }
}

pub(super) fn use_up(
    work: &mut Work<'_>,
    once: Once,
    end: u64,
    now: u64,
    room: Room,
    max_lifetime: Duration,
) -> Result<Attempt, Fault> {
    let restored = work.restored()?;
    let mut tables = Tables::open(work.transaction)?;
    work.dirty |= tables.forget(now, FORGOTTEN_BY_THE_WAY)? > 0;
    if end <= now {
        return Ok(Attempt::Used);
    }
    if end <= tables.forgotten()? {
        return Ok(Attempt::ClockWentBack);
    }
    match tables.end(once)? {
        Some(known) if known > now => return Ok(Attempt::Used),
        _ if restored.is_some_and(|at| end <= (at + max_lifetime + SKEW).seconds()) => {
            return Ok(Attempt::Restored);
        }
        Some(known) => tables.remove(Entry::new(known, once))?,
        None => {
            work.dirty |= tables.forget_of(once, now, room.quota())?;
            if tables.held(once)? >= room.quota() {
                return Ok(Attempt::FullQuota);
            }
            if tables.len()? >= room.capacity {
                return Ok(Attempt::Full);
            }
        }
    }
    tables.insert(Entry::new(end, once))?;
    work.dirty = true;
    Ok(Attempt::Fresh)
}

/// Forgets the next few that are over, and answers how many they were.
pub(super) fn forget(work: &mut Work<'_>, now: u64, limit: usize) -> Result<usize, Fault> {
    let forgotten = Tables::open(work.transaction)?.forget(now, limit)?;
    work.dirty |= forgotten > 0;
    Ok(forgotten)
}
