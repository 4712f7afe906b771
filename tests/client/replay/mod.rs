//! Replay guards: each identifier is used at most once, at once, after a restart, and in a flood.

mod quota;
mod restore;

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
    log::{
        EmbeddedLog, LogErrorKind, NumericDate, Revocation, RevocationLog as _, Selector, Snapshot,
    },
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
    assert_eq!(block_on(Snapshot::of(&log)).unwrap().records, [record]);
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
