//! Which positions belong to the history of a file?

use std::{fs, path::Path};

use futures::executor::block_on;

use super::{Disk, grant, reader::after};
use crate::log::{
    EmbeddedLog, NumericDate, Position, Revocation, RevocationLog as _, Selector, Snapshot,
};

fn append(log: &EmbeddedLog, number: usize) -> Position {
    block_on(log.append(grant(number))).unwrap()
}

fn open(path: &Path) -> EmbeddedLog {
    EmbeddedLog::open(path).unwrap()
}

fn grants(numbers: impl IntoIterator<Item = usize>) -> Vec<Revocation> {
    numbers.into_iter().flat_map(grant).collect()
}

#[test]
fn position_before_the_last_removed_record_is_a_gap() {
    let log = Disk::new().log();
    let start = block_on(Snapshot::of(&log)).unwrap().position;
    let watermark = |not_before| {
        let not_before = NumericDate::new(not_before);
        Revocation::watermark(Selector::subject("alice"), not_before, NumericDate::FOREVER)
    };
    append(&log, 1);
    block_on(log.append(vec![watermark(1000)])).unwrap();
    append(&log, 2);
    block_on(log.append(vec![watermark(2000)])).unwrap();
    // The fourth record has replaced the second.
    assert_eq!(block_on(log.sweep()).unwrap(), 1);

    let after = |sequence| after(&log, Position { sequence, ..start });
    assert_eq!((after(0), after(1)), (None, None));
    assert_eq!(after(2).map(|records| records.len()), Some(2));
    assert_eq!((after(4), after(5)), (Some(grants([])), None));
    // A new reader gets what the history has lost.
    assert_eq!(block_on(Snapshot::of(&log)).unwrap().records.len(), 3);
}

#[test]
fn positions_are_known_across_many_openings() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let positions = [0, 1, 2, 3].map(|number| append(&open(&path), number));
    let log = open(&path);
    assert_eq!(after(&log, positions[1]), Some(grants([2, 3])));
    let beyond = Position {
        sequence: positions[1].sequence + 1,
        ..positions[1]
    };
    assert_eq!(after(&log, beyond), None);
}

#[test]
fn restored_copy_is_a_gap_for_a_reader_that_is_ahead() {
    let folder = tempfile::tempdir().unwrap();
    let [path, copy] = ["log.redb", "copy.redb"].map(|name| folder.path().join(name));
    let log = open(&path);
    let shared = append(&log, 0);
    block_on(log.backup(&copy)).unwrap();
    let ahead = append(&log, 1);
    drop(log);

    // `cp` overwrites the file itself, so the inode stays the same.
    fs::write(&path, fs::read(&copy).unwrap()).unwrap();
    let log = open(&path);
    assert_eq!(after(&log, ahead), None);
    for number in 2..5 {
        append(&log, number);
    }
    // It is still a gap once the copy has passed the reader's position.
    assert_eq!(after(&log, ahead), None);
    assert_eq!(after(&log, shared), Some(grants(2..5)));
}

#[test]
fn two_copies_of_one_log_have_separate_positions() {
    let folder = tempfile::tempdir().unwrap();
    let [path, copy] = ["log.redb", "copy.redb"].map(|name| folder.path().join(name));
    append(&open(&path), 0);
    fs::copy(&path, &copy).unwrap();
    let (one, other) = (open(&path), open(&copy));
    let (of_one, of_other) = (append(&one, 1), append(&other, 2));
    append(&one, 3);
    append(&other, 4);
    assert_eq!((after(&one, of_other), after(&other, of_one)), (None, None));
}
