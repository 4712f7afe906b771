//! In the memory of one process.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use futures::future::BoxFuture;
use tower::BoxError;

use super::{Attempt, FORGOTTEN_BY_THE_WAY, Once, ReplayGuard, end, present};

/// Remembers in the memory of this process. **A restart forgets**, and what was used before it can
/// be used once more until it expires.
///
/// It is bounded: an entry takes 100 to 150 octets, so that the default of 100 000 entries is some
/// 15 MB. Entries that are over are forgotten as it goes, a few at a time. When it is full of
/// entries that are not, it refuses to take more rather than forget one of them: the endpoint
/// answers 503. So the capacity is the number of assertions that your clients send within the
/// longest lifetime of one. Only verified assertions get as far as this.
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
    capacity: usize,
    used: Mutex<Used>,
}

/// Trees, so that no request ever waits while a table grows, and so that they shrink.
#[derive(Default)]
pub(super) struct Used {
    ends: BTreeMap<Once, u64>,
    by_end: BTreeSet<(u64, Once)>,
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
        assert!(capacity > 0, "a guard without room admits nobody");
        Self {
            capacity,
            used: Mutex::default(),
        }
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        // Nothing in it can panic half-way.
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Used {
    pub(super) fn use_up(&mut self, once: Once, end: u64, now: u64, capacity: usize) -> Attempt {
        self.forget(now);
        if end <= now {
            return Attempt::Used;
        }
        if end <= self.forgotten {
            return Attempt::ClockWentBack;
        }
        if let Some(&known) = self.ends.get(&once) {
            if known > now {
                return Attempt::Used;
            }
            self.by_end.remove(&(known, once));
        } else if self.ends.len() >= capacity {
            return Attempt::Full;
        }
        self.ends.insert(once, end);
        self.by_end.insert((end, once));
        Attempt::Fresh
    }

    fn forget(&mut self, now: u64) {
        for _ in 0..FORGOTTEN_BY_THE_WAY {
            let Some(&(end, once)) = self.by_end.first().filter(|(end, _)| *end <= now) else {
                return;
            };
            self.by_end.pop_first();
            self.ends.remove(&once);
            self.forgotten = end;
        }
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
            used.use_up(once, end(until), now, self.capacity).answer()
        })
    }
}

impl fmt::Debug for MemoryGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryGuard")
            .field("capacity", &self.capacity)
            .field("used", &self.used().ends.len())
            .finish()
    }
}
