//! What an embedded log guarantees beyond the contract.

use super::*;
use tower_revocation::log::Snapshot;

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
    assert_eq!(follow(&log).await.records(), [forever("a"), forever("b")]);
}

#[tokio::test]
async fn append_is_queued_even_if_its_future_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(folder.path().join("log.redb")).unwrap();
    drop(log.append(vec![forever("a")]));
    log.drain().await.unwrap();
    assert_eq!(Snapshot::of(&log).await.unwrap().records, [forever("a")]);
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
    assert_eq!(Snapshot::of(&log).await.unwrap().records.len(), 100);
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
    assert_eq!(follow(&log).await.records(), [forever("a")]);
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
    let records = Snapshot::of(&log).await.unwrap().records;
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
    assert_eq!(Snapshot::of(&log).await.unwrap().records, [forever("a")]);
}

#[tokio::test]
async fn last_handle_may_be_dropped_by_a_reader_on_the_writing_thread() {
    struct Owner(Mutex<Option<EmbeddedLog>>);
    impl Reader for Owner {
        fn read(&self, _: &[Revocation]) {
            self.0.lock().unwrap().take();
        }
        fn complete(&self, _: Position, _: Moment) {}
        fn forgotten(&self, _: NumericDate) {}
    }
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(folder.path().join("log.redb")).unwrap();
    let owner = Arc::new(Owner(Mutex::default()));
    let reader: Arc<dyn Reader> = owner.clone();
    log.follow(Arc::downgrade(&reader)).await.unwrap();
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
    let log = EmbeddedLog::open(path).unwrap();
    Snapshot::of(&log).await.unwrap().records
}
