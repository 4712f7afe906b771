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
