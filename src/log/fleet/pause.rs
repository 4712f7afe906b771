//! How long is the pause after a failure?

use std::time::Duration;

/// The longest pause after the first failure. It doubles with each further failure.
const FIRST: Duration = Duration::from_millis(100);

/// The longest pause after `failures` failures before this one. The pause is of random length, the
/// first time too: all nodes lose a server together, and must not come back together.
pub(super) fn longest(failures: u32, limit: Duration) -> Duration {
    let factor = 1_u32.checked_shl(failures).unwrap_or(u32::MAX);
    FIRST.saturating_mul(factor).min(limit)
}

/// Returns a pause for a connection.
#[cfg(any(feature = "postgres", feature = "redis"))]
pub(super) fn random(failures: u32, limit: Duration) -> Duration {
    let longest = longest(failures, limit).as_millis().max(1);
    let random = getrandom::u64().unwrap_or(0);
    Duration::from_millis(random % u64::try_from(longest).unwrap_or(u64::MAX))
}
