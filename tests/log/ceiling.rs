//! The ceiling of a log limits its selectors, and no record is removed to make room.

use std::time::Duration;

use tower_revocation::{
    enforce::Index,
    log::{
        EmbeddedLog, LogErrorKind, MemoryLog, NumericDate, Revocation, RevocationLog, Selector,
        Snapshot,
    },
};

fn forever(name: &str) -> Revocation {
    Revocation::forever(Selector::grant(name), NumericDate::FOREVER)
}

fn watermark(not_before: u64) -> Revocation {
    let selector = Selector::subject("alice");
    Revocation::watermark(selector, NumericDate::new(not_before), NumericDate::FOREVER)
}

/// Tests a log with a ceiling of three.
async fn keeps_its_ceiling(log: impl RevocationLog) {
    log.append(vec![forever("a"), forever("b")]).await.unwrap();
    let before = Snapshot::of(&log).await.unwrap();

    // A batch is appended as a whole or not at all, even if some of its selectors are known.
    for batch in [
        vec![forever("c"), forever("d")],
        vec![watermark(1000), forever("c")],
        vec![forever("a"), forever("c"), forever("d")],
    ] {
        let error = log.append(batch).await.unwrap_err();
        assert_eq!(error.kind(), LogErrorKind::Full);
        let after = Snapshot::of(&log).await.unwrap();
        assert_eq!(after.position, before.position);
        assert_eq!(after.records.len(), 2);
    }

    // There is room for one more selector, even if the batch contains it twice.
    log.append(vec![watermark(1000), watermark(1001)])
        .await
        .unwrap();
    let full = log.append(vec![forever("c")]).await.unwrap_err();
    assert_eq!(full.kind(), LogErrorKind::Full);

    // A known selector can have a later record, and a covered record is accepted.
    let index = Index::follow(&log).await.unwrap();
    log.append(vec![watermark(2000), forever("a")])
        .await
        .unwrap();
    let records = Snapshot::of(&log).await.unwrap().records;
    assert!(records.contains(&watermark(2000)));
    assert_eq!((records.len(), index.len()), (3, 3));
    log.append(vec![]).await.unwrap();
}

#[tokio::test]
async fn memory_log_keeps_its_ceiling() {
    keeps_its_ceiling(MemoryLog::new().ceiling(3)).await;
}

#[tokio::test]
async fn embedded_log_keeps_its_ceiling() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(folder.path().join("log.redb")).unwrap();
    keeps_its_ceiling(log.ceiling(3)).await;
}

/// Tests that an append adds at most as many selectors as it is allowed to add.
async fn adds_at_most_the_allowed_selectors(log: impl RevocationLog) {
    let batch = || vec![forever("a"), forever("b"), forever("a")];
    assert_eq!(log.append_at_most(1, batch()).await.unwrap(), None);
    assert_eq!(Snapshot::of(&log).await.unwrap().position.sequence, 0);

    let appended = log.append_at_most(2, batch()).await.unwrap().unwrap();
    assert_eq!((appended.added, appended.position.sequence), (2, 2));
    let again = log.append_at_most(0, batch()).await.unwrap().unwrap();
    assert_eq!((again.added, again.position), (0, appended.position));

    // A later record of a known selector adds no selector.
    log.append(vec![watermark(1000)]).await.unwrap();
    let later = log.append_at_most(0, vec![watermark(2000)]).await.unwrap();
    assert_eq!(later.unwrap().added, 0);
    let records = Snapshot::of(&log).await.unwrap().records;
    assert!(records.contains(&watermark(2000)));
}

#[tokio::test]
async fn memory_log_adds_at_most_the_allowed_selectors() {
    adds_at_most_the_allowed_selectors(MemoryLog::new()).await;
}

#[tokio::test]
async fn embedded_log_adds_at_most_the_allowed_selectors() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(folder.path().join("log.redb")).unwrap();
    adds_at_most_the_allowed_selectors(log).await;
}

fn expiring(name: &str, expires: NumericDate) -> Revocation {
    Revocation::forever(Selector::grant(name), expires)
}

#[tokio::test]
async fn sweep_makes_room_by_removing_expired_records_only() {
    let folder = tempfile::tempdir().unwrap();
    let embedded = EmbeddedLog::open(folder.path().join("log.redb"))
        .unwrap()
        .ceiling(2);
    let memory = MemoryLog::new().ceiling(2);
    let later = NumericDate::now() + Duration::from_secs(3600);
    let batch = vec![
        expiring("old", NumericDate::new(1000)),
        expiring("new", later),
    ];
    embedded.append(batch.clone()).await.unwrap();
    memory.append(batch).await.unwrap();
    embedded.append(vec![forever("c")]).await.unwrap_err();
    memory.append(vec![forever("c")]).await.unwrap_err();

    assert_eq!(embedded.sweep().await.unwrap(), 1);
    memory.sweep().unwrap();
    embedded.append(vec![forever("c")]).await.unwrap();
    memory.append(vec![forever("c")]).await.unwrap();
    for records in [
        Snapshot::of(&embedded).await.unwrap().records,
        Snapshot::of(&memory).await.unwrap().records,
    ] {
        assert_eq!(records.len(), 2);
        assert!(records.contains(&expiring("new", later)) && records.contains(&forever("c")));
    }
}

#[tokio::test]
async fn file_with_more_records_than_the_ceiling_keeps_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let log = EmbeddedLog::open(&path).unwrap();
    log.append(vec![forever("a"), forever("b")]).await.unwrap();
    drop(log);
    let log = EmbeddedLog::open(&path).unwrap().ceiling(1);
    assert_eq!(Snapshot::of(&log).await.unwrap().records.len(), 2);
    log.append(vec![forever("a")]).await.unwrap();
    log.append(vec![forever("c")]).await.unwrap_err();
}

#[tokio::test]
async fn ceiling_applies_to_earlier_clones() {
    let folder = tempfile::tempdir().unwrap();
    let embedded = EmbeddedLog::open(folder.path().join("log.redb")).unwrap();
    let memory = MemoryLog::new();
    let _ceilings = (embedded.clone().ceiling(0), memory.clone().ceiling(0));
    embedded.append(vec![forever("a")]).await.unwrap_err();
    memory.append(vec![forever("a")]).await.unwrap_err();
}

#[tokio::test]
async fn memory_log_keeps_one_record_of_a_selector_that_is_revoked_again_and_again() {
    let log = MemoryLog::new().ceiling(1);
    let index = Index::follow(&log).await.unwrap();
    for second in 1..=3000 {
        let position = log.append(vec![watermark(second)]).await.unwrap();
        assert_eq!(position.sequence, second);
    }
    let end = Snapshot::of(&log).await.unwrap();
    assert_eq!(end.records, [watermark(3000)]);

    // A reader that follows misses nothing, and positions continue.
    log.sweep().unwrap();
    assert_eq!(Snapshot::of(&log).await.unwrap().position, end.position);
    let next = log.append(vec![watermark(3001)]).await.unwrap();
    assert_eq!(next.sequence, 3001);
    assert_eq!(index.len(), 1);
    let again = Index::follow(&log).await.unwrap();
    assert_eq!(again.len(), 1);
}
