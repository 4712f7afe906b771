//! When is something due?

use std::time::Duration;

use super::super::super::Moment;

/// Ends some time after it was set, by the clock that counts more time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timer {
    set: Moment,
    time: Duration,
}

impl Timer {
    pub(super) fn new(set: Moment, time: Duration) -> Self {
        Self { set, time }
    }

    /// How much time is left.
    pub(super) fn left(self, now: Moment) -> Duration {
        self.time.saturating_sub(now.since(self.set))
    }
}
