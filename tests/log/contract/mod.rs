//! The contract of a log, which every log must meet.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

mod embedded;

use futures::future::join_all;
use proptest::prelude::*;
use tower_revocation::{
    enforce::Index,
    introspect::{Introspection, TokenKind},
    log::{
        Durability, EmbeddedLog, LogErrorKind, MemoryLog, Moment, NumericDate, Position, Reader,
        Revocation, RevocationLog, Selector, Snapshot,
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
struct Collected {
    records: Mutex<Vec<Revocation>>,
    complete: Mutex<Option<(Position, Moment)>>,
}

impl Reader for Collected {
    fn read(&self, records: &[Revocation]) {
        self.records.lock().unwrap().extend(records);
    }

    fn complete(&self, position: Position, asked: Moment) {
        *self.complete.lock().unwrap() = Some((position, asked));
    }

    fn forgotten(&self, _: NumericDate) {}
}

impl Collected {
    fn records(&self) -> Vec<Revocation> {
        self.records.lock().unwrap().clone()
    }

    fn position(&self) -> Position {
        self.complete.lock().unwrap().unwrap().0
    }
}

async fn follow(log: &impl RevocationLog) -> Arc<Collected> {
    let (collected, begun) = (Arc::new(Collected::default()), Moment::now());
    let reader: Arc<dyn Reader> = collected.clone();
    log.follow(Arc::downgrade(&reader)).await.unwrap();
    let (_, asked) = collected.complete.lock().unwrap().unwrap();
    assert_eq!(
        begun.since(asked),
        Duration::ZERO,
        "complete as of the call"
    );
    collected
}

async fn meets_the_contract(log: impl RevocationLog) {
    let start = Snapshot::of(&log).await.unwrap();
    assert_eq!((start.position.sequence, start.records.len()), (0, 0));
    let collected = follow(&log).await;
    assert_eq!(collected.position(), start.position);

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

    // A reader gets all records in the order of commits, and each before its append returns.
    let all = [
        forever("a"),
        forever("b"),
        forever("c"),
        watermark("alice", 1000),
        watermark("alice", 1001),
    ];
    assert_eq!(collected.records(), all);

    // One record for each selector.
    let end = Snapshot::of(&log).await.unwrap();
    assert_eq!((end.position.sequence, end.records.len()), (5, 4));
    assert!(end.records.contains(&watermark("alice", 1001)));

    // A reader that begins later gets what is known, and the same end.
    let later = follow(&log).await;
    assert_eq!(
        (later.position(), collected.position()),
        (end.position, end.position)
    );
    assert!(
        end.records
            .iter()
            .all(|record| later.records().contains(record))
    );

    // A reader that follows twice gets new records once.
    let reader: Arc<dyn Reader> = collected.clone();
    log.follow(Arc::downgrade(&reader)).await.unwrap();
    let known = collected.records().len();
    log.append(vec![forever("d")]).await.unwrap();
    assert_eq!(collected.records()[known..], [forever("d")]);
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
