//! Metrics and events of the cache. Without the features `metrics` and `tracing` they do nothing.

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

/// Reports that there is no cache, because the operating system has no random numbers.
pub(super) fn no_cache(error: getrandom::Error) {
    #[cfg(feature = "tracing")]
    tracing::warn!(
        target: crate::observe::TARGET,
        cause = %error,
        "no random numbers, verified tokens are not cached"
    );
    #[cfg(not(feature = "tracing"))]
    let _ = error;
}

/// Counts an entry in the gauges for as long as it exists.
///
/// It has the gauges, so that what it adds to them is subtracted from the same ones.
#[cfg(feature = "metrics")]
pub(super) struct Counted {
    entries: metrics::Gauge,
    bytes: metrics::Gauge,
    size: f64,
}

#[cfg(feature = "metrics")]
impl Counted {
    pub(super) fn new(bytes: usize) -> Self {
        let new = Self {
            entries: metrics::gauge!("tower_revocation_jwt_cache_entries"),
            bytes: metrics::gauge!("tower_revocation_jwt_cache_bytes"),
            size: f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)),
        };
        new.entries.increment(1.0);
        new.bytes.increment(new.size);
        new
    }
}

#[cfg(feature = "metrics")]
impl Drop for Counted {
    fn drop(&mut self) {
        self.entries.decrement(1.0);
        self.bytes.decrement(self.size);
    }
}

/// Without the feature, nothing is counted.
#[cfg(not(feature = "metrics"))]
pub(super) struct Counted;

#[cfg(not(feature = "metrics"))]
impl Counted {
    pub(super) fn new(_: usize) -> Self {
        Self
    }
}
