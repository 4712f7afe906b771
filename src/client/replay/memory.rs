//! A guard in the memory of one process.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use futures::future::BoxFuture;
use tower::BoxError;

use super::{Attempt, ClientDigest, EXPIRED_PER_USE, Limits, Once, ReplayGuard, end, present};

/// Remembers used identifiers in the memory of this process. **A restart forgets them**: an
/// assertion that was used before can then be used once more until it expires.
///
/// It holds at most 100 000 entries by default. An entry takes about 270 bytes, so this is about 27
/// MB. Each use removes a few expired entries. If the guard is full of entries that have not
/// expired, it refuses new ones instead of forgetting old ones, and the endpoint returns 503. So
/// the capacity is the number of assertions that your clients send within the longest lifetime of
/// an assertion. Only verified assertions count.
///
/// By default one client may have a tenth of the entries: see [`quota`](Self::quota). Beyond it,
/// only this client gets 503.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tower_revocation::client::replay::{MemoryGuard, Once, ReplayGuard};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tower::BoxError> {
/// let guard = MemoryGuard::default();
/// let once = Once::new("https://as.example.com", "s6BhdRkqt3", "u1");
/// let until = SystemTime::now() + Duration::from_secs(60);
/// assert!(guard.use_up(once, until).await?);
/// assert!(!guard.use_up(once, until).await?);
/// # Ok(())
/// # }
/// ```
pub struct MemoryGuard {
    limits: Limits,
    used: Mutex<Used>,
}

/// Trees, because no request waits while they grow, and because they shrink.
#[derive(Default)]
pub(super) struct Used {
    ends: BTreeMap<Once, u64>,
    by_end: BTreeSet<(u64, Once)>,
    /// The entries of each client.
    held: BTreeMap<ClientDigest, BTreeSet<(u64, Once)>>,
    /// The latest end of all forgotten entries.
    forgotten: u64,
}

impl MemoryGuard {
    /// Creates a guard with room for this many entries.
    ///
    /// # Panics
    ///
    /// Panics if it is zero, because nothing could be used.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            limits: Limits::new(capacity as u64),
            used: Mutex::default(),
        }
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
    pub fn quota(mut self, entries: usize) -> Self {
        self.limits = self.limits.with_quota(entries as u64);
        self
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        // No code panics while it holds the lock.
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Used {
    pub(super) fn use_up(&mut self, once: Once, end: u64, now: u64, limits: Limits) -> Attempt {
        for _ in 0..EXPIRED_PER_USE {
            let first = self.by_end.first().copied();
            if !self.forget(first, now) {
                break;
            }
        }
        if end <= now {
            return Attempt::Used;
        }
        if end <= self.forgotten {
            return Attempt::ClockWentBack;
        }
        match self.ends.get(&once).copied() {
            Some(known) if known > now => return Attempt::Used,
            Some(known) => self.remove(known, once),
            None if self.is_full_for(once, now, limits.quota()) => return Attempt::FullQuota,
            None if self.ends.len() as u64 >= limits.capacity => return Attempt::Full,
            None => {}
        }
        self.ends.insert(once, end);
        self.by_end.insert((end, once));
        self.held
            .entry(once.client)
            .or_default()
            .insert((end, once));
        Attempt::Fresh
    }

    /// Whether the client has used up its quota. Expired entries are forgotten, and do not count.
    fn is_full_for(&mut self, once: Once, now: u64, quota: u64) -> bool {
        while let Some(held) = self.held.get(&once.client) {
            if (held.len() as u64) < quota {
                return false;
            }
            let first = held.first().copied();
            if !self.forget(first, now) {
                return true;
            }
        }
        false
    }

    /// Forgets the entry if it has expired.
    fn forget(&mut self, entry: Option<(u64, Once)>, now: u64) -> bool {
        let Some((end, once)) = entry.filter(|(end, _)| *end <= now) else {
            return false;
        };
        self.remove(end, once);
        self.forgotten = self.forgotten.max(end);
        true
    }

    fn remove(&mut self, end: u64, once: Once) {
        self.ends.remove(&once);
        self.by_end.remove(&(end, once));
        if let Some(held) = self.held.get_mut(&once.client) {
            held.remove(&(end, once));
            if held.is_empty() {
                self.held.remove(&once.client);
            }
        }
    }

    #[cfg(test)]
    pub(super) fn clients(&self) -> usize {
        self.held.len()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> (usize, usize) {
        (self.ends.len(), self.by_end.len())
    }
}

/// Limits for 100 000 entries.
impl Default for MemoryGuard {
    fn default() -> Self {
        Self::new(100_000)
    }
}

impl ReplayGuard for MemoryGuard {
    fn use_up(&self, once: Once, until: SystemTime) -> BoxFuture<'_, Result<bool, BoxError>> {
        Box::pin(async move {
            let mut used = self.used();
            // Read the clock under the lock, so that no other request has dropped entries by a
            // later time.
            let now = present(SystemTime::now());
            used.use_up(once, end(until), now, self.limits)
                .into_result()
        })
    }
}

impl fmt::Debug for MemoryGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryGuard")
            .field("capacity", &self.limits.capacity)
            .field("quota", &self.limits.quota())
            .field("used", &self.used().ends.len())
            .finish()
    }
}
