//! The contract of a log, which every log must meet.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::future::join_all;
use proptest::prelude::*;
use tower_revocation::{
    enforce::Index,
    introspect::{Introspection, TokenKind},
    log::{
        Durability, EmbeddedLog, LogErrorKind, MemoryLog, NumericDate, Position, Reader,
        Revocation, RevocationLog, Selector,
    },
};

fn forever(name: &str) -> Revocation {
    Revocation::forever(Selector::grant(name), NumericDate::FOREVER)
}

fn watermark(name: &str, not_before: u64) -> Revocation {
    let (not_before, expires) = (NumericDate::new(not_before), NumericDate::FOREVER);
    Revocation::watermark(Selector::subject(name), not_before, expires)
}

/// A reader that keeps every record.
#[derive(Default)]
struct Collected(Mutex<Vec<(Position, Vec<Revocation>)>>);

impl Reader for Collected {
    fn read(&self, position: Position, records: &[Revocation]) {
        self.0.lock().unwrap().push((position, records.to_vec()));
    }
}

impl Collected {
    fn records(&self) -> Vec<Revocation> {
        self.0
            .lock()
            .unwrap()
            .iter()
            .flat_map(|(_, records)| records.clone())
            .collect()
    }
}

async fn follow(log: &impl RevocationLog, after: Position) -> Arc<Collected> {
    let collected = Arc::new(Collected::default());
    let reader: Arc<dyn Reader> = collected.clone();
    log.tail(after, Arc::downgrade(&reader)).await.unwrap();
    collected
}

async fn meets_the_contract(log: impl RevocationLog) {
    let start = log.snapshot().await.unwrap();
    assert_eq!((start.position.sequence, start.records.len()), (0, 0));
    let collected = follow(&log, start.position).await;

    // Positions have no gaps and follow the order of appends. The position of a batch is that of
    // its last record.
    let first = log.append(vec![forever("a"), forever("b")]).await.unwrap();
    let second = log.append(vec![forever("c")]).await.unwrap();
    assert_eq!((first.sequence, second.sequence), (2, 3));
    assert_eq!(
        (first.epoch, second.epoch),
        (start.position.epoch, start.position.epoch)
    );

    // Covered records are not written again.
    assert_eq!(
        log.append(vec![forever("a"), forever("c")]).await.unwrap(),
        second
    );
    assert_eq!(log.append(vec![]).await.unwrap(), second);

    // A watermark never moves backwards.
    let third = log.append(vec![watermark("alice", 1000)]).await.unwrap();
    assert_eq!(third.sequence, 4);
    assert_eq!(
        log.append(vec![watermark("alice", 999)]).await.unwrap(),
        third
    );
    assert_eq!(
        log.append(vec![watermark("alice", 1001)])
            .await
            .unwrap()
            .sequence,
        5
    );

    // Readers have seen all records in the order of commits, whenever they were added.
    let all = [
        forever("a"),
        forever("b"),
        forever("c"),
        watermark("alice", 1000),
        watermark("alice", 1001),
    ];
    assert_eq!(collected.records(), all);
    assert_eq!(follow(&log, start.position).await.records(), all);
    assert_eq!(follow(&log, second).await.records(), all[3..]);

    // One record for each selector.
    let end = log.snapshot().await.unwrap();
    assert_eq!((end.position.sequence, end.records.len()), (5, 4));
    assert!(end.records.contains(&watermark("alice", 1001)));

    // A position of another epoch is a gap, and so is a position in the future.
    let reader: Arc<dyn Reader> = collected.clone();
    let other_epoch = Position {
        epoch: start.position.epoch ^ 1,
        sequence: 0,
    };
    let future = Position {
        sequence: 6,
        ..end.position
    };
    for position in [other_epoch, future] {
        let error = log
            .tail(position, Arc::downgrade(&reader))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), LogErrorKind::Gap);
    }
}

#[tokio::test]
async fn memory_log_meets_the_contract() {
    let log = MemoryLog::new();
    assert_eq!(log.durability(), Durability::Volatile);
    meets_the_contract(log).await;
}

#[tokio::test]
async fn embedded_log_meets_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(folder.path().join("log.redb")).unwrap();
    assert_eq!(log.durability(), Durability::Disk);
    meets_the_contract(log).await;
}

#[tokio::test]
async fn embedded_log_keeps_positions_and_records_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let log = EmbeddedLog::open(&path).unwrap();
    let first = log.append(vec![forever("a")]).await.unwrap();
    drop(log);

    let log = EmbeddedLog::open(&path).unwrap();
    let again = log.append(vec![forever("a")]).await.unwrap();
    let second = log.append(vec![forever("b")]).await.unwrap();
    assert_eq!((again.sequence, second.sequence), (1, 2));
    // Every opening begins a new epoch.
    assert_ne!(again.epoch, first.epoch);
    assert_eq!(again.epoch, second.epoch);
    assert_eq!(follow(&log, first).await.records(), [forever("b")]);
}

#[tokio::test]
async fn append_is_queued_even_if_its_future_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(folder.path().join("log.redb")).unwrap();
    drop(log.append(vec![forever("a")]));
    log.drain().await.unwrap();
    assert_eq!(log.snapshot().await.unwrap().records, [forever("a")]);
}

#[tokio::test]
async fn dropping_the_log_writes_the_queued_appends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let log = EmbeddedLog::open(&path).unwrap();
    for name in 0..100 {
        drop(log.append(vec![forever(&name.to_string())]));
    }
    drop(log);
    let log = EmbeddedLog::open(&path).unwrap();
    assert_eq!(log.snapshot().await.unwrap().records.len(), 100);
}

#[tokio::test]
async fn concurrent_appends_of_one_record_write_it_once() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(folder.path().join("log.redb")).unwrap();
    let positions = join_all((0..100).map(|_| log.append(vec![forever("a")]))).await;
    assert!(
        positions
            .into_iter()
            .all(|position| position.unwrap().sequence == 1)
    );
    assert_eq!(
        follow(&log, log_start(&log).await).await.records(),
        [forever("a")]
    );
}

async fn log_start(log: &impl RevocationLog) -> Position {
    Position {
        sequence: 0,
        ..log.snapshot().await.unwrap().position
    }
}

#[tokio::test]
async fn sweep_removes_expired_records_only() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(folder.path().join("log.redb")).unwrap();
    let expired = |name: usize| {
        Revocation::forever(Selector::grant(&name.to_string()), NumericDate::new(1000))
    };
    // A sweep of these takes more than one step.
    log.append((0..3000).map(expired).collect()).await.unwrap();
    let in_an_hour = NumericDate::now() + Duration::from_secs(3600);
    let alive = Revocation::forever(Selector::grant("alive"), in_an_hour);
    log.append(vec![forever("kept"), alive]).await.unwrap();
    assert_eq!(log.sweep().await.unwrap(), 3000);
    assert_eq!(log.sweep().await.unwrap(), 0);
    let records = log.snapshot().await.unwrap().records;
    assert_eq!(records, [forever("kept"), alive]);
}

#[tokio::test]
async fn expired_record_covers_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(folder.path().join("log.redb")).unwrap();
    let expired = Revocation::forever(Selector::grant("a"), NumericDate::new(1000));
    log.append(vec![expired]).await.unwrap();
    log.append(vec![forever("a")]).await.unwrap();
    log.sweep().await.unwrap();
    assert_eq!(log.snapshot().await.unwrap().records, [forever("a")]);
}

#[tokio::test]
async fn last_handle_may_be_dropped_by_a_reader_on_the_writing_thread() {
    struct Owner(Mutex<Option<EmbeddedLog>>);
    impl Reader for Owner {
        fn read(&self, _: Position, _: &[Revocation]) {
            self.0.lock().unwrap().take();
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(folder.path().join("log.redb")).unwrap();
    let owner = Arc::new(Owner(Mutex::default()));
    let reader: Arc<dyn Reader> = owner.clone();
    log.tail(log_start(&log).await, Arc::downgrade(&reader))
        .await
        .unwrap();
    *owner.0.lock().unwrap() = Some(log.clone());
    let handle = log.clone();
    let append = tokio::spawn(async move { handle.append(vec![forever("a")]).await });
    drop(log);
    assert_eq!(append.await.unwrap().unwrap().sequence, 1);
}

#[cfg(unix)]
#[tokio::test]
async fn new_file_is_readable_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let _log = EmbeddedLog::open(&path).unwrap();
    assert_eq!(
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[tokio::test]
async fn locked_file_is_an_error_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let _open = EmbeddedLog::open(&path).unwrap();
    assert_eq!(
        EmbeddedLog::open(&path).unwrap_err().kind(),
        LogErrorKind::Locked
    );
}

#[tokio::test]
async fn damaged_file_is_an_error_and_never_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let open = |content: &[u8]| {
        std::fs::write(&path, content).unwrap();
        EmbeddedLog::open(&path)
    };
    let log = open(b"").unwrap();
    log.append(vec![forever("a")]).await.unwrap();
    drop(log);
    let good = std::fs::read(&path).unwrap();

    assert_eq!(
        open(b"not a log at all").unwrap_err().kind(),
        LogErrorKind::Corrupt
    );
    assert_eq!(
        open(&[0xff; 8192]).unwrap_err().kind(),
        LogErrorKind::Corrupt
    );
    open(&good[..good.len() / 2]).unwrap_err();
    assert_eq!(records(&path, &good).await, [forever("a")]);
}

async fn records(path: &Path, content: &[u8]) -> Vec<Revocation> {
    std::fs::write(path, content).unwrap();
    EmbeddedLog::open(path)
        .unwrap()
        .snapshot()
        .await
        .unwrap()
        .records
}

fn token(grant: &str, sub: &str, iat: u64) -> Introspection {
    let id = format!("{grant}-{iat}");
    let mut token = Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3");
    token.token = Some(Selector::token("https://as.example.com", &id));
    token.iat = Some(NumericDate::new(iat));
    token.grant = Some(grant.into());
    token.sub = Some(sub.into());
    token
}

#[tokio::test]
async fn index_has_existing_and_later_records() {
    let log = MemoryLog::new();
    log.append(vec![forever("g1")]).await.unwrap();
    let index = Index::follow(&log).await.unwrap();
    assert!(index.covers(&token("g1", "alice", 1000)));
    assert!(!index.covers(&token("g2", "alice", 1000)));

    log.append(vec![forever("g2")]).await.unwrap();
    assert!(index.covers(&token("g2", "alice", 1000)));
    assert_eq!(index.len(), 2);
}

#[tokio::test]
async fn one_revoked_selector_suffices_and_a_watermark_covers_its_own_second() {
    let log = MemoryLog::new();
    let index = Index::follow(&log).await.unwrap();
    log.append(vec![watermark("alice", 1000)]).await.unwrap();
    assert!(index.covers(&token("g1", "alice", 999)));
    assert!(index.covers(&token("g1", "alice", 1000)));
    assert!(!index.covers(&token("g1", "alice", 1001)));
    assert!(!index.covers(&token("g1", "bob", 999)));
}

#[tokio::test]
async fn index_removes_expired_records() {
    let log = MemoryLog::new();
    let index = Index::follow(&log).await.unwrap();
    let expiring = Revocation::forever(Selector::grant("g1"), NumericDate::new(1000));
    log.append(vec![expiring, forever("g2")]).await.unwrap();
    index.sweep(NumericDate::new(999));
    assert_eq!(index.len(), 2);
    index.sweep(NumericDate::new(1000));
    assert_eq!(index.len(), 1);
}

fn any_record() -> impl Strategy<Value = Revocation> {
    let name = prop::sample::select(vec!["a", "b", "c"]);
    (name, 0..20_u64, 0..20_u64).prop_map(|(name, not_before, expires)| {
        let (not_before, expires) = (NumericDate::new(not_before), NumericDate::new(expires));
        Revocation::watermark(Selector::subject(name), not_before, expires)
    })
}

proptest! {
    #[test]
    fn order_and_repetition_of_records_make_no_difference(
        records in prop::collection::vec(any_record(), 0..12),
        seed in any::<u64>(),
        iat in 0..20_u64,
    ) {
        let mut other = records.clone();
        other.extend_from_slice(&records[..records.len() / 2]);
        // The seed determines the order.
        other.sort_by_key(|record| {
            let key = record.not_before().seconds() ^ record.expires().seconds() << 8;
            key.wrapping_mul(seed | 1)
        });
        let covered = |records: Vec<Revocation>| futures::executor::block_on(async {
            let log = MemoryLog::new();
            let index = Index::follow(&log).await.unwrap();
            for record in records {
                log.append(vec![record]).await.unwrap();
            }
            ["a", "b", "c"].map(|sub| index.covers(&token("g", sub, iat)))
        });
        prop_assert_eq!(covered(records), covered(other));
    }
}
