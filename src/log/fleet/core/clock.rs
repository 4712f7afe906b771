//! How far is the clock of this node off?

use std::time::Duration;

use super::super::super::Moment;

/// How far the clock of a node is off from that of the engine, at least.
///
/// The engine's clock was read between the question and the answer. Only an offset that no delay of
/// either can explain counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClockOffset {
    pub(crate) by: Duration,
    /// Whether the node's clock is ahead of the engine's.
    pub(crate) is_ahead: bool,
}

impl ClockOffset {
    /// `engine` is the time since 1970 by the engine's clock, between two moments of the node.
    pub(super) fn between(sent: Moment, now: Moment, engine: Duration) -> Self {
        let [sent, now] = [sent, now].map(|moment| Duration::from_millis(moment.millis()[1]));
        let (ahead, behind) = (sent.saturating_sub(engine), engine.saturating_sub(now));
        Self {
            by: ahead.max(behind),
            is_ahead: ahead > behind,
        }
    }

    /// Positive if the node's clock is ahead.
    #[cfg(feature = "metrics")]
    pub(crate) fn seconds(self) -> f64 {
        let seconds = self.by.as_secs_f64();
        if self.is_ahead { seconds } else { -seconds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_no_delay_explains_is_an_offset() {
        let sent = Moment::now();
        let now = sent + Duration::from_millis(200);
        let wall = Duration::from_millis(sent.millis()[1]);
        let between = |milliseconds: i64| {
            let by = Duration::from_millis(milliseconds.unsigned_abs());
            let engine = if milliseconds < 0 {
                wall.saturating_sub(by)
            } else {
                wall + by
            };
            let offset = ClockOffset::between(sent, now, engine);
            (offset.by.as_millis(), offset.is_ahead)
        };
        for unknown in [0, 1, 100, 200] {
            assert_eq!(between(unknown), (0, false));
        }
        assert_eq!(between(-1), (1, true));
        assert_eq!(between(-30_000), (30_000, true));
        assert_eq!(between(1200), (1000, false));
    }
}
