//! A log takes in so much and no more, and forgets nothing for it.

use std::{sync::Arc, time::Duration};

use tower_revocation::{
    enforce::Index,
    log::{
        EmbeddedLog, LogErrorKind, MemoryLog, NumericDate, Position, Reader, Revocation,
        RevocationLog, Selector,
    },
};

fn forever(name: &str) -> Revocation {
    Revocation::forever(Selector::grant(name), NumericDate::FOREVER)
}

fn watermark(not_before: u64) -> Revocation {
    let selector = Selector::subject("alice");
    Revocation::watermark(selector, NumericDate::new(not_before), NumericDate::FOREVER)
}

/// A log with a ceiling of three.
async fn holds_its_ceiling(log: impl RevocationLog) {
    log.append(vec![forever("a"), forever("b")]).await.unwrap();
    let before = log.snapshot().await.unwrap();

    // All of a batch or nothing of it, not even what is known.
    for batch in [
        vec![forever("c"), forever("d")],
        vec![watermark(1000), forever("c")],
        vec![forever("a"), forever("c"), forever("d")],
    ] {
        let error = log.append(batch).await.unwrap_err();
        assert_eq!(error.kind(), LogErrorKind::Full);
        let after = log.snapshot().await.unwrap();
        assert_eq!(after.position, before.position);
        assert_eq!(after.records.len(), 2);
    }

    // One more has room, however often it is in the batch.
    log.append(vec![watermark(1000), watermark(1001)])
        .await
        .unwrap();
    let full = log.append(vec![forever("c")]).await.unwrap_err();
    assert_eq!(full.kind(), LogErrorKind::Full);

    // What has a record may have a later one, and what is covered is.
    let index = Index::follow(&log).await.unwrap();
    log.append(vec![watermark(2000), forever("a")])
        .await
        .unwrap();
    let records = log.snapshot().await.unwrap().records;
    assert!(records.contains(&watermark(2000)));
    assert_eq!((records.len(), index.len()), (3, 3));
    log.append(vec![]).await.unwrap();
}

#[tokio::test]
async fn memory_log_holds_its_ceiling() {
    holds_its_ceiling(MemoryLog::new().ceiling(3)).await;
}

#[tokio::test]
async fn embedded_log_holds_its_ceiling() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(folder.path().join("log.redb")).unwrap();
    holds_its_ceiling(log.ceiling(3)).await;
}

/// An append that may add no more than it is allowed to.
async fn adds_no_more_than_is_allowed(log: impl RevocationLog) {
    let batch = || vec![forever("a"), forever("b"), forever("a")];
    assert_eq!(log.append_at_most(1, batch()).await.unwrap(), None);
    assert_eq!(log.snapshot().await.unwrap().position.sequence, 0);

    let appended = log.append_at_most(2, batch()).await.unwrap().unwrap();
    assert_eq!((appended.added, appended.position.sequence), (2, 2));
    let again = log.append_at_most(0, batch()).await.unwrap().unwrap();
    assert_eq!((again.added, again.position), (0, appended.position));

    // Of a selector that is known there can be a later record: that adds none.
    log.append(vec![watermark(1000)]).await.unwrap();
    let later = log.append_at_most(0, vec![watermark(2000)]).await.unwrap();
    assert_eq!(later.unwrap().added, 0);
    assert!(
        log.snapshot()
            .await
            .unwrap()
            .records
            .contains(&watermark(2000))
    );
}

#[tokio::test]
async fn memory_log_adds_no_more_than_is_allowed() {
    adds_no_more_than_is_allowed(MemoryLog::new()).await;
}

#[tokio::test]
async fn embedded_log_adds_no_more_than_is_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(folder.path().join("log.redb")).unwrap();
    adds_no_more_than_is_allowed(log).await;
}

fn until(name: &str, expires: NumericDate) -> Revocation {
    Revocation::forever(Selector::grant(name), expires)
}

#[tokio::test]
async fn sweeping_makes_room_of_what_has_expired_and_of_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let embedded = EmbeddedLog::open(folder.path().join("log.redb"))
        .unwrap()
        .ceiling(2);
    let memory = MemoryLog::new().ceiling(2);
    let later = NumericDate::now() + Duration::from_secs(3600);
    let batch = vec![until("old", NumericDate::new(1000)), until("new", later)];
    embedded.append(batch.clone()).await.unwrap();
    memory.append(batch).await.unwrap();
    embedded.append(vec![forever("c")]).await.unwrap_err();
    memory.append(vec![forever("c")]).await.unwrap_err();

    assert_eq!(embedded.sweep().await.unwrap(), 1);
    memory.sweep().unwrap();
    embedded.append(vec![forever("c")]).await.unwrap();
    memory.append(vec![forever("c")]).await.unwrap();
    for records in [
        embedded.snapshot().await.unwrap().records,
        memory.snapshot().await.unwrap().records,
    ] {
        assert_eq!(records.len(), 2);
        assert!(records.contains(&until("new", later)) && records.contains(&forever("c")));
    }
}

#[tokio::test]
async fn file_that_has_more_than_the_ceiling_is_not_cut() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let log = EmbeddedLog::open(&path).unwrap();
    log.append(vec![forever("a"), forever("b")]).await.unwrap();
    drop(log);
    let log = EmbeddedLog::open(&path).unwrap().ceiling(1);
    assert_eq!(log.snapshot().await.unwrap().records.len(), 2);
    log.append(vec![forever("a")]).await.unwrap();
    log.append(vec![forever("c")]).await.unwrap_err();
}

#[tokio::test]
async fn ceiling_holds_for_clones_that_were_made_before() {
    let folder = tempfile::tempdir().unwrap();
    let embedded = EmbeddedLog::open(folder.path().join("log.redb")).unwrap();
    let memory = MemoryLog::new();
    let _ceilings = (embedded.clone().ceiling(0), memory.clone().ceiling(0));
    embedded.append(vec![forever("a")]).await.unwrap_err();
    memory.append(vec![forever("a")]).await.unwrap_err();
}

struct Nobody;

impl Reader for Nobody {
    fn read(&self, _: Position, _: &[Revocation]) {}
}

#[tokio::test]
async fn history_of_a_memory_log_is_bounded_and_what_is_gone_is_a_gap() {
    let log = MemoryLog::new().ceiling(1);
    let start = log.snapshot().await.unwrap().position;
    let index = Index::follow(&log).await.unwrap();
    let reader: Arc<dyn Reader> = Arc::new(Nobody);
    let tail = async |after| {
        let tail = log.tail(after, Arc::downgrade(&reader)).await;
        tail.map_err(|error| error.kind())
    };
    for second in 1..=3000 {
        let position = log.append(vec![watermark(second)]).await.unwrap();
        assert_eq!(position.sequence, second);
    }
    let end = log.snapshot().await.unwrap();
    assert_eq!(end.records, [watermark(3000)]);
    assert_eq!(tail(start).await, Err(LogErrorKind::Gap));
    assert_eq!(tail(end.position).await, Ok(()));

    // Whoever follows misses nothing, and positions go on.
    log.sweep().unwrap();
    assert_eq!(log.snapshot().await.unwrap().position, end.position);
    let next = log.append(vec![watermark(3001)]).await.unwrap();
    assert_eq!(next.sequence, 3001);
    assert_eq!(tail(end.position).await, Ok(()));
    assert_eq!(index.len(), 1);
    let again = Index::follow(&log).await.unwrap();
    assert_eq!(again.len(), 1);
}
