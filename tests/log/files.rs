//! A log uses only the file at its path.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant, SystemTime},
};

use futures::future::join_all;
use tempfile::TempDir;
use tower_revocation::{
    enforce::Index,
    introspect::issued::{Grant, IssuedTokens, NewToken},
    log::{
        EmbeddedLog, LogErrorKind, NumericDate, Position, Reader, Revocation, RevocationLog as _,
        Selector,
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
    let records = log.snapshot().await.unwrap().records;
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

/// A reader that keeps every record.
#[derive(Default)]
struct Collected(Mutex<Vec<Revocation>>);

impl Reader for Collected {
    fn read(&self, _: Position, records: &[Revocation]) {
        self.0.lock().unwrap().extend(records);
    }
}

/// Adds a reader after a position, which collects existing and later records.
async fn follow(log: &EmbeddedLog, after: Position) -> Result<Arc<Collected>, LogErrorKind> {
    let collected = Arc::<Collected>::default();
    let reader: Arc<dyn Reader> = collected.clone();
    let tail = log.tail(after, Arc::downgrade(&reader)).await;
    tail.map(|()| collected).map_err(|error| error.kind())
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
    let records = log.snapshot().await.unwrap().records;
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
    let position = append(&log, "b").await;
    let copy = temp.beside("copy.redb");
    log.backup(&copy).await.unwrap();
    fs::rename(&copy, &temp.path).unwrap();

    assert_eq!(refused(&log, "c").await, LogErrorKind::Replaced);
    wait_until("writable", || log.health().is_writable());
    append(&log, "d").await;
    assert!(has_exactly(&log, &["a", "b", "d"]).await);
    let collected = follow(&log, position).await.unwrap();
    assert_eq!(*collected.0.lock().unwrap(), [forever("d")]);
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
async fn restored_copy_is_a_gap_for_a_reader_that_is_ahead() {
    let temp = TempPath::new();
    let log = temp.open();
    let shared = append(&log, "a").await;
    let copy = temp.beside("copy.redb");
    log.backup(&copy).await.unwrap();
    let ahead = append(&log, "b").await;
    drop(log);

    // `cp` overwrites the file itself, so the inode stays the same.
    fs::write(&temp.path, fs::read(&copy).unwrap()).unwrap();
    let log = temp.open();
    assert_eq!(follow(&log, ahead).await.err(), Some(LogErrorKind::Gap));
    for name in ["c", "d", "e"] {
        append(&log, name).await;
    }
    // It is still a gap once the copy has passed the reader's position.
    assert_eq!(follow(&log, ahead).await.err(), Some(LogErrorKind::Gap));
    let collected = follow(&log, shared).await.unwrap();
    assert_eq!(
        *collected.0.lock().unwrap(),
        [forever("c"), forever("d"), forever("e")]
    );
}

#[tokio::test]
async fn two_copies_of_one_log_have_separate_positions() {
    let temp = TempPath::new();
    let log = temp.open();
    append(&log, "a").await;
    drop(log);
    let copy = temp.beside("copy.redb");
    fs::copy(&temp.path, &copy).unwrap();
    let (one, other) = (temp.open(), EmbeddedLog::open(&copy).unwrap());
    let (of_one, of_other) = (append(&one, "b").await, append(&other, "c").await);
    append(&one, "d").await;
    append(&other, "e").await;
    assert_eq!(follow(&one, of_other).await.err(), Some(LogErrorKind::Gap));
    assert_eq!(follow(&other, of_one).await.err(), Some(LogErrorKind::Gap));
}

#[tokio::test]
async fn positions_are_followed_across_many_openings() {
    let temp = TempPath::new();
    let mut positions = Vec::new();
    for name in ["a", "b", "c", "d"] {
        positions.push(append(&temp.open(), name).await);
    }
    let log = temp.open();
    let collected = follow(&log, positions[1]).await.unwrap();
    assert_eq!(*collected.0.lock().unwrap(), [forever("c"), forever("d")]);
    let beyond = Position {
        sequence: positions[1].sequence + 1,
        ..positions[1]
    };
    assert_eq!(follow(&log, beyond).await.err(), Some(LogErrorKind::Gap));
}

#[tokio::test]
async fn backup_during_appends_has_every_earlier_record() {
    let temp = TempPath::new();
    let log = temp.open();
    for name in 0..100 {
        append(&log, &format!("before {name}")).await;
    }
    let during = (0..100).map(|name| log.append(vec![forever(&format!("during {name}"))]));
    let copy = temp.beside("copy.redb");
    let (appended, copied) = futures::join!(join_all(during), log.backup(&copy));
    copied.unwrap();
    assert!(appended.iter().all(Result::is_ok));
    append(&log, "after").await;

    let copy = EmbeddedLog::open_existing(&copy).unwrap();
    let records = copy.snapshot().await.unwrap().records;
    for name in 0..100 {
        assert!(records.contains(&forever(&format!("before {name}"))));
    }
    assert!(!records.contains(&forever("after")));
}

#[tokio::test]
async fn backup_includes_registered_tokens_and_is_restored_as_a_writable_log() {
    let temp = TempPath::new();
    let log = temp.open();
    let tokens = IssuedTokens::open(log.clone()).await.unwrap();
    let new = vec![NewToken::access_token(Duration::from_secs(600))];
    let issued = tokens.issue(Grant::new("g1", "c1"), new).await.unwrap();
    let token = &issued.unwrap()[0].token;
    append(&log, "a").await;
    let backup = temp.beside("backup.redb");
    log.backup(&backup).await.unwrap();

    let restored = temp.beside("restored.redb");
    let log = EmbeddedLog::restore(&backup, &restored).unwrap();
    let tokens = IssuedTokens::open(log.clone()).await.unwrap();
    assert!(tokens.introspect(token).unwrap().is_some());
    append(&log, "b").await;
    assert!(has_exactly(&log, &["a", "b"]).await);
    // The backup is unchanged.
    assert!(has_exactly(&EmbeddedLog::open(&backup).unwrap(), &["a"]).await);
}

#[tokio::test]
async fn backup_and_restore_never_overwrite_a_file() {
    let temp = TempPath::new();
    let log = temp.open();
    let other = temp.beside("other");
    fs::write(&other, "precious").unwrap();
    let error = log.backup(&other).await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Storage);
    assert_eq!(fs::read(&other).unwrap(), b"precious");

    let backup = temp.beside("backup.redb");
    log.backup(&backup).await.unwrap();
    EmbeddedLog::restore(&backup, &other).unwrap_err();
    assert_eq!(fs::read(&other).unwrap(), b"precious");
    // No other file remains, and the log is still writable.
    assert_eq!(fs::read_dir(temp.folder.path()).unwrap().count(), 3);
    append(&log, "a").await;
}

#[tokio::test]
async fn failed_restore_leaves_the_path_free_for_another_backup() {
    let temp = TempPath::new();
    let log = temp.open();
    append(&log, "a").await;
    let [backup, bad, restored] =
        ["backup.redb", "bad", "restored.redb"].map(|name| temp.beside(name));
    log.backup(&backup).await.unwrap();
    let good = fs::read(&backup).unwrap();
    let foreign = temp.beside("foreign.redb");
    foreign_store(&foreign);

    for (what, bytes) in [
        ("nonsense", b"nonsense".to_vec()),
        ("nothing", Vec::new()),
        ("a store of something else", fs::read(&foreign).unwrap()),
        ("its first page", good[..4096].to_vec()),
        ("its first half", good[..good.len() / 2].to_vec()),
        ("another magic number", [b"ReDb", &good[4..]].concat()),
    ] {
        fs::write(&bad, &bytes).unwrap();
        let error = EmbeddedLog::restore(&bad, &restored).unwrap_err();
        assert_eq!(error.kind(), LogErrorKind::Corrupt, "{what}: {error:?}");
        assert!(!restored.exists(), "{what}");
        assert_eq!(fs::read(&bad).unwrap(), bytes, "{what}");
    }
    let error = EmbeddedLog::restore(temp.beside("none"), &restored).unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Missing);
    // No temporary file remains.
    assert_eq!(fs::read_dir(temp.folder.path()).unwrap().count(), 4);

    let log = EmbeddedLog::restore(&backup, &restored).unwrap();
    assert!(has_exactly(&log, &["a"]).await);
    assert_eq!(fs::read(&backup).unwrap(), good);
}

/// Makes the file of another program that uses the same file format.
fn foreign_store(path: &Path) {
    let table = redb::TableDefinition::<&str, &str>::new("settings");
    let database = redb::Database::create(path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction
        .open_table(table)
        .unwrap()
        .insert("a", "b")
        .unwrap();
    transaction.commit().unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn backup_is_readable_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let temp = TempPath::new();
    let backup = temp.beside("backup.redb");
    temp.open().backup(&backup).await.unwrap();
    let mode = fs::metadata(backup).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

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
    let snapshot = || futures::executor::block_on(log.snapshot()).unwrap();
    wait_until("swept", || snapshot().records.len() == 1);
    // It sweeps again in the next period.
    log.append((0..10).map(expired).collect()).await.unwrap();
    wait_until("swept again", || snapshot().records.len() == 1);
    assert_eq!(snapshot().forgotten, NumericDate::new(1000));
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
    assert_eq!(log.snapshot().await.unwrap().records, [expired(1)]);
}
