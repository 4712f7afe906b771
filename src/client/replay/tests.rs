//! Both guards, with the clock of the test.

use std::{
    collections::HashMap,
    sync::mpsc,
    time::{Duration, SystemTime},
};

use futures::{FutureExt as _, executor::block_on};
use proptest::{collection::vec, prelude::*};

use super::{Attempt, EmbeddedGuard, Limits, Once, ReplayGuard as _, embedded, memory::Used};
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
fn full_quota_refuses_only_its_client() {
    let limits = Limits::new(5).with_quota(2);
    let (fresh, used, full) = (Attempt::Fresh, Attempt::Used, Attempt::FullQuota);
    let asks = [
        (ask(1, 10, 0), fresh),
        (ask(2, 20, 0), fresh),
        (ask(3, 20, 0), full),
        (ask(1, 20, 0).of(7), fresh),
        (ask(1, 10, 9), used),
        (ask(2, 20, 0).of(7), fresh),
        (ask(3, 20, 0).of(7), full),
        // The other clients have not used up their quotas, but the guard is full.
        (ask(1, 20, 9).of(8), fresh),
        (ask(1, 20, 9).of(9), Attempt::Full),
        // An entry of the first client has expired.
        (ask(3, 20, 10), fresh),
        (ask(4, 20, 10), full),
    ];
    for guard in GUARDS {
        let attempts = guard(&asks.map(|(ask, _)| ask), limits);
        assert_eq!(attempts, asks.map(|(_, attempt)| attempt));
    }
}

#[test]
fn expired_entries_do_not_count_in_the_quota() {
    // More expired entries than one use removes come before the entry of the client.
    let others = (0..50).map(|jti| ask(jti, 10, 0).of(1));
    let own = (0..2).map(|jti| ask(jti, 11, 0));
    let asks: Vec<_> = others
        .chain(own)
        .chain([ask(9, 90, 20), ask(1, 90, 20)])
        .collect();
    for guard in GUARDS {
        let attempts = guard(&asks, Limits::new(99).with_quota(50));
        assert!(attempts.iter().all(|attempt| *attempt == Attempt::Fresh));
        let attempts = guard(&asks[50..], Limits::new(99).with_quota(2));
        assert!(attempts.iter().all(|attempt| *attempt == Attempt::Fresh));
    }
    let narrow = Limits::new(99).with_quota(2);
    let asks: Vec<_> = (0..40)
        .flat_map(|client| [ask(0, 10, 0).of(client), ask(1, 10, 0).of(client)])
        .chain((0..40).rev().map(|client| ask(2, 90, 20).of(client)))
        .collect();
    for guard in GUARDS {
        let attempts = guard(&asks, narrow);
        assert!(attempts.iter().all(|attempt| *attempt == Attempt::Fresh));
    }
}

#[test]
fn entries_that_a_client_forgets_early_stay_forgotten() {
    // The entry that expires later is forgotten before those of other clients.
    let others = (0..8).map(|jti| ask(jti, 10, 0).of(1));
    let asks: Vec<_> = others
        .chain([ask(1, 15, 0), ask(2, 90, 20), ask(1, 15, 14)])
        .collect();
    for guard in GUARDS {
        let attempts = guard(&asks, Limits::new(99).with_quota(8));
        assert_eq!(attempts[8..10], [Attempt::Fresh; 2]);
        assert_ne!(attempts[10], Attempt::Fresh);
        let attempts = guard(&asks[8..], Limits::new(99).with_quota(1));
        assert_eq!(attempts[..2], [Attempt::Fresh; 2]);
        assert_eq!(attempts[2], Attempt::ClockWentBack);
    }
}

#[test]
fn quota_defaults_to_a_tenth() {
    for (capacity, quota) in [
        (1, 1),
        (16, 16),
        (20, 16),
        (160, 16),
        (1000, 100),
        (100_000, 10_000),
    ] {
        assert_eq!(Limits::new(capacity).quota(), quota);
        assert_eq!(Limits::new(capacity).with_quota(7).quota(), 7);
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

/// The quota of the guard would stop it later.
#[test]
fn full_queue_quota_of_a_client_does_not_block_others() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(folder.path().join("log.redb")).unwrap();
    let guard = EmbeddedGuard::open(log.clone()).unwrap();
    let until = SystemTime::now() + Duration::from_secs(60);
    let use_up =
        |client: &str, jti: usize| guard.use_up(Once::new("", client, &jti.to_string()), until);

    let (release, released) = mpsc::channel::<()>();
    let mut held = Box::pin(log.write(move |_| {
        released.recv().unwrap();
        Ok(())
    }));
    assert!(held.as_mut().now_or_never().is_none());
    let mut waiting = Vec::new();
    let refused = loop {
        let mut attempt = use_up("greedy", waiting.len());
        match attempt.as_mut().now_or_never() {
            Some(refused) => break refused,
            None => waiting.push(attempt),
        }
        assert!(waiting.len() < 10_000, "nothing stops the client");
    };
    assert!(refused.is_err());
    waiting.push(use_up("other", 0));
    release.send(()).unwrap();
    block_on(held).unwrap();
    for attempt in waiting {
        assert!(block_on(attempt).unwrap());
    }
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
