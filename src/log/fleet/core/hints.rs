//! When does a hint lead to a poll?

use std::time::Duration;

use super::{super::super::Moment, timer::Timer};

/// After this many false hints in a row, the next one has to wait. One false hint is usual: it comes
/// during a poll, and is about the records that the poll reads.
const FREE: u32 = 3;
/// The first wait. It doubles with each false hint.
const FIRST_WAIT: Duration = Duration::from_millis(1);
const LONGEST_WAIT: Duration = Duration::from_millis(100);
/// The longest pause after a true hint. A relay answers late because it waits for news.
const LONGEST_PAUSE: Duration = Duration::from_millis(5);

/// The hints that there may be new records.
///
/// Anybody who may connect to an engine can send hints. So false ones become rare polls. A true one
/// leads to a poll at once, but not while others append so much that a node would do nothing but poll:
/// after a poll that has found something, the next hint waits for as long as the poll has taken, and
/// at most 5 ms.
#[derive(Clone, Debug, Default)]
pub(super) struct Hints {
    /// A hint has come since the last poll was sent.
    heard: bool,
    /// Whether the last poll was sent because of a hint.
    asked: bool,
    /// How many hints in a row were false.
    lies: u32,
    wait: Option<Timer>,
}

impl Hints {
    pub(super) fn hear(&mut self) {
        self.heard = true;
    }

    /// A poll is sent, for whatever reason.
    pub(super) fn ask(&mut self) {
        self.asked = std::mem::take(&mut self.heard);
    }

    /// A poll was answered, which has taken this time.
    pub(super) fn answered(&mut self, now: Moment, took: Duration, nothing_new: bool) {
        if !nothing_new {
            self.lies = 0;
            self.wait = Some(Timer::new(now, took.min(LONGEST_PAUSE)));
        } else if std::mem::take(&mut self.asked) {
            self.lies = self.lies.saturating_add(1);
            let doublings = self.lies.checked_sub(FREE);
            self.wait = doublings.map(|doublings| {
                let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
                Timer::new(now, FIRST_WAIT.saturating_mul(factor).min(LONGEST_WAIT))
            });
        }
    }

    /// The time until a poll because of a hint. `None` if there was no hint.
    pub(super) fn wait(&self, now: Moment) -> Option<Duration> {
        let wait = self.wait.map_or(Duration::ZERO, |wait| wait.left(now));
        self.heard.then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hint, and the poll to which it leads. Returns how long the hint had to wait.
    fn poll(hints: &mut Hints, now: &mut Moment, nothing_new: bool) -> Duration {
        hints.hear();
        let wait = hints.wait(*now).expect("there was a hint");
        *now = *now + wait;
        assert_eq!(hints.wait(*now), Some(Duration::ZERO));
        hints.ask();
        assert_eq!(hints.wait(*now), None);
        hints.answered(*now, Duration::ZERO, nothing_new);
        wait
    }

    #[test]
    fn false_hints_wait_longer_and_longer_and_a_true_one_ends_that() {
        let (mut hints, mut now) = (Hints::default(), Moment::now());
        let waits: Vec<_> = (0..12)
            .map(|_| poll(&mut hints, &mut now, true).as_millis())
            .collect();
        assert_eq!(waits, [0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 100, 100]);
        assert_eq!(poll(&mut hints, &mut now, false).as_millis(), 100);
        for _ in 0..100 {
            assert_eq!(poll(&mut hints, &mut now, false), Duration::ZERO);
            assert_eq!(poll(&mut hints, &mut now, true), Duration::ZERO);
        }
    }

    #[test]
    fn hints_leave_as_much_time_between_polls_as_a_short_poll_takes() {
        let (mut hints, mut now) = (Hints::default(), Moment::now());
        let took = Duration::from_millis(3);
        for _ in 0..10 {
            hints.hear();
            hints.ask();
            now = now + took;
            hints.answered(now, took, false);
            hints.hear();
            assert_eq!(hints.wait(now), Some(took));
            now = now + took;
            assert_eq!(hints.wait(now), Some(Duration::ZERO));
        }
        // However slow the engine is.
        hints.answered(now, Duration::from_secs(1), false);
        assert_eq!(hints.wait(now), Some(LONGEST_PAUSE));
    }

    #[test]
    fn polls_without_a_hint_say_nothing_about_hints() {
        let (mut hints, now) = (Hints::default(), Moment::now());
        for _ in 0..10 {
            hints.ask();
            hints.answered(now, Duration::ZERO, true);
        }
        hints.hear();
        assert_eq!(hints.wait(now), Some(Duration::ZERO));
    }
}
