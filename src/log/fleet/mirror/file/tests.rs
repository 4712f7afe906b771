//! Files that are opened again, and files of others.

use super::*;

fn grant(number: usize) -> Revocation {
    let selector = crate::log::Selector::grant(&number.to_string());
    Revocation::forever(selector, NumericDate::FOREVER)
}

async fn open(path: &std::path::Path, id: &str) -> Result<(File, UpTo), String> {
    let opened = File::open(path.into(), id.into()).await;
    opened.map_err(|unusable| unusable.to_string())
}

#[tokio::test]
async fn file_knows_its_log_and_how_much_of_it_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mirror.redb");
    let up_to = KeptUpTo {
        incarnation: Incarnation(7),
        cursor: Cursor {
            sequence: 5000,
            mark: u64::MAX,
        },
    };
    let (file, found) = open(&path, "a").await.unwrap();
    assert_eq!(found, UpTo::New);
    file.write((0..5000).map(grant).collect(), Some(up_to))
        .await
        .unwrap();
    drop(file);
    let (file, found) = open(&path, "a").await.unwrap();
    assert_eq!(found, UpTo::Known(up_to));
    let (mut records, mut after) = (Vec::new(), Some(0));
    while let Some(place) = after {
        let piece = file.piece(place).unwrap();
        records.extend(piece.records);
        after = piece.next;
    }
    assert_eq!(records, (0..5000).map(grant).collect::<Vec<_>>());

    file.write(vec![grant(5000)], None).await.unwrap();
    drop(file);
    let (file, found) = open(&path, "a").await.unwrap();
    assert_eq!(found, UpTo::Unknown);
    // Another process has it open.
    let error = open(&path, "a").await.unwrap_err();
    assert!(error.contains("open in another process"), "{error}");
    drop(file);
    let error = open(&path, "b").await.unwrap_err();
    assert!(error.contains("mirror of another log"), "{error}");
}

#[tokio::test]
async fn file_that_is_no_mirror_is_refused_and_stays_as_it_is() {
    use crate::log::{RevocationLog as _, Snapshot};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let log = EmbeddedLog::open(&path).unwrap();
    log.append(vec![grant(1)]).await.unwrap();
    drop(log);
    let error = open(&path, "a").await.unwrap_err();
    assert!(error.contains("is a log and not a mirror"), "{error}");
    let log = EmbeddedLog::open(&path).unwrap();
    assert_eq!(Snapshot::of(&log).await.unwrap().records, [grant(1)]);
    drop(log);

    std::fs::write(&path, "text").unwrap();
    let error = open(&path, "a").await.unwrap_err();
    assert!(error.contains("damaged"), "{error}");
    let error = open(&folder.path().join("no/such"), "a").await.unwrap_err();
    assert!(error.contains("no/such"), "{error}");
}
