//! Metrics of the cache. Without the feature `metrics` they do nothing.

#[cfg(feature = "metrics")]
use std::sync::atomic::{AtomicUsize, Ordering};

/// The entries of all caches of this process, and their bytes.
#[cfg(feature = "metrics")]
static ENTRIES: AtomicUsize = AtomicUsize::new(0);
#[cfg(feature = "metrics")]
static BYTES: AtomicUsize = AtomicUsize::new(0);

/// The result of a lookup in the cache.
#[derive(Clone, Copy, Debug)]
pub(super) enum LookupResult {
    Hit,
    /// The signature was verified.
    Miss,
}

/// Counts a lookup in the cache.
pub(super) fn looked_up(result: LookupResult) {
    #[cfg(feature = "metrics")]
    {
        // A literal label allocates nothing.
        macro_rules! count {
            ($result:literal) => {
                metrics::counter!(
                    "tower_revocation_jwt_cache_lookups_total",
                    "result" => $result
                )
                .increment(1)
            };
        }
        match result {
            LookupResult::Hit => count!("hit"),
            LookupResult::Miss => count!("miss"),
        }
    }
    #[cfg(not(feature = "metrics"))]
    let _ = result;
}

/// Sets the gauges, after an entry was added.
pub(super) fn cached() {
    #[cfg(feature = "metrics")]
    {
        let load = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        let value = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        metrics::gauge!("tower_revocation_jwt_cache_entries").set(value(load(&ENTRIES)));
        // Whole KiB, because there may be more bytes than a `u32` can count.
        let bytes = value(load(&BYTES).div_ceil(1024)) * 1024.0;
        metrics::gauge!("tower_revocation_jwt_cache_bytes").set(bytes);
    }
}

/// Counts an entry for as long as it exists.
pub(super) struct Counted {
    #[cfg(feature = "metrics")]
    bytes: usize,
}

#[cfg(feature = "metrics")]
impl Counted {
    pub(super) fn new(bytes: usize) -> Self {
        ENTRIES.fetch_add(1, Ordering::Relaxed);
        BYTES.fetch_add(bytes, Ordering::Relaxed);
        Self { bytes }
    }
}

#[cfg(feature = "metrics")]
impl Drop for Counted {
    fn drop(&mut self) {
        ENTRIES.fetch_sub(1, Ordering::Relaxed);
        BYTES.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(not(feature = "metrics"))]
impl Counted {
    pub(super) fn new(_: usize) -> Self {
        Self {}
    }
}
