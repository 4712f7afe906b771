//! Quotas of clients in a guard.

use std::error::Error as _;

use futures::{executor::block_on, future::join_all};
use tower_revocation::{
    ErrorKind,
    client::replay::{MemoryGuard, Once, ReplayGuard},
};

use super::{file, open, refusal, soon};

fn of(client: &str, jti: usize) -> Once {
    Once::new("https://as.example.com", client, &jti.to_string())
}

/// How many of `count` assertions of one client are accepted, and the errors of the others.
fn taken(guard: &dyn ReplayGuard, client: &str, count: usize) -> (usize, Vec<String>) {
    let responses = (0..count).map(|jti| guard.use_up(of(client, jti), soon()));
    let (mut taken, mut reasons) = (0, Vec::new());
    for response in block_on(join_all(responses)) {
        if let Ok(fresh) = response {
            assert!(fresh);
            taken += 1;
            continue;
        }
        let error = refusal(response);
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        reasons.push(error.source().unwrap().to_string());
    }
    (taken, reasons)
}

#[test]
fn full_quota_of_a_client_does_not_block_others() {
    // A tenth of 100 000.
    let guard = MemoryGuard::default();
    let (first, reasons) = taken(&guard, "flood", 100_000);
    assert_eq!(first, 10_000);
    assert!(
        reasons
            .iter()
            .all(|reason| reason.contains("client's quota"))
    );
    assert_eq!(taken(&guard, "s6BhdRkqt3", 100).0, 100);
    // A used identifier stays used.
    assert!(!block_on(guard.use_up(of("flood", 0), soon())).unwrap());
}

#[test]
fn quota_can_be_set_and_survives_a_restart() {
    let (_folder, path) = file();
    let guard = open(&path).capacity(30).quota(4);
    assert_eq!(taken(&guard, "flood", 10).0, 4);
    drop(guard);
    let guard = open(&path).capacity(30).quota(5);
    assert!(!block_on(guard.use_up(of("flood", 0), soon())).unwrap());
    let another = of("flood", 10);
    assert!(block_on(guard.use_up(another, soon())).unwrap());
    let one_more = block_on(guard.use_up(of("flood", 11), soon()));
    let refused = refusal(one_more);
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    assert!(!refused.is_alarm(), "a client brings it about by itself");
    assert_eq!(taken(&guard, "s6BhdRkqt3", 10).0, 5);

    let guard = MemoryGuard::new(30).quota(4);
    assert_eq!(taken(&guard, "flood", 10).0, 4);
    assert_eq!(taken(&guard, "s6BhdRkqt3", 10).0, 4);
}

#[test]
fn clients_of_two_tenants_have_separate_quotas() {
    let guard = MemoryGuard::new(30).quota(1);
    for tenant in ["t1", "t2"] {
        let once = |jti| Once::new(tenant, "c1", jti);
        assert!(block_on(guard.use_up(once("u1"), soon())).unwrap());
        refusal(block_on(guard.use_up(once("u2"), soon())));
    }
    let once = |client, jti| *Once::new("t1", client, jti).client();
    assert_eq!(once("c1", "u1"), once("c1", "u2"));
    assert_ne!(once("c1", "u1"), once("c2", "u1"));
}

#[test]
#[should_panic(expected = "the quota of the guard is zero")]
fn quota_of_zero_panics() {
    let _ = MemoryGuard::default().quota(0);
}
