//! When was a request sent, by the clock that tokens are dated with?

use std::time::{Instant, SystemTime};

use crate::log::NumericDate;

/// A moment by two clocks: the wall clock, which can be set, and a monotonic one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    wall: SystemTime,
    steady: Instant,
}

impl Moment {
    pub(super) fn now() -> Self {
        Self {
            wall: SystemTime::now(),
            steady: Instant::now(),
        }
    }

    /// The moment as a date in a token. If the wall clock has been set since, this is the earlier
    /// of both readings, so that no key set appears newer than it is.
    pub(crate) fn date(self) -> NumericDate {
        let again = SystemTime::now().checked_sub(self.steady.elapsed());
        let wall = again.map_or(self.wall, |again| self.wall.min(again));
        let since = wall.duration_since(SystemTime::UNIX_EPOCH);
        NumericDate::new(since.unwrap_or_default().as_secs())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn setting_the_clock_makes_no_moment_later() {
        let hour = Duration::from_secs(3600);
        let steady = Instant::now();
        let now = NumericDate::now();
        // The clock was an hour ahead then, and is correct now.
        let ahead = SystemTime::now() + hour;
        assert!(
            Moment {
                wall: ahead,
                steady
            }
            .date()
                <= now
        );
        // The clock was an hour behind then, and is correct now.
        let behind = Moment {
            wall: SystemTime::now() - hour,
            steady,
        };
        assert!(behind.date() + hour <= now);
    }
}
