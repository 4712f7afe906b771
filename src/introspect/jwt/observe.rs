//! Metrics and events of the cache. Without the features `metrics` and `tracing` they do nothing.

#[cfg(feature = "metrics")]
use metrics::Counter;

use crate::log::NumericDate;
#[cfg(feature = "metrics")]
use crate::observe::Kept;

/// Counts lookups in the cache. A literal label allocates nothing.
#[cfg(feature = "metrics")]
macro_rules! lookups {
    ($result:literal) => {
        metrics::counter!("tower_revocation_jwt_cache_lookups_total", "result" => $result)
    };
}

/// Counts the lookups that find a token. Empty without the feature `metrics`.
#[derive(Default)]
pub(super) struct Hits(#[cfg(feature = "metrics")] Kept<Counter>);

impl Hits {
    pub(super) fn count(&self, now: NumericDate) {
        #[cfg(feature = "metrics")]
        self.0
            .record(now, || lookups!("hit"), |hits| hits.increment(1));
        #[cfg(not(feature = "metrics"))]
        let _ = (self, now);
    }
}

/// Counts a lookup that found no token, whose signature was then verified.
pub(super) fn missed() {
    #[cfg(feature = "metrics")]
    lookups!("miss").increment(1);
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
