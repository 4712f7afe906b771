//! When did something happen, also across a suspend?

use std::{
    ops::{Add, Sub},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A moment in this process, to measure how much time has passed since.
///
/// An [`Instant`](std::time::Instant) stops on some systems while the machine sleeps. A machine that
/// wakes would then take old knowledge for new. So a moment has two times: one of a clock that nobody
/// can set, which counts the time of a suspend on Linux, and one of the system's clock, which also
/// counts the time until a machine is restored from a snapshot. The longer time counts.
///
/// ```
/// use std::time::Duration;
/// use tower_revocation::log::Moment;
///
/// let now = Moment::now();
/// assert_eq!((now + Duration::from_secs(5)).since(now), Duration::from_secs(5));
/// assert_eq!(now.since(now + Duration::from_secs(5)), Duration::ZERO);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Moment {
    /// Since some time before this process began.
    steady: Duration,
    /// Since 1970, by the system's clock.
    wall: Duration,
}

impl Moment {
    /// Returns the current moment.
    #[must_use]
    pub fn now() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            steady: steady(),
            wall: wall.unwrap_or_default(),
        }
    }

    /// Returns how much time has passed since an earlier moment. Zero if it is not earlier.
    ///
    /// If the system's clock was set forward, that counts as time that has passed.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        let steady = self.steady.saturating_sub(earlier.steady);
        steady.max(self.wall.saturating_sub(earlier.wall))
    }

    /// The times of both clocks, in milliseconds, rounded down.
    pub(crate) fn millis(self) -> [u64; 2] {
        [self.steady, self.wall].map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    /// Returns a later moment, or the last one.
    fn add(self, time: Duration) -> Self {
        Self {
            steady: self.steady.saturating_add(time),
            wall: self.wall.saturating_add(time),
        }
    }
}

impl Sub<Duration> for Moment {
    type Output = Self;

    /// Returns an earlier moment, or the first one.
    fn sub(self, time: Duration) -> Self {
        Self {
            steady: self.steady.saturating_sub(time),
            wall: self.wall.saturating_sub(time),
        }
    }
}

#[cfg(target_os = "linux")]
fn steady() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::Boottime);
    Duration::try_from(time).unwrap_or_default()
}

#[cfg(not(target_os = "linux"))]
fn steady() -> Duration {
    use std::{sync::OnceLock, time::Instant};
    static BEGUN: OnceLock<Instant> = OnceLock::new();
    // Not zero, so that there are earlier moments.
    BEGUN.get_or_init(Instant::now).elapsed() + Duration::from_secs(24 * 60 * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longer_time_of_the_two_clocks_counts() {
        const SECOND: Duration = Duration::from_secs(1);
        let at = |steady, wall| Moment {
            steady: SECOND * steady,
            wall: SECOND * wall,
        };
        let begun = at(10, 1000);
        // The machine slept, and the steady clock did not count it.
        assert_eq!(at(11, 1600).since(begun), SECOND * 600);
        // The system's clock was set back.
        assert_eq!(at(15, 400).since(begun), SECOND * 5);
        assert_eq!(at(9, 999).since(begun), Duration::ZERO);
    }

    #[test]
    fn clock_runs() {
        let begun = Moment::now();
        while Moment::now() == begun {
            std::thread::yield_now();
        }
        assert!(Moment::now().since(begun) > Duration::ZERO);
        assert!(Moment::now().since(begun - Duration::from_secs(60)) >= Duration::from_secs(60));
    }
}
