//! Both guards, with the clock of the test.

mod quota;

use std::{collections::HashMap, time::Duration};

use futures::executor::block_on;
use proptest::{collection::vec, prelude::*};

use super::{Attempt, Limits, Once, embedded, memory::Used};
use crate::log::EmbeddedLog;

/// One use: the identifier and its client, its expiry, and the time.
#[derive(Clone, Copy, Debug)]
struct Ask {
    client: u8,
    jti: u8,
    end: u64,
    now: u64,
}

impl Ask {
    fn once(self) -> Once {
        Once::new("", &self.client.to_string(), &self.jti.to_string())
    }

    fn of(self, client: u8) -> Self {
        Self { client, ..self }
    }
}

fn ask(jti: u8, end: u64, now: u64) -> Ask {
    Ask {
        client: 0,
        jti,
        end,
        now,
    }
}

/// Limits for this many entries of any client.
fn limits(capacity: u64) -> Limits {
    Limits::new(capacity).with_quota(capacity + 1)
}

fn in_memory(asks: &[Ask], limits: Limits) -> Vec<Attempt> {
    let mut used = Used::default();
    let ask = |ask: &Ask| used.use_up(ask.once(), ask.end, ask.now, limits);
    asks.iter().map(ask).collect()
}

fn embedded(asks: &[Ask], limits: Limits) -> Vec<Attempt> {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(folder.path().join("log.redb")).unwrap();
    let asks = asks.to_vec();
    let job = log.write(move |work| {
        let ask =
            |ask: Ask| embedded::use_up(work, ask.once(), ask.end, ask.now, limits, Duration::ZERO);
        asks.into_iter().map(ask).collect()
    });
    block_on(job).unwrap()
}

type Guard = fn(&[Ask], Limits) -> Vec<Attempt>;

const GUARDS: [Guard; 2] = [in_memory, embedded];

#[test]
fn expired_entries_make_room() {
    let asks = [ask(1, 10, 0), ask(2, 20, 0), ask(3, 20, 9), ask(3, 20, 10)];
    for guard in GUARDS {
        let attempts = guard(&asks, limits(2));
        let (fresh, none) = (Attempt::Fresh, Attempt::Full);
        assert_eq!(attempts, [fresh, fresh, none, fresh]);
    }
}

#[test]
fn full_guard_keeps_its_entries() {
    let asks = [
        ask(1, 10, 0),
        ask(2, 10, 0),
        ask(3, 10, 0),
        ask(1, 10, 9),
        ask(2, 10, 9),
    ];
    for guard in GUARDS {
        let (fresh, used) = (Attempt::Fresh, Attempt::Used);
        let expected = [fresh, fresh, Attempt::Full, used, used];
        assert_eq!(guard(&asks, limits(2)), expected);
    }
}

#[test]
fn clock_that_goes_back_admits_nothing_again() {
    // The first was forgotten before the clock went back, the second was not.
    let asks = [
        ask(1, 10, 0),
        ask(2, 90, 0),
        ask(3, 90, 50),
        ask(1, 10, 5),
        ask(2, 90, 5),
    ];
    for guard in GUARDS {
        let attempts = guard(&asks, limits(9));
        assert_eq!(attempts[3..], [Attempt::ClockWentBack, Attempt::Used]);
    }
}

#[test]
fn memory_shrinks_when_entries_expire() {
    let mut used = Used::default();
    for jti in 0..200 {
        used.use_up(ask(jti, 10, 0).once(), 10, 0, limits(1000));
    }
    for jti in 200..250 {
        used.use_up(ask(jti, 99, 10).of(1).once(), 99, 10, limits(1000));
    }
    assert_eq!(used.len(), (50, 50));
    assert_eq!(used.clients(), 1);
}

#[test]
fn sweep_works_in_steps_and_its_entries_stay_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let log = EmbeddedLog::open(&path).unwrap();
    let job = log.write(|work| {
        for jti in 0..25 {
            embedded::use_up(
                work,
                ask(jti, 10, 0).once(),
                10,
                0,
                limits(99),
                Duration::ZERO,
            )?;
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

    // The clock goes back between two runs.
    let log = EmbeddedLog::open(&path).unwrap();
    let job = log.write(|work| {
        embedded::use_up(
            work,
            ask(1, 10, 5).once(),
            10,
            5,
            limits(99),
            Duration::ZERO,
        )
    });
    assert_eq!(block_on(job).unwrap(), Attempt::ClockWentBack);
}

/// The answers of a guard without limits on time and memory.
fn model(asks: &[Ask], limits: Limits) -> Vec<Attempt> {
    let mut ends = HashMap::new();
    let answer = |ask: &Ask| {
        ends.retain(|_, end| *end > ask.now);
        if ask.end <= ask.now || ends.contains_key(&(ask.client, ask.jti)) {
            return Attempt::Used;
        }
        let held = ends.keys().filter(|(client, _)| *client == ask.client);
        if held.count() as u64 >= limits.quota() {
            return Attempt::FullQuota;
        }
        if ends.len() as u64 >= limits.capacity {
            return Attempt::Full;
        }
        ends.insert((ask.client, ask.jti), ask.end);
        Attempt::Fresh
    };
    asks.iter().map(answer).collect()
}

fn asks() -> impl Strategy<Value = Vec<Ask>> {
    let ask = (0_u8..3, 0_u8..12, 0_u64..40, 0_u64..60);
    let ask = ask.prop_map(|(client, jti, end, now)| Ask {
        client,
        jti,
        end: now + end - end.min(5),
        now,
    });
    vec(ask, 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn guards_agree_with_a_model_without_limits(
        mut asks in asks(),
        capacity in 1_u64..20,
        quota in 1_u64..12,
    ) {
        asks.sort_by_key(|ask| ask.now);
        let limits = Limits::new(capacity).with_quota(quota);
        for guard in GUARDS {
            prop_assert_eq!(guard(&asks, limits), model(&asks, limits));
        }
    }

    #[test]
    fn nothing_is_fresh_twice_whatever_the_clock_does(asks in asks()) {
        for guard in GUARDS {
            let mut ends = HashMap::new();
            for (ask, attempt) in asks.iter().zip(guard(&asks, limits(20).with_quota(8))) {
                if attempt == Attempt::Fresh {
                    let earlier = ends.insert((ask.client, ask.jti), ask.end);
                    prop_assert!(earlier.is_none_or(|earlier| earlier < ask.end));
                }
            }
        }
    }
}

#[test]
fn identifiers_and_clients_are_not_in_the_file_as_peers_can_compute_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let log = EmbeddedLog::open(&path).unwrap();
    let once = ask(7, 2000, 1000).once();
    let job =
        log.write(move |work| embedded::use_up(work, once, 2000, 1000, limits(10), Duration::ZERO));
    assert_eq!(block_on(job).unwrap(), Attempt::Fresh);
    drop(log);
    let file = std::fs::read(path).unwrap();
    let holds = |bytes: &[u8]| file.windows(bytes.len()).any(|found| found == bytes);
    assert!(!holds(once.as_bytes()) && !holds(once.client()));
}
