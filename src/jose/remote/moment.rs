//! When was a request sent, by the clock that dates tokens?

use std::time::{Instant, SystemTime};

use crate::log::NumericDate;

/// A moment by two clocks: one that can be set, and one that cannot.
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

    /// The moment as a token would date it. If the clock has been set since then, this is the
    /// earlier of both readings, so that no key set passes for newer than it is.
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
    fn clock_that_was_set_makes_nothing_newer() {
        let hour = Duration::from_secs(3600);
        let steady = Instant::now();
        let now = NumericDate::now();
        // It was an hour ahead then, and is right now.
        let ahead = SystemTime::now() + hour;
        assert!(
            Moment {
                wall: ahead,
                steady
            }
            .date()
                <= now
        );
        // It was an hour behind.
        let behind = Moment {
            wall: SystemTime::now() - hour,
            steady,
        };
        assert!(behind.date() + hour <= now);
    }
}
