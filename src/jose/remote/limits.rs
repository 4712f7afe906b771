//! Times and counts that the cache of remote keys keeps to.

use std::time::Duration;

use tokio::time::Instant;

/// See [`RemoteKeysBuilder`](super::RemoteKeysBuilder), which documents each of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) cool_down: Duration,
    pub(super) min_lifetime: Duration,
    pub(super) max_lifetime: Duration,
    /// For a response without `Cache-Control`.
    pub(super) default_lifetime: Duration,
    pub(super) stale: Duration,
    /// How many URIs are cached.
    pub(super) capacity: usize,
    /// For each client and cool-down.
    pub(super) fetches_per_client: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cool_down: Duration::from_secs(60),
            min_lifetime: Duration::from_secs(60),
            max_lifetime: Duration::from_secs(24 * 60 * 60),
            default_lifetime: Duration::from_secs(60 * 60),
            stale: Duration::from_secs(24 * 60 * 60),
            capacity: 10_000,
            fetches_per_client: 3,
        }
    }
}

/// Adds a duration that may be `Duration::MAX`, which means without a limit and overflows an
/// [`Instant`].
pub(super) fn after(instant: Instant, duration: Duration) -> Instant {
    const LONGEST: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);
    instant + duration.min(LONGEST)
}
