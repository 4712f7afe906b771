//! When is something due?

use std::time::Duration;

use super::super::super::Moment;

/// The shortest time from one poll to the next while something is awaited.
const SHORTEST_GAP: Duration = Duration::from_millis(5);

/// The time from one poll to the next, if something has been awaited for a time. It grows with the
/// wait: a node that does not do at once what others wait for has ended, or cannot reach the engine.
pub(super) fn gap(age: Duration, longest: Duration) -> Duration {
    (age / 2).clamp(SHORTEST_GAP, longest.max(SHORTEST_GAP))
}

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
