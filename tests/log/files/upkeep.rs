//! Sweeping, compaction, and the clock.

use super::*;
use tower_revocation::log::Snapshot;

fn expired(name: usize) -> Revocation {
    Revocation::forever(Selector::grant(&name.to_string()), NumericDate::new(1000))
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).unwrap().len()
}

#[tokio::test]
async fn compaction_returns_swept_space_to_the_file_system() {
    let temp = TempPath::new();
    let log = temp.open();
    for step in 0..20 {
        let batch = (0..2000).map(|name| expired(step * 2000 + name));
        log.append(batch.collect()).await.unwrap();
    }
    append(&log, "kept").await;
    let full = length(&temp.path);
    assert_eq!(log.sweep().await.unwrap(), 40_000);
    assert!(log.compact().await.unwrap());
    assert!(length(&temp.path) < full / 4);

    assert!(has_exactly(&log, &["kept"]).await);
    append(&log, "b").await;
    drop(log);
    assert!(has_exactly(&temp.open(), &["kept", "b"]).await);
}

#[tokio::test]
async fn log_sweeps_periodically() {
    let temp = TempPath::new();
    let log = temp.open();
    // A sweep of these takes more than one step.
    log.append((0..3000).map(expired).collect()).await.unwrap();
    append(&log, "kept").await;
    let log = log.sweep_every(Duration::from_millis(10));
    let snapshot = || futures::executor::block_on(Snapshot::of(&log)).unwrap();
    wait_until("swept", || snapshot().records.len() == 1);
    // It sweeps again in the next period.
    log.append((0..10).map(expired).collect()).await.unwrap();
    wait_until("swept again", || snapshot().records.len() == 1);
    assert_eq!(snapshot().forgotten, NumericDate::new(1000));
}

#[tokio::test]
async fn time_since_the_last_write_may_be_a_jump_of_the_clock() {
    let temp = TempPath::new();
    let log = temp.open();
    log.append(vec![expired(1)]).await.unwrap();
    drop(log);
    let file = File::options().write(true).open(&temp.path).unwrap();
    let before = SystemTime::now() - Duration::from_secs(2 * 3600);
    file.set_modified(before).unwrap();

    let log = temp.open();
    let tokens = IssuedTokens::open(log.clone()).await.unwrap();
    let error = log.sweep().await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::ClockJumped);
    let error = tokens.sweep().await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::ClockJumped);
    assert_eq!(Snapshot::of(&log).await.unwrap().records, [expired(1)]);
}
