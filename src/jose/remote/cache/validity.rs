//! Whether a fetched set of keys is still the current one, readable without a lock.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::time::Instant;

/// The identity of the keys of a source, from the fetch that brought them to one that brings other
/// keys. A fetch that brings the same keys prolongs it.
///
/// It replaces a [lookup](super::Cache::lookup), which takes two locks that all readers share.
/// While it [is fresh](Self::is_fresh), a lookup without a `kid` returns these keys. `ended` is
/// only ever set, and [`is_fresh`](Self::is_fresh) reads it last. So the keys were still current
/// when `fresh_until` was read.
#[derive(Debug)]
pub(crate) struct Validity {
    begun: Instant,
    /// Nanoseconds after `begun`.
    fresh_until: AtomicU64,
    ended: AtomicBool,
    /// Whether the keys were used since the last [`take_used`](Self::take_used).
    used: AtomicBool,
}

impl Validity {
    pub(super) fn until(fresh_until: Instant) -> Self {
        let new = Self {
            begun: Instant::now(),
            fresh_until: AtomicU64::default(),
            ended: AtomicBool::default(),
            used: AtomicBool::default(),
        };
        new.prolong(fresh_until);
        new
    }

    /// The same keys were fetched again.
    pub(super) fn prolong(&self, fresh_until: Instant) {
        self.fresh_until
            .store(self.since_begun(fresh_until), Ordering::Release);
    }

    /// Others are now the keys of the source, or its entry is no longer cached.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Release);
    }

    /// Whether these are the current keys of the source and no fetch is due. Counts as a use of the
    /// source.
    pub(crate) fn is_fresh(&self, now: Instant) -> bool {
        let fresh = self.since_begun(now) < self.fresh_until.load(Ordering::Acquire);
        let current = fresh && !self.ended.load(Ordering::Acquire);
        // A store with every use would take the cache line from other readers.
        if current && !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
        current
    }

    pub(super) fn take_used(&self) -> bool {
        self.used.swap(false, Ordering::Relaxed)
    }

    fn since_begun(&self, instant: Instant) -> u64 {
        let nanos = instant.saturating_duration_since(self.begun).as_nanos();
        u64::try_from(nanos).unwrap_or(u64::MAX)
    }
}
