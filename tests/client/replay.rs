//! Replay guards: each identifier is used at most once, at once, after a restart, and in a flood.

use std::{
    error::Error as _,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, SystemTime},
};

use futures::{executor::block_on, future::join_all};
use tempfile::TempDir;
use tower::BoxError;
use tower_revocation::{
    Error, ErrorKind,
    client::replay::{EmbeddedGuard, MemoryGuard, Once, ReplayGuard},
    log::{EmbeddedLog, LogErrorKind, NumericDate, Revocation, RevocationLog as _, Selector},
};

fn once(jti: usize) -> Once {
    Once::new("https://as.example.com", "s6BhdRkqt3", &jti.to_string())
}

fn soon() -> SystemTime {
    SystemTime::now() + Duration::from_secs(60)
}

fn file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    (folder, path)
}

fn open(path: &Path) -> EmbeddedGuard {
    EmbeddedGuard::open(EmbeddedLog::open(path).unwrap()).unwrap()
}

fn use_up(guard: &dyn ReplayGuard, jti: usize) -> bool {
    block_on(guard.use_up(once(jti), soon())).unwrap()
}

fn refusal(response: Result<bool, BoxError>) -> Error {
    *response.unwrap_err().downcast().unwrap()
}

fn exactly_one_thread_wins(guard: &dyn ReplayGuard) {
    const THREADS: usize = 16;
    const ROUNDS: usize = 20;
    let (barrier, won) = (Barrier::new(THREADS), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for jti in 0..ROUNDS {
                    barrier.wait();
                    won.fetch_add(usize::from(use_up(guard, jti)), Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(won.into_inner(), ROUNDS);
}

#[test]
fn exactly_one_of_many_concurrent_uses_wins_in_memory() {
    exactly_one_thread_wins(&MemoryGuard::default());
}

#[test]
fn exactly_one_of_many_concurrent_uses_wins_in_a_file() {
    let (_folder, path) = file();
    exactly_one_thread_wins(&open(&path));
}

#[test]
fn two_endpoints_share_one_guard() {
    let guard = Arc::new(MemoryGuard::default());
    let (token_endpoint, revocation_endpoint) = (guard.clone(), guard);
    assert!(use_up(&token_endpoint, 1));
    assert!(!use_up(&revocation_endpoint, 1));
}

#[test]
fn two_clients_and_two_tenants_may_use_the_same_jti() {
    let guard = MemoryGuard::default();
    for (tenant, client_id) in [("t1", "c1"), ("t1", "c2"), ("t2", "c1")] {
        let once = Once::new(tenant, client_id, "u1");
        assert!(block_on(guard.use_up(once, soon())).unwrap());
        assert!(!block_on(guard.use_up(once, soon())).unwrap());
    }
}

#[test]
fn parts_cannot_be_confused() {
    let parts = [
        ("", "ab", "c"),
        ("", "a", "bc"),
        ("a", "b", "c"),
        ("abc", "", ""),
        ("", "abc", ""),
    ];
    for (position, (tenant, client_id, jti)) in parts.into_iter().enumerate() {
        for (other_tenant, other_client_id, other_jti) in &parts[..position] {
            assert_ne!(
                Once::new(tenant, client_id, jti),
                Once::new(other_tenant, other_client_id, other_jti),
            );
        }
    }
    // No part can contain the length of the next part.
    let length = "\0\0\0\0\0\0\0\u{1}";
    let inside = format!("a{length}b");
    assert_ne!(
        Once::new("", &inside, "c"),
        Once::new("", "a", &format!("b{length}c"))
    );
}

#[test]
fn debug_output_has_none_of_the_parts() {
    assert_eq!(
        format!("{:?}", Once::new("", "s6BhdRkqt3", "u1")),
        "Once(..)"
    );
}

#[test]
fn expired_identifier_is_not_fresh() {
    let (_folder, path) = file();
    let over = SystemTime::now() - Duration::from_secs(1);
    assert!(!block_on(MemoryGuard::default().use_up(once(1), over)).unwrap());
    assert!(!block_on(open(&path).use_up(once(1), over)).unwrap());
}

#[test]
fn full_guard_refuses_and_forgets_nothing() {
    let (_folder, path) = file();
    let guards: [Box<dyn ReplayGuard>; 2] = [
        Box::new(MemoryGuard::new(3)),
        Box::new(open(&path).capacity(3)),
    ];
    for guard in guards {
        assert!((0..3).all(|jti| use_up(&*guard, jti)));
        let flood = (3..500).map(|jti| guard.use_up(once(jti), soon()));
        for response in block_on(join_all(flood)) {
            let error = refusal(response);
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            let reason = error.source().unwrap().to_string();
            assert!(reason.contains("full"), "{reason}");
        }
        assert!((0..3).all(|jti| !use_up(&*guard, jti)));
    }
}

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
fn restart_forgets_nothing() {
    let (_folder, path) = file();
    assert!(use_up(&open(&path), 1));
    assert!(!use_up(&open(&path), 1));
    assert!(use_up(&open(&path), 2));
}

#[test]
fn entry_is_durable_when_the_call_returns() {
    let (folder, path) = file();
    let guard = open(&path);
    assert!(use_up(&guard, 1));
    // A copy as after a crash: nothing was closed.
    let copy = folder.path().join("copy.redb");
    fs::copy(&path, &copy).unwrap();
    assert!(!use_up(&open(&copy), 1));
}

#[test]
fn count_survives_a_restart() {
    let (_folder, path) = file();
    assert!((0..3).all(|jti| use_up(&open(&path).capacity(3), jti)));
    let full = open(&path).capacity(3);
    let response = block_on(full.use_up(once(3), soon()));
    assert_eq!(refusal(response).kind(), ErrorKind::Unavailable);
}

#[test]
fn dropped_request_is_whole_or_absent() {
    let (_folder, path) = file();
    let guard = open(&path);
    drop(guard.use_up(once(1), soon()));
    assert!(!use_up(&guard, 1));
}

#[test]
fn sweep_keeps_entries_that_have_not_expired() {
    let (_folder, path) = file();
    let guard = open(&path);
    assert!((0..3).all(|jti| use_up(&guard, jti)));
    assert_eq!(block_on(guard.sweep()).unwrap(), 0);
    assert!((0..3).all(|jti| !use_up(&guard, jti)));
}

#[test]
fn log_and_guard_live_in_one_file() {
    let (_folder, path) = file();
    let log = EmbeddedLog::open(&path).unwrap();
    let guard = EmbeddedGuard::open(log.clone()).unwrap();
    let record = Revocation::forever(Selector::grant("g1"), NumericDate::FOREVER);
    block_on(log.append(vec![record])).unwrap();
    assert!(use_up(&guard, 1));
    drop((log, guard));

    let log = EmbeddedLog::open(&path).unwrap();
    assert_eq!(block_on(log.snapshot()).unwrap().records, [record]);
    assert!(!use_up(&EmbeddedGuard::open(log).unwrap(), 1));
}

#[test]
fn foreign_tables_are_refused() {
    const THEIRS: redb::TableDefinition<'_, &str, &str> = redb::TableDefinition::new("replay_used");
    let (_folder, path) = file();
    drop(EmbeddedLog::open(&path).unwrap());
    let database = redb::Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(THEIRS).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = EmbeddedGuard::open(EmbeddedLog::open(&path).unwrap()).unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Corrupt);
}

#[test]
#[should_panic(expected = "the capacity of the guard is zero")]
fn memory_guard_of_capacity_zero_panics() {
    let _ = MemoryGuard::new(0);
}

#[test]
#[should_panic(expected = "the capacity of the guard is zero")]
fn embedded_guard_of_capacity_zero_panics() {
    let (_folder, path) = file();
    let _ = open(&path).capacity(0);
}

#[test]
#[should_panic(expected = "the quota of the guard is zero")]
fn quota_of_zero_panics() {
    let _ = MemoryGuard::default().quota(0);
}

/// A log that was restored from a backup. One identifier was used before the backup, another one
/// after it.
fn restored(folder: &Path, used_before: bool) -> PathBuf {
    let [path, backup, copy] = ["log", "backup", "copy"].map(|name| folder.join(name));
    let log = EmbeddedLog::open(&path).unwrap();
    let guard = EmbeddedGuard::open(log.clone()).unwrap();
    if used_before {
        assert!(use_up(&guard, 1));
    }
    block_on(log.backup(&backup)).unwrap();
    assert!(use_up(&guard, 2));
    drop((guard, log));
    drop(EmbeddedLog::restore(&backup, &copy).unwrap());
    copy
}

#[test]
fn identifier_used_after_the_backup_is_refused_after_a_restore() {
    for used_before in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let path = restored(folder.path(), used_before);
        // Also after a restart.
        for _ in 0..2 {
            let guard = open(&path);
            let again = refusal(block_on(guard.use_up(once(2), soon())));
            assert_eq!(again.kind(), ErrorKind::Unavailable);
            // An identifier that is known to be used is certainly used.
            if used_before {
                assert!(!use_up(&guard, 1));
            }
        }
    }
}

#[test]
fn expiry_after_the_doubtful_time_is_accepted_after_a_restore() {
    let folder = tempfile::tempdir().unwrap();
    let path = restored(folder.path(), true);
    let minutes = |count: u64| SystemTime::now() + Duration::from_secs(60 * count);
    let guard = open(&path).max_lifetime(Duration::from_secs(60));
    block_on(guard.use_up(once(3), minutes(2))).unwrap_err();
    assert!(block_on(guard.use_up(once(4), minutes(5))).unwrap());
    // By default assertions live for an hour.
    let guard = guard.max_lifetime(Duration::from_secs(60 * 60));
    block_on(guard.use_up(once(5), minutes(60))).unwrap_err();
    assert!(block_on(guard.use_up(once(6), minutes(65))).unwrap());
}
