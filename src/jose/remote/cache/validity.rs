//! Whether a fetched set of keys is still the current one, readable without a lock.

#[cfg(all(test, loom))]
use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering};
#[cfg(not(all(test, loom)))]
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::time::Instant;

/// The identity of the keys of a source, from the fetch that brought them to one that brings other
/// keys. A fetch that brings the same keys prolongs it.
///
/// It replaces a [lookup](super::Cache::lookup), which takes two locks that all readers share.
/// While it [is fresh](Self::is_fresh), a lookup without a `kid` returns these keys. `ended` is
/// only ever set, and [`is_fresh`](Self::is_fresh) reads it last. So the keys were still current
/// when `fresh_until` was read.
///
/// A removed entry that fetches the same keys prolongs an ended validity. By `Release` and
/// `Acquire`, a reader that sees the new `fresh_until` also sees the end.
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

/// What readers see if loads may return old values. See `enforce::table::weak_memory`.
#[cfg(all(test, loom))]
mod weak_memory {
    use std::time::Duration;

    use loom::{model, sync::Arc, thread};

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    /// The entry is removed while its keys are being fetched, and the fetch brings the same keys.
    #[test]
    fn keys_that_are_prolonged_after_their_end_are_never_fresh() {
        model(|| {
            let begun = Instant::now();
            let validity = Arc::new(Validity::until(begun + MINUTE));
            let cache = thread::spawn({
                let validity = validity.clone();
                move || {
                    validity.end();
                    validity.prolong(begun + 3 * MINUTE);
                }
            });
            // A fetch has been due for a minute.
            assert!(!validity.is_fresh(begun + 2 * MINUTE));
            cache.join().unwrap();
            assert!(!validity.take_used(), "not a use");
        });
    }
}
