//! The file of a log is the one at its path, and no other.

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
    introspect::issued::{Grant, IssuedTokens, Mint},
    log::{
        EmbeddedLog, LogErrorKind, NumericDate, Position, Reader, Revocation, RevocationLog as _,
        Selector,
    },
};

fn forever(name: &str) -> Revocation {
    Revocation::forever(Selector::grant(name), NumericDate::FOREVER)
}

/// A path in a folder of its own.
struct Place {
    folder: TempDir,
    path: PathBuf,
}

impl Place {
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

async fn names(log: &EmbeddedLog, names: &[&str]) -> bool {
    let records = log.snapshot().await.unwrap().records;
    records.len() == names.len() && names.iter().all(|name| records.contains(&forever(name)))
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "never {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

#[derive(Default)]
struct Notes(Mutex<Vec<Revocation>>);

impl Reader for Notes {
    fn read(&self, _: Position, records: &[Revocation]) {
        self.0.lock().unwrap().extend(records);
    }
}

/// What a reader at this position is told, now and later.
async fn follow(log: &EmbeddedLog, after: Position) -> Result<Arc<Notes>, LogErrorKind> {
    let notes = Arc::<Notes>::default();
    let reader: Arc<dyn Reader> = notes.clone();
    let tail = log.tail(after, Arc::downgrade(&reader)).await;
    tail.map(|()| notes).map_err(|error| error.kind())
}

#[cfg(unix)]
#[tokio::test]
async fn file_that_is_taken_away_fails_appends_until_it_is_back() {
    let place = Place::new();
    let log = place.open();
    let index = Index::follow(&log).await.unwrap();
    append(&log, "a").await;
    let away = place.beside("away.redb");
    fs::rename(&place.path, &away).unwrap();

    assert_eq!(refused(&log, "b").await, LogErrorKind::Missing);
    // What is covered already would be covered by nothing after a restart.
    assert_eq!(refused(&log, "a").await, LogErrorKind::Closed);
    let health = log.health();
    assert_eq!(health.cause().unwrap().kind(), LogErrorKind::Missing);
    assert!(!health.is_writable() && index.readiness().is_ready());

    fs::rename(&away, &place.path).unwrap();
    until("writable", || log.health().is_writable());
    append(&log, "c").await;
    assert!(index.covers_selector(&Selector::grant("c"), None));
    drop(log);
    let log = place.open();
    let records = log.snapshot().await.unwrap().records;
    assert!(records.contains(&forever("a")) && records.contains(&forever("c")));
}

#[cfg(unix)]
#[tokio::test]
async fn file_that_is_deleted_is_noticed_though_nothing_is_appended() {
    let place = Place::new();
    let log = place.open();
    fs::remove_file(&place.path).unwrap();
    until("failing", || !log.health().is_writable());
    let health = log.health();
    assert_eq!(health.cause().unwrap().kind(), LogErrorKind::Missing);
}

#[cfg(unix)]
#[tokio::test]
async fn folder_that_is_replaced_by_an_empty_one_fails_appends() {
    let place = Place::new();
    let mounted = place.beside("mounted");
    fs::create_dir(&mounted).unwrap();
    let log = EmbeddedLog::open(mounted.join("log.redb")).unwrap();
    append(&log, "a").await;
    fs::rename(&mounted, place.beside("elsewhere")).unwrap();
    fs::create_dir(&mounted).unwrap();
    assert_eq!(refused(&log, "b").await, LogErrorKind::Missing);
    assert!(fs::read_dir(&mounted).unwrap().next().is_none());
}

#[cfg(unix)]
#[tokio::test]
async fn second_process_at_a_path_whose_file_was_unlinked_ends_the_first() {
    let place = Place::new();
    let first = place.open();
    append(&first, "a").await;
    fs::remove_file(&place.path).unwrap();
    let second = place.open();
    append(&second, "b").await;
    assert_eq!(refused(&first, "c").await, LogErrorKind::Replaced);
    append(&second, "d").await;
    assert!(names(&second, &["b", "d"]).await);
}

#[cfg(unix)]
#[tokio::test]
async fn older_state_in_the_place_of_the_file_is_never_taken_for_it() {
    let place = Place::new();
    let log = place.open();
    append(&log, "a").await;
    let older = place.beside("older.redb");
    log.backup(&older).await.unwrap();
    append(&log, "b").await;
    fs::rename(&older, &place.path).unwrap();

    assert_eq!(refused(&log, "c").await, LogErrorKind::Replaced);
    // Attempts to recover go by, and it still is another.
    until("an attempt", || {
        let health = log.health();
        health.failing_for().unwrap() > Duration::from_millis(1500)
    });
    let health = log.health();
    assert_eq!(health.cause().unwrap().kind(), LogErrorKind::Replaced);
}

#[cfg(unix)]
#[tokio::test]
async fn equal_state_in_the_place_of_the_file_is_gone_on_with() {
    let place = Place::new();
    let log = place.open();
    append(&log, "a").await;
    let position = append(&log, "b").await;
    let copy = place.beside("copy.redb");
    log.backup(&copy).await.unwrap();
    fs::rename(&copy, &place.path).unwrap();

    assert_eq!(refused(&log, "c").await, LogErrorKind::Replaced);
    until("writable", || log.health().is_writable());
    append(&log, "d").await;
    assert!(names(&log, &["a", "b", "d"]).await);
    let notes = follow(&log, position).await.unwrap();
    assert_eq!(*notes.0.lock().unwrap(), [forever("d")]);
}

#[tokio::test]
async fn missing_file_is_an_error_where_one_is_expected_and_none_is_made() {
    let place = Place::new();
    let error = EmbeddedLog::open_existing(&place.path).unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Missing);
    let error = EmbeddedLog::open_existing(place.beside("no/such/folder")).unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Missing);
    assert!(fs::read_dir(place.folder.path()).unwrap().next().is_none());

    // Neither is an empty one a log, though a log can be made of it.
    File::create(&place.path).unwrap();
    let error = EmbeddedLog::open_existing(&place.path).unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Corrupt);
    assert_eq!(fs::metadata(&place.path).unwrap().len(), 0);

    append(&place.open(), "a").await;
    let log = EmbeddedLog::open_existing(&place.path).unwrap();
    assert!(names(&log, &["a"]).await);
}

#[tokio::test]
async fn restored_copy_is_another_log_to_a_reader_that_was_further() {
    let place = Place::new();
    let log = place.open();
    let shared = append(&log, "a").await;
    let copy = place.beside("copy.redb");
    log.backup(&copy).await.unwrap();
    let further = append(&log, "b").await;
    drop(log);

    // Over the file itself, as `cp` does it: the same inode.
    fs::write(&place.path, fs::read(&copy).unwrap()).unwrap();
    let log = place.open();
    assert_eq!(follow(&log, further).await.err(), Some(LogErrorKind::Gap));
    for name in ["c", "d", "e"] {
        append(&log, name).await;
    }
    // Also once the copy has come further than the reader.
    assert_eq!(follow(&log, further).await.err(), Some(LogErrorKind::Gap));
    let notes = follow(&log, shared).await.unwrap();
    assert_eq!(
        *notes.0.lock().unwrap(),
        [forever("c"), forever("d"), forever("e")]
    );
}

#[tokio::test]
async fn two_copies_of_one_log_go_two_ways() {
    let place = Place::new();
    let log = place.open();
    append(&log, "a").await;
    drop(log);
    let copy = place.beside("copy.redb");
    fs::copy(&place.path, &copy).unwrap();
    let (one, other) = (place.open(), EmbeddedLog::open(&copy).unwrap());
    let (of_one, of_other) = (append(&one, "b").await, append(&other, "c").await);
    append(&one, "d").await;
    append(&other, "e").await;
    assert_eq!(follow(&one, of_other).await.err(), Some(LogErrorKind::Gap));
    assert_eq!(follow(&other, of_one).await.err(), Some(LogErrorKind::Gap));
}

#[tokio::test]
async fn positions_are_followed_across_many_openings() {
    let place = Place::new();
    let mut positions = Vec::new();
    for name in ["a", "b", "c", "d"] {
        positions.push(append(&place.open(), name).await);
    }
    let log = place.open();
    let notes = follow(&log, positions[1]).await.unwrap();
    assert_eq!(*notes.0.lock().unwrap(), [forever("c"), forever("d")]);
    let beyond = Position {
        sequence: positions[1].sequence + 1,
        ..positions[1]
    };
    assert_eq!(follow(&log, beyond).await.err(), Some(LogErrorKind::Gap));
}

#[tokio::test]
async fn backup_has_what_was_answered_before_it_while_appends_go_on() {
    let place = Place::new();
    let log = place.open();
    for name in 0..100 {
        append(&log, &format!("before {name}")).await;
    }
    let during = (0..100).map(|name| log.append(vec![forever(&format!("during {name}"))]));
    let copy = place.beside("copy.redb");
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
async fn backup_has_registered_tokens_too_and_is_restored_as_a_log_that_goes_on() {
    let place = Place::new();
    let log = place.open();
    let tokens = IssuedTokens::open(log.clone()).await.unwrap();
    let mint = vec![Mint::access_token(Duration::from_secs(600))];
    let issued = tokens.issue(Grant::new("g1", "c1"), mint).await.unwrap();
    let token = &issued.unwrap()[0].token;
    append(&log, "a").await;
    let backup = place.beside("backup.redb");
    log.backup(&backup).await.unwrap();

    let restored = place.beside("restored.redb");
    let log = EmbeddedLog::restore(&backup, &restored).unwrap();
    let tokens = IssuedTokens::open(log.clone()).await.unwrap();
    assert!(tokens.introspect(token).unwrap().is_some());
    append(&log, "b").await;
    assert!(names(&log, &["a", "b"]).await);
    // The backup is as it was.
    assert!(names(&EmbeddedLog::open(&backup).unwrap(), &["a"]).await);
}

#[tokio::test]
async fn neither_backup_nor_restore_writes_over_a_file() {
    let place = Place::new();
    let log = place.open();
    let other = place.beside("other");
    fs::write(&other, "precious").unwrap();
    let error = log.backup(&other).await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Storage);
    assert_eq!(fs::read(&other).unwrap(), b"precious");

    let backup = place.beside("backup.redb");
    log.backup(&backup).await.unwrap();
    EmbeddedLog::restore(&backup, &other).unwrap_err();
    assert_eq!(fs::read(&other).unwrap(), b"precious");
    // And nothing is left behind, and the log goes on.
    assert_eq!(fs::read_dir(place.folder.path()).unwrap().count(), 3);
    append(&log, "a").await;
}

#[tokio::test]
async fn backup_that_is_no_log_leaves_the_path_free_for_one_that_is() {
    let place = Place::new();
    let log = place.open();
    append(&log, "a").await;
    let [backup, bad, restored] =
        ["backup.redb", "bad", "restored.redb"].map(|name| place.beside(name));
    log.backup(&backup).await.unwrap();
    let good = fs::read(&backup).unwrap();
    let foreign = place.beside("foreign.redb");
    foreign_store(&foreign);

    for (what, octets) in [
        ("nonsense", b"nonsense".to_vec()),
        ("nothing", Vec::new()),
        ("a store of something else", fs::read(&foreign).unwrap()),
        ("its first page", good[..4096].to_vec()),
        ("its first half", good[..good.len() / 2].to_vec()),
        ("another magic number", [b"ReDb", &good[4..]].concat()),
    ] {
        fs::write(&bad, &octets).unwrap();
        let error = EmbeddedLog::restore(&bad, &restored).unwrap_err();
        assert_eq!(error.kind(), LogErrorKind::Corrupt, "{what}: {error:?}");
        assert!(!restored.exists(), "{what}");
        assert_eq!(fs::read(&bad).unwrap(), octets, "{what}");
    }
    let error = EmbeddedLog::restore(place.beside("none"), &restored).unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Missing);
    // No draft either.
    assert_eq!(fs::read_dir(place.folder.path()).unwrap().count(), 4);

    let log = EmbeddedLog::restore(&backup, &restored).unwrap();
    assert!(names(&log, &["a"]).await);
    assert_eq!(fs::read(&backup).unwrap(), good);
}

/// What another program keeps in the same format of files.
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
async fn backup_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let backup = place.beside("backup.redb");
    place.open().backup(&backup).await.unwrap();
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
async fn compacting_gives_back_the_room_of_what_was_swept() {
    let place = Place::new();
    let log = place.open();
    for step in 0..20 {
        let batch = (0..2000).map(|name| expired(step * 2000 + name));
        log.append(batch.collect()).await.unwrap();
    }
    append(&log, "stays").await;
    let full = length(&place.path);
    assert_eq!(log.sweep().await.unwrap(), 40_000);
    assert!(log.compact().await.unwrap());
    assert!(length(&place.path) < full / 4);

    assert!(names(&log, &["stays"]).await);
    append(&log, "b").await;
    drop(log);
    assert!(names(&place.open(), &["stays", "b"]).await);
}

#[tokio::test]
async fn log_sweeps_by_itself() {
    let place = Place::new();
    let log = place.open();
    // More than one step.
    log.append((0..3000).map(expired).collect()).await.unwrap();
    append(&log, "stays").await;
    let log = log.sweep_every(Duration::from_millis(10));
    let snapshot = || futures::executor::block_on(log.snapshot()).unwrap();
    until("swept", || snapshot().records.len() == 1);
    // And again.
    log.append((0..10).map(expired).collect()).await.unwrap();
    until("swept again", || snapshot().records.len() == 1);
    assert_eq!(snapshot().forgotten, NumericDate::new(1000));
}

#[tokio::test]
async fn locked_file_is_waited_for() {
    let place = Place::new();
    let old = place.open();
    append(&old, "a").await;
    let path = place.path.clone();
    let error = EmbeddedLog::open_within(&path, Duration::from_millis(1)).unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Locked);

    let hour = Duration::from_secs(3600);
    let new = thread::spawn(move || EmbeddedLog::open_existing_within(&path, hour));
    append(&old, "b").await;
    drop(old);
    assert!(names(&new.join().unwrap().unwrap(), &["a", "b"]).await);
}

#[tokio::test]
async fn time_for_which_the_file_lay_still_may_be_a_jump_of_the_clock() {
    let place = Place::new();
    let log = place.open();
    log.append(vec![expired(1)]).await.unwrap();
    drop(log);
    let file = File::options().write(true).open(&place.path).unwrap();
    let before = SystemTime::now() - Duration::from_secs(2 * 3600);
    file.set_modified(before).unwrap();

    let log = place.open();
    let tokens = IssuedTokens::open(log.clone()).await.unwrap();
    let error = log.sweep().await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::ClockJumped);
    let error = tokens.sweep().await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::ClockJumped);
    assert_eq!(log.snapshot().await.unwrap().records, [expired(1)]);
}
