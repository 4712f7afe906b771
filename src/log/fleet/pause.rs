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

/// The pauses of a connection that is made again and again.
#[cfg(any(feature = "postgres", feature = "redis"))]
pub(super) struct Pauses {
    limit: Duration,
    failures: u32,
}

#[cfg(any(feature = "postgres", feature = "redis"))]
impl Pauses {
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, failures: 0 }
    }

    /// The connection has ended, or could not be made. One that is accepted and ends before it was of
    /// use is a failure, too.
    pub(super) async fn after(&mut self, was_of_use: bool) {
        if was_of_use {
            self.failures = 0;
        }
        tokio::time::sleep(random(self.failures, self.limit)).await;
        self.failures = self.failures.saturating_add(1);
    }
}

/// Returns a pause for a connection.
#[cfg(any(feature = "postgres", feature = "redis"))]
fn random(failures: u32, limit: Duration) -> Duration {
    let longest = longest(failures, limit).as_millis().max(1);
    let random = getrandom::u64().unwrap_or(0);
    Duration::from_millis(random % u64::try_from(longest).unwrap_or(u64::MAX))
}

#[cfg(all(test, any(feature = "postgres", feature = "redis")))]
mod tests {
    use super::*;

    /// How many attempts there are in an hour, if every nth one is of use.
    async fn attempts(useful: u32) -> u32 {
        let (begin, mut attempts) = (tokio::time::Instant::now(), 0);
        let mut pauses = Pauses::new(Duration::from_secs(5));
        while begin.elapsed() < Duration::from_secs(3600) {
            attempts += 1;
            pauses.after(attempts % useful == 0).await;
        }
        attempts
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_until_a_connection_is_of_use() {
        // 2.5 s on average, and 0.05 s.
        let (none, all) = (attempts(u32::MAX).await, attempts(1).await);
        assert!((1000..2500).contains(&none), "{none}");
        assert!(all > 50_000, "{all}");
    }
}
