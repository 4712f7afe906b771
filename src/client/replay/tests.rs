//! By clocks of our own, in both guards.

use std::collections::HashMap;

use futures::executor::block_on;
use proptest::{collection::vec, prelude::*};

use super::{Attempt, Once, embedded, memory::Used};
use crate::log::EmbeddedLog;

/// What is used, until when, at what time.
#[derive(Clone, Copy, Debug)]
struct Ask {
    jti: u8,
    end: u64,
    now: u64,
}

impl Ask {
    fn once(self) -> Once {
        Once::new("", "s6BhdRkqt3", &self.jti.to_string())
    }
}

fn ask(jti: u8, end: u64, now: u64) -> Ask {
    Ask { jti, end, now }
}

fn in_memory(asks: &[Ask], capacity: usize) -> Vec<Attempt> {
    let mut used = Used::default();
    let ask = |ask: &Ask| used.use_up(ask.once(), ask.end, ask.now, capacity);
    asks.iter().map(ask).collect()
}

fn embedded(asks: &[Ask], capacity: usize) -> Vec<Attempt> {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(folder.path().join("log.redb")).unwrap();
    let asks = asks.to_vec();
    let job = log.write(move |work| {
        let ask = |ask: Ask| embedded::use_up(work, ask.once(), ask.end, ask.now, capacity as u64);
        asks.into_iter().map(ask).collect()
    });
    block_on(job).unwrap()
}

type Guard = fn(&[Ask], usize) -> Vec<Attempt>;

const GUARDS: [Guard; 2] = [in_memory, embedded];

#[test]
fn what_is_over_is_forgotten_and_makes_room() {
    let asks = [ask(1, 10, 0), ask(2, 20, 0), ask(3, 20, 9), ask(3, 20, 10)];
    for guard in GUARDS {
        let attempts = guard(&asks, 2);
        let (room, none) = (Attempt::Fresh, Attempt::Full);
        assert_eq!(attempts, [room, room, none, room]);
    }
}

#[test]
fn full_guard_keeps_what_it_has() {
    let asks = [
        ask(1, 10, 0),
        ask(2, 10, 0),
        ask(3, 10, 0),
        ask(1, 10, 9),
        ask(2, 10, 9),
    ];
    for guard in GUARDS {
        let (fresh, used) = (Attempt::Fresh, Attempt::Used);
        assert_eq!(guard(&asks, 2), [fresh, fresh, Attempt::Full, used, used]);
    }
}

#[test]
fn clock_that_goes_back_reopens_nothing() {
    // The first has been forgotten by the time the clock is set back; the second has not.
    let asks = [
        ask(1, 10, 0),
        ask(2, 90, 0),
        ask(3, 90, 50),
        ask(1, 10, 5),
        ask(2, 90, 5),
    ];
    for guard in GUARDS {
        let attempts = guard(&asks, 9);
        assert_eq!(attempts[3..], [Attempt::ClockWentBack, Attempt::Used]);
    }
}

#[test]
fn memory_shrinks_when_entries_are_over() {
    let mut used = Used::default();
    for jti in 0..200 {
        used.use_up(ask(jti, 10, 0).once(), 10, 0, 1000);
    }
    for jti in 200..250 {
        used.use_up(ask(jti, 99, 10).once(), 99, 10, 1000);
    }
    assert_eq!(used.len(), (50, 50));
}

#[test]
fn sweep_goes_step_by_step_and_what_it_forgot_stays_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let log = EmbeddedLog::open(&path).unwrap();
    let job = log.write(|work| {
        for jti in 0..25 {
            embedded::use_up(work, ask(jti, 10, 0).once(), 10, 0, 99)?;
        }
        let mut forget = |now| embedded::forget(work, now, 10);
        Ok([
            forget(9)?,
            forget(10)?,
            forget(10)?,
            forget(10)?,
            forget(10)?,
        ])
    });
    assert_eq!(block_on(job).unwrap(), [0, 10, 10, 5, 0]);
    drop(log);

    // The clock is set back between two runs.
    let log = EmbeddedLog::open(&path).unwrap();
    let job = log.write(|work| embedded::use_up(work, ask(1, 10, 5).once(), 10, 5, 99));
    assert_eq!(block_on(job).unwrap(), Attempt::ClockWentBack);
}

/// What a guard without bounds on time and memory would answer.
fn model(asks: &[Ask], capacity: usize) -> Vec<Attempt> {
    let mut ends = HashMap::new();
    let answer = |ask: &Ask| {
        ends.retain(|_, end| *end > ask.now);
        if ask.end <= ask.now || ends.contains_key(&ask.jti) {
            return Attempt::Used;
        }
        if ends.len() >= capacity {
            return Attempt::Full;
        }
        ends.insert(ask.jti, ask.end);
        Attempt::Fresh
    };
    asks.iter().map(answer).collect()
}

fn asks() -> impl Strategy<Value = Vec<Ask>> {
    let ask = (0_u8..24, 0_u64..40, 0_u64..60);
    let ask = ask.prop_map(|(jti, end, now)| Ask {
        jti,
        end: now + end - end.min(5),
        now,
    });
    vec(ask, 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn guards_answer_as_one_that_looks_at_everything(mut asks in asks(), capacity in 1_usize..20) {
        asks.sort_by_key(|ask| ask.now);
        for guard in GUARDS {
            prop_assert_eq!(guard(&asks, capacity), model(&asks, capacity));
        }
    }

    #[test]
    fn whatever_the_clock_does_nothing_is_fresh_twice_with_the_same_end(asks in asks()) {
        for guard in GUARDS {
            let mut ends = HashMap::new();
            for (ask, attempt) in asks.iter().zip(guard(&asks, 20)) {
                if attempt == Attempt::Fresh {
                    let earlier = ends.insert(ask.jti, ask.end);
                    prop_assert!(earlier.is_none_or(|earlier| earlier < ask.end));
                }
            }
        }
    }
}
