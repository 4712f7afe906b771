//! A log uses only the file at its path.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant, SystemTime},
};

mod backup;
mod upkeep;

use futures::future::join_all;
use tempfile::TempDir;
use tower_revocation::{
    enforce::Index,
    introspect::issued::{Grant, IssuedTokens, NewToken},
    log::{
        EmbeddedLog, LogErrorKind, NumericDate, Position, Revocation, RevocationLog as _, Selector,
        Snapshot,
    },
};

fn forever(name: &str) -> Revocation {
    Revocation::forever(Selector::grant(name), NumericDate::FOREVER)
}

/// A path in a temporary folder.
struct TempPath {
    folder: TempDir,
    path: PathBuf,
}

impl TempPath {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.redb");
        Self { folder, path }
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn open(&self) -> EmbeddedLog {
        EmbeddedLog::open(&self.path).unwrap()
    }
}

async fn append(log: &EmbeddedLog, name: &str) -> Position {
    log.append(vec![forever(name)]).await.unwrap()
}

async fn refused(log: &EmbeddedLog, name: &str) -> LogErrorKind {
    log.append(vec![forever(name)]).await.unwrap_err().kind()
}

/// Returns whether the log has exactly these records.
async fn has_exactly(log: &EmbeddedLog, names: &[&str]) -> bool {
    let records = Snapshot::of(log).await.unwrap().records;
    records.len() == names.len() && names.iter().all(|name| records.contains(&forever(name)))
}

/// Waits until a condition is met.
fn wait_until(what: &str, is_met: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_met() {
        assert!(started.elapsed() < Duration::from_secs(60), "never {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(unix)]
#[tokio::test]
async fn moved_file_fails_appends_until_it_is_back() {
    let temp = TempPath::new();
    let log = temp.open();
    let index = Index::follow(&log).await.unwrap();
    append(&log, "a").await;
    let away = temp.beside("away.redb");
    fs::rename(&temp.path, &away).unwrap();

    assert_eq!(refused(&log, "b").await, LogErrorKind::Missing);
    // The record that covers this one would be missing after a restart.
    assert_eq!(refused(&log, "a").await, LogErrorKind::Closed);
    let health = log.health();
    assert_eq!(health.cause().unwrap().kind(), LogErrorKind::Missing);
    assert!(!health.is_writable() && index.readiness().is_ready());

    fs::rename(&away, &temp.path).unwrap();
    wait_until("writable", || log.health().is_writable());
    append(&log, "c").await;
    assert!(index.covers_selector(&Selector::grant("c"), None));
    drop(log);
    let log = temp.open();
    let records = Snapshot::of(&log).await.unwrap().records;
    assert!(records.contains(&forever("a")) && records.contains(&forever("c")));
}

#[cfg(unix)]
#[tokio::test]
async fn deleted_file_is_noticed_without_an_append() {
    let temp = TempPath::new();
    let log = temp.open();
    fs::remove_file(&temp.path).unwrap();
    wait_until("failing", || !log.health().is_writable());
    let health = log.health();
    assert_eq!(health.cause().unwrap().kind(), LogErrorKind::Missing);
}

#[cfg(unix)]
#[tokio::test]
async fn folder_replaced_by_an_empty_one_fails_appends() {
    let temp = TempPath::new();
    let mounted = temp.beside("mounted");
    fs::create_dir(&mounted).unwrap();
    let log = EmbeddedLog::open(mounted.join("log.redb")).unwrap();
    append(&log, "a").await;
    fs::rename(&mounted, temp.beside("elsewhere")).unwrap();
    fs::create_dir(&mounted).unwrap();
    assert_eq!(refused(&log, "b").await, LogErrorKind::Missing);
    assert!(fs::read_dir(&mounted).unwrap().next().is_none());
}

#[cfg(unix)]
#[tokio::test]
async fn second_log_at_a_path_whose_file_was_deleted_stops_the_first() {
    let temp = TempPath::new();
    let first = temp.open();
    append(&first, "a").await;
    fs::remove_file(&temp.path).unwrap();
    let second = temp.open();
    append(&second, "b").await;
    assert_eq!(refused(&first, "c").await, LogErrorKind::Replaced);
    append(&second, "d").await;
    assert!(has_exactly(&second, &["b", "d"]).await);
}

#[cfg(unix)]
#[tokio::test]
async fn older_state_in_place_of_the_file_is_never_used() {
    let temp = TempPath::new();
    let log = temp.open();
    append(&log, "a").await;
    let older = temp.beside("older.redb");
    log.backup(&older).await.unwrap();
    append(&log, "b").await;
    fs::rename(&older, &temp.path).unwrap();

    assert_eq!(refused(&log, "c").await, LogErrorKind::Replaced);
    // Attempts to recover do not accept the file.
    wait_until("failing through an attempt", || {
        let health = log.health();
        health.failing_for().unwrap() > Duration::from_millis(1500)
    });
    let health = log.health();
    assert_eq!(health.cause().unwrap().kind(), LogErrorKind::Replaced);
}

#[cfg(unix)]
#[tokio::test]
async fn equal_state_in_place_of_the_file_is_used() {
    let temp = TempPath::new();
    let log = temp.open();
    append(&log, "a").await;
    append(&log, "b").await;
    let copy = temp.beside("copy.redb");
    log.backup(&copy).await.unwrap();
    fs::rename(&copy, &temp.path).unwrap();

    assert_eq!(refused(&log, "c").await, LogErrorKind::Replaced);
    wait_until("writable", || log.health().is_writable());
    append(&log, "d").await;
    assert!(has_exactly(&log, &["a", "b", "d"]).await);
}

#[tokio::test]
async fn open_existing_fails_without_a_file_and_makes_none() {
    let temp = TempPath::new();
    let error = EmbeddedLog::open_existing(&temp.path).unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Missing);
    let error = EmbeddedLog::open_existing(temp.beside("no/such/folder")).unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Missing);
    assert!(fs::read_dir(temp.folder.path()).unwrap().next().is_none());

    // An empty file is not a log either, although `open` makes a log of it.
    File::create(&temp.path).unwrap();
    let error = EmbeddedLog::open_existing(&temp.path).unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Corrupt);
    assert_eq!(fs::metadata(&temp.path).unwrap().len(), 0);

    append(&temp.open(), "a").await;
    let log = EmbeddedLog::open_existing(&temp.path).unwrap();
    assert!(has_exactly(&log, &["a"]).await);
}

#[tokio::test]
async fn opening_waits_for_a_locked_file() {
    let temp = TempPath::new();
    let old = temp.open();
    append(&old, "a").await;
    let path = temp.path.clone();
    let error = EmbeddedLog::open_within(&path, Duration::from_millis(1)).unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Locked);

    let hour = Duration::from_secs(3600);
    let new = thread::spawn(move || EmbeddedLog::open_existing_within(&path, hour));
    append(&old, "b").await;
    drop(old);
    assert!(has_exactly(&new.join().unwrap().unwrap(), &["a", "b"]).await);
}
