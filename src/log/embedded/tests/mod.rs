//! The log on a simulated disk, and in files.

mod clock;
mod disk;
mod positions;
mod queue;
mod reader;
mod recovery;
mod rows;
#[cfg(feature = "feed")]
mod tail;
mod torn;

use std::sync::atomic::Ordering;

use futures::{executor::block_on, future::join_all};
use redb::Database;

use super::*;
use crate::log::{LogErrorKind, NumericDate, Selector, Snapshot};
use disk::Disk;

#[test]
fn new_file_is_complete_before_it_gets_its_name_and_no_other_file_remains() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    // A file that a killed process has left behind.
    std::fs::write(folder.path().join("log.redb.0123.new"), [0; 64]).unwrap();
    drop(EmbeddedLog::open(&path).unwrap());
    drop(EmbeddedLog::open(&path).unwrap());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}

fn grant(number: usize) -> Vec<Revocation> {
    let selector = Selector::grant(&number.to_string());
    vec![Revocation::forever(selector, NumericDate::FOREVER)]
}

#[test]
fn readers_never_see_records_that_are_not_durable() {
    let disk = Disk::new();
    let log = disk.log();
    let seen = reader::follow(&log);
    block_on(log.append(grant(1))).unwrap();
    assert_eq!(seen.records(), grant(1));
    disk.set(|it| &it.no_sync, true);
    block_on(log.append(grant(2))).unwrap_err();
    assert_eq!(seen.records(), grant(1));
}

#[test]
fn appends_that_wait_together_share_an_fsync() {
    let disk = Disk::new();
    let log = disk.log();
    // The writing thread is blocked, so that all appends wait when it continues.
    let (release, released) = std::sync::mpsc::channel::<()>();
    let hold = log.write(move |_| {
        let _ = released.recv();
        Ok(())
    });
    let before = disk.switches.syncs.load(Ordering::SeqCst);
    let appends: Vec<_> = (0..500).map(|number| log.append(grant(number))).collect();
    release.send(()).unwrap();
    block_on(hold).unwrap();
    for result in block_on(join_all(appends)) {
        result.unwrap();
    }
    let syncs = disk.switches.syncs.load(Ordering::SeqCst) - before;
    assert!(syncs <= 2, "{syncs} fsyncs for 500 appends");
}

#[test]
fn full_queue_is_an_error_and_nothing_is_queued() {
    let log = Disk::new().log();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let hold = log.write(move |_| {
        let _ = released.recv();
        Ok(())
    });
    let mut accepted = 0;
    let refused = loop {
        let mut append = Box::pin(log.append(grant(accepted)));
        // A refusal does not wait.
        match futures::FutureExt::now_or_never(append.as_mut()) {
            Some(result) => break result.unwrap_err(),
            None => accepted += 1,
        }
        assert!(accepted < 100_000);
    };
    assert_eq!(refused.kind(), LogErrorKind::QueueFull);
    release.send(()).unwrap();
    block_on(hold).unwrap();
    // The futures were dropped, but the batches were queued, so they are in the log.
    block_on(log.drain()).unwrap();
    assert_eq!(
        block_on(Snapshot::of(&log)).unwrap().records.len(),
        accepted
    );
}

#[test]
fn append_beyond_the_ceiling_fails_alone() {
    let disk = Disk::new();
    let log = disk.log();
    let log = log.ceiling(2);
    block_on(log.append(grant(1))).unwrap();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let hold = log.write(move |_| {
        let _ = released.recv();
        Ok(())
    });
    let before = disk.switches.syncs.load(Ordering::SeqCst);
    let two = [grant(3), grant(4)].concat();
    let appends = [two, grant(2), grant(5), grant(1)].map(|batch| log.append(batch));
    release.send(()).unwrap();
    block_on(hold).unwrap();
    let results = block_on(join_all(appends));
    let results: Vec<_> = results
        .into_iter()
        .map(|result| result.map_err(|error| error.kind()))
        .collect();
    let sequence = |result: &Result<Position, _>| result.map(|position| position.sequence);
    assert_eq!(
        results.iter().map(sequence).collect::<Vec<_>>(),
        [
            Err(LogErrorKind::Full),
            Ok(2),
            Err(LogErrorKind::Full),
            Ok(2)
        ]
    );
    // They shared one commit, and the refused appends are not in it.
    assert!(disk.switches.syncs.load(Ordering::SeqCst) - before <= 2);
    let mut records = block_on(Snapshot::of(&log)).unwrap().records;
    records.sort_by_key(Revocation::selector);
    let mut expected = [grant(1), grant(2)].concat();
    expected.sort_by_key(Revocation::selector);
    assert_eq!(records, expected);
    block_on(log.append(grant(1))).unwrap();
}

#[test]
fn newer_format_is_refused() {
    assert_eq!(kind_of_format(4), LogErrorKind::UnknownFormat);
}

#[test]
fn format_without_masks_is_refused() {
    for format in [1, 2] {
        assert_eq!(kind_of_format(format), LogErrorKind::UnknownFormat);
    }
}

/// The error for a file of this format.
fn kind_of_format(format: u64) -> LogErrorKind {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    drop(EmbeddedLog::open(&path).unwrap());
    let database = Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    tables::pretend_format(&transaction, format);
    transaction.commit().unwrap();
    drop(database);
    EmbeddedLog::open(&path).unwrap_err().kind()
}

#[test]
fn store_of_another_program_is_refused_and_not_changed() {
    const OTHER: redb::TableDefinition<'_, &str, u64> = redb::TableDefinition::new("other");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.redb");
    let database = Database::create(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction
        .open_table(OTHER)
        .unwrap()
        .insert("key", 42)
        .unwrap();
    transaction.commit().unwrap();
    drop(database);
    assert_eq!(
        EmbeddedLog::open(&path).unwrap_err().kind(),
        LogErrorKind::Corrupt
    );

    let database = Database::open(&path).unwrap();
    let transaction = redb::ReadableDatabase::begin_read(&database).unwrap();
    assert_eq!(transaction.list_tables().unwrap().count(), 1);
}

#[test]
fn sweep_removes_single_records_of_a_commit_and_keeps_the_positions_of_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let log = EmbeddedLog::open(&path).unwrap();
    let expires = |number: usize| match number % 3 {
        0 => NumericDate::now(),
        _ => NumericDate::FOREVER,
    };
    let record = |number: usize| {
        let selector = Selector::grant(&number.to_string());
        Revocation::forever(selector, expires(number))
    };
    // More than one row.
    let batch: Vec<_> = (0..200).map(record).collect();
    block_on(log.append(batch.clone())).unwrap();
    assert_eq!(block_on(log.sweep()).unwrap(), 67);
    assert_eq!(block_on(log.sweep()).unwrap(), 0);

    drop(log);
    let log = EmbeddedLog::open(&path).unwrap();
    let kept = batch
        .iter()
        .filter(|record| record.expires() == NumericDate::FOREVER);
    let kept: Vec<_> = kept.copied().collect();
    let snapshot = block_on(Snapshot::of(&log)).unwrap();
    assert_eq!((snapshot.records, snapshot.position.sequence), (kept, 200));
    assert_eq!(block_on(log.append(grant(1000))).unwrap().sequence, 201);
}

#[test]
fn reader_inside_a_commit_gets_the_rest_of_it() {
    let log = Disk::new().log();
    let batch: Vec<_> = (0..100).flat_map(grant).collect();
    let last = block_on(log.append(batch.clone())).unwrap();
    for sequence in [0, 1, 50, 77, 78, 79, 99, 100] {
        let rest = usize::try_from(sequence).unwrap();
        let records = reader::after(&log, Position { sequence, ..last });
        assert_eq!(records.unwrap(), batch[rest..]);
    }
}
