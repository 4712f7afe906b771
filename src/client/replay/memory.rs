//! In the memory of one process.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use futures::future::BoxFuture;
use tower::BoxError;

use super::{Attempt, Client, FORGOTTEN_BY_THE_WAY, Once, ReplayGuard, Room, end, present};

/// Remembers in the memory of this process. **A restart forgets**, and what was used before it can
/// be used once more until it expires.
///
/// It is bounded: an entry takes some 270 bytes, so that the default of 100 000 entries is some 27
/// MB. Entries that are over are forgotten as it goes, a few at a time. When it is full of entries
/// that are not, it refuses to take more rather than forget one of them: the endpoint answers 503.
/// So the capacity is the number of assertions that your clients send within the longest lifetime
/// of one. Only verified assertions get as far as this. One client may have a tenth of the entries,
/// unless [`quota`](Self::quota) says otherwise; beyond it that client alone is answered 503.
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
    room: Room,
    used: Mutex<Used>,
}

/// Trees, so that no request ever waits while a table grows, and so that they shrink.
#[derive(Default)]
pub(super) struct Used {
    ends: BTreeMap<Once, u64>,
    by_end: BTreeSet<(u64, Once)>,
    /// The same of each client.
    held: BTreeMap<Client, BTreeSet<(u64, Once)>>,
    /// The latest end of any that has been forgotten.
    forgotten: u64,
}

impl MemoryGuard {
    /// Room for so many entries.
    ///
    /// # Panics
    ///
    /// If it is zero: nothing could ever be used.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            room: Room::new(capacity as u64),
            used: Mutex::default(),
        }
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
    pub fn quota(mut self, entries: usize) -> Self {
        self.room = self.room.with_quota(entries as u64);
        self
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        // Nothing in it can panic half-way.
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Used {
    pub(super) fn use_up(&mut self, once: Once, end: u64, now: u64, room: Room) -> Attempt {
        for _ in 0..FORGOTTEN_BY_THE_WAY {
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
            None if self.is_full_for(once, now, room.quota()) => return Attempt::FullQuota,
            None if self.ends.len() as u64 >= room.capacity => return Attempt::Full,
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

    /// Whether the client has its quota. What is over does not count, and is forgotten.
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

    /// Forgets an entry if it is over.
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

/// Room for 100 000 entries.
impl Default for MemoryGuard {
    fn default() -> Self {
        Self::new(100_000)
    }
}

impl ReplayGuard for MemoryGuard {
    fn use_up(&self, once: Once, until: SystemTime) -> BoxFuture<'_, Result<bool, BoxError>> {
        Box::pin(async move {
            let mut used = self.used();
            // Under the lock, so that no one else has forgotten by a later clock.
            let now = present(SystemTime::now());
            used.use_up(once, end(until), now, self.room).answer()
        })
    }
}

impl fmt::Debug for MemoryGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryGuard")
            .field("capacity", &self.room.capacity)
            .field("quota", &self.room.quota())
            .field("used", &self.used().ends.len())
            .finish()
    }
}
