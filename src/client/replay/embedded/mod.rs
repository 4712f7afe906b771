//! A guard in the file of a log.

mod tables;

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::future::BoxFuture;
use tower::BoxError;

use super::{Attempt, EXPIRED_PER_USE, Limits, Once, ReplayGuard, end, present};
use crate::log::{EmbeddedLog, Fault, LogError, Selector, Work};
use tables::{Entry, Keyed, Tables};

/// The default, as in an authenticator.
const MAX_LIFETIME: Duration = Duration::from_secs(60 * 60);
/// An entry expires this much later than its lifetime: twice the largest clock skew of an
/// authenticator, and the second of the restore.
const SKEW: Duration = Duration::from_secs(2 * 60 + 1);

/// How many entries one step of a sweep forgets.
const SWEEP_STEP: usize = 1024;

/// Remembers used identifiers in the file of a log. A restart or a crash does not forget them.
///
/// It returns after the entry is durable. It takes part in the commits of the log, so many requests
/// share one `fsync`. Clones, and guards that are opened on clones of the log, are the same guard.
///
/// It holds at most 1 000 000 entries by default, of about 400 bytes in the file each. By default
/// one client may have a tenth of them: see [`quota`](Self::quota). Beyond it, only this client
/// gets 503.
///
/// Each use removes a few expired entries. If the guard is full of entries that have not expired,
/// it refuses new ones instead of forgetting old ones, and the endpoint returns 503. It never
/// accepts an identifier again that it has forgotten, even if the clock goes back.
///
/// After [`EmbeddedLog::restore`], it does not know what was used since the backup. It refuses
/// everything that may have been used, with 503, for the lifetime of an assertion: see
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
    limits: Limits,
    max_lifetime: Duration,
}

impl EmbeddedGuard {
    /// Keeps the entries in the file of this log.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read, or if it has other tables with the same names.
    pub fn open(log: EmbeddedLog) -> Result<Self, LogError> {
        log.read(tables::check)?;
        Ok(Self {
            log,
            limits: Limits::new(1_000_000),
            max_lifetime: MAX_LIFETIME,
        })
    }

    /// Sets how many entries the guard may have: as many as your clients send assertions within the
    /// longest lifetime of an assertion. Defaults to 1 000 000.
    ///
    /// # Panics
    ///
    /// Panics if it is zero, because nothing could be used.
    #[must_use]
    pub fn capacity(mut self, capacity: u64) -> Self {
        self.limits.capacity = Limits::new(capacity).capacity;
        self
    }

    /// Sets how many entries one client may have. Defaults to a tenth of the capacity, or 16 in a
    /// guard with fewer than 160 entries.
    ///
    /// It is the number of assertions that your busiest client sends within the longest lifetime of
    /// an assertion. All instances of an attested client share one quota.
    ///
    /// # Panics
    ///
    /// Panics if it is zero, because nothing could be used.
    #[must_use]
    pub fn quota(mut self, entries: u64) -> Self {
        self.limits = self.limits.with_quota(entries);
        self
    }

    /// Sets the longest lifetime of an assertion: the largest
    /// [`max_lifetime`](crate::client::assertion::Assertions::max_lifetime) of the authenticators
    /// that share the guard. Defaults to 1 h, as in an authenticator.
    ///
    /// For this long after the log was [restored](EmbeddedLog::restore), and two minutes more for
    /// clocks that differ, the guard refuses with 503 every identifier that expires within that
    /// time, unless it knows that it was used. **If an assertion lives longer than this, it can be
    /// used twice.**
    #[must_use]
    pub fn max_lifetime(mut self, lifetime: Duration) -> Self {
        self.max_lifetime = lifetime;
        self
    }

    /// Forgets all expired entries, and returns their number.
    ///
    /// It works in small steps, so that requests can run in between. New entries also remove
    /// expired ones: call this only if there may be no new entries for a long time.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be written.
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
    /// Dropping the future cancels nothing: the identifier is used up, or the use was never queued.
    fn use_up(&self, once: Once, until: SystemTime) -> BoxFuture<'_, Result<bool, BoxError>> {
        let (end, limits, max_lifetime) = (end(until), self.limits, self.max_lifetime);
        let client = Selector::client(&URL_SAFE_NO_PAD.encode(once.client()));
        let attempt = self.log.write_for(client, move |work| {
            // Read the clock on the writer thread, so that no other request has dropped
            // entries by a later time.
            let now = present(SystemTime::now());
            use_up(work, once, end, now, limits, max_lifetime)
        });
        Box::pin(async move { attempt.await?.into_result() })
    }
}

impl fmt::Debug for EmbeddedGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedGuard")
            .field("log", &self.log)
            .field("capacity", &self.limits.capacity)
            .field("quota", &self.limits.quota())
            .field("max_lifetime", &self.max_lifetime)
            .finish()
    }
}

pub(super) fn use_up(
    work: &mut Work<'_>,
    once: Once,
    end: u64,
    now: u64,
    limits: Limits,
    max_lifetime: Duration,
) -> Result<Attempt, Fault> {
    let restored = work.restored()?;
    let once = Keyed::new(work.key(), once);
    let mut tables = Tables::open(work.transaction)?;
    work.dirty |= tables.forget(now, EXPIRED_PER_USE)? > 0;
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
            work.dirty |= tables.forget_of(once, now, limits.quota())?;
            if tables.held(once)? >= limits.quota() {
                return Ok(Attempt::FullQuota);
            }
            if tables.len()? >= limits.capacity {
                return Ok(Attempt::Full);
            }
        }
    }
    tables.insert(Entry::new(end, once))?;
    work.dirty = true;
    Ok(Attempt::Fresh)
}

/// Forgets the next expired entries, and returns their number.
pub(super) fn forget(work: &mut Work<'_>, now: u64, limit: usize) -> Result<usize, Fault> {
    let forgotten = Tables::open(work.transaction)?.forget(now, limit)?;
    work.dirty |= forgotten > 0;
    Ok(forgotten)
}
