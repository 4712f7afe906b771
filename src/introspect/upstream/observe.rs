//! Metrics of the cache and of the requests. Without the feature `metrics` they do nothing.

use tokio::time::Instant;

use super::UpstreamError;
use crate::introspect::Introspected;

/// The result of a lookup in the cache.
#[derive(Clone, Copy, Debug)]
pub(super) enum LookupResult {
    Hit,
    Miss,
    /// A request about the token was already under way.
    Joined,
}

/// Counts a lookup in the cache.
pub(super) fn looked_up(result: LookupResult) {
    #[cfg(feature = "metrics")]
    {
        // A literal label allocates nothing.
        macro_rules! count {
            ($result:literal) => {
                metrics::counter!(
                    "tower_revocation_upstream_cache_lookups_total",
                    "result" => $result
                )
                .increment(1)
            };
        }
        match result {
            LookupResult::Hit => count!("hit"),
            LookupResult::Miss => count!("miss"),
            LookupResult::Joined => count!("joined"),
        }
    }
    #[cfg(not(feature = "metrics"))]
    let _ = result;
}

/// Sets the number of entries in the cache.
pub(super) fn cached(entries: usize) {
    #[cfg(feature = "metrics")]
    {
        let entries = f64::from(u32::try_from(entries).unwrap_or(u32::MAX));
        metrics::gauge!("tower_revocation_upstream_cache_entries").set(entries);
    }
    #[cfg(not(feature = "metrics"))]
    let _ = entries;
}

/// Measures one request to the other server. If it is dropped before [`stop`](Self::stop), the
/// request was abandoned by all its callers.
pub(super) struct RequestTimer {
    #[cfg(feature = "metrics")]
    started: Instant,
    #[cfg(feature = "metrics")]
    is_stopped: bool,
}

#[cfg(feature = "metrics")]
impl RequestTimer {
    pub(super) fn start(started: Instant) -> Self {
        Self {
            started,
            is_stopped: false,
        }
    }

    pub(super) fn stop(mut self, outcome: Result<&Introspected, &UpstreamError>) {
        self.is_stopped = true;
        self.record(match outcome {
            Ok(Introspected::Token(_)) => "active",
            Ok(Introspected::Unhandled { .. }) => "unhandled",
            Ok(Introspected::Unrecognised(_)) => "inactive",
            Err(error) => error.kind().as_str(),
        });
    }

    fn record(&self, result: &'static str) {
        metrics::counter!(
            "tower_revocation_upstream_introspections_total",
            "result" => result
        )
        .increment(1);
        metrics::histogram!(
            "tower_revocation_upstream_introspection_duration_seconds",
            "result" => result
        )
        .record(self.started.elapsed());
    }
}

#[cfg(feature = "metrics")]
impl Drop for RequestTimer {
    fn drop(&mut self) {
        if !self.is_stopped {
            self.record("abandoned");
        }
    }
}

#[cfg(not(feature = "metrics"))]
impl RequestTimer {
    pub(super) fn start(_: Instant) -> Self {
        Self {}
    }

    pub(super) fn stop(self, outcome: Result<&Introspected, &UpstreamError>) {
        let (Self {}, _) = (self, outcome);
    }
}
