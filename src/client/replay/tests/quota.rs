//! Quotas of clients, in both guards.

use std::{
    sync::mpsc,
    time::{Duration, SystemTime},
};

use futures::{FutureExt as _, executor::block_on};

use crate::client::replay::{Attempt, EmbeddedGuard, Limits, Once, ReplayGuard as _};
use crate::log::EmbeddedLog;

use super::{GUARDS, ask};

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
