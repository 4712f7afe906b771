//! Backups, and logs that are restored from them.

use super::*;
use tower_revocation::log::Snapshot;

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
    let records = Snapshot::of(&copy).await.unwrap().records;
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
    assert!(tokens.introspect(token).await.unwrap().is_some());
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
