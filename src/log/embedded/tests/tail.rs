//! Reading the file page by page, as those that follow it over HTTP do.

use futures::executor::block_on;

use super::{super::tail::Tail, *};

fn record(number: u64) -> Revocation {
    Revocation::forever(Selector::grant(&number.to_string()), NumericDate::FOREVER)
}

/// Reads everything after a position.
fn read(log: &EmbeddedLog, mut after: Position) -> (Vec<Revocation>, Position) {
    let mut records = Vec::new();
    loop {
        let Tail {
            is_known,
            records: more,
            upto,
            more: is_more,
            ..
        } = log.tail(after).unwrap();
        assert!(is_known);
        records.extend(more);
        after = upto;
        if !is_more {
            return (records, upto);
        }
    }
}

fn tail(log: &EmbeddedLog, after: Position) -> Tail {
    log.tail(after).unwrap()
}

#[test]
fn pages_have_every_record_once_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(folder.path().join("log.redb")).unwrap();
    let empty = tail(&log, Position::default());
    assert_eq!((empty.upto, empty.more), (Position::default(), false));
    let records: Vec<_> = (0..10_000).map(record).collect();
    block_on(log.append(records[..9_990].to_vec())).unwrap();
    for single in &records[9_990..] {
        block_on(log.append(vec![*single])).unwrap();
    }
    let (read_records, end) = read(&log, Position::default());
    assert_eq!(read_records, records);
    assert_eq!(end.sequence, 10_000);
    assert_eq!(tail(&log, end).upto, end);
    block_on(log.append(vec![record(10_000)])).unwrap();
    assert_eq!(read(&log, end).0, [record(10_000)]);
}

#[test]
fn sweep_between_two_pages_loses_nothing_that_is_alive() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(folder.path().join("log.redb")).unwrap();
    let past = |number: u64| {
        let selector = Selector::grant(&format!("past {number}"));
        Revocation::forever(selector, NumericDate::new(1000 + number))
    };
    block_on(log.append((0..6000).map(past).collect())).unwrap();
    block_on(log.append((0..6000).map(record).collect())).unwrap();
    let first = tail(&log, Position::default());
    assert!(first.more && first.forgotten == NumericDate::new(0));
    assert_eq!(block_on(log.sweep()).unwrap(), 6000);
    let (rest, end) = read(&log, first.upto);
    assert_eq!(rest, (0..6000).map(record).collect::<Vec<_>>());
    assert_eq!(tail(&log, end).forgotten, NumericDate::new(6999));
    // Also what is at the end of everything.
    assert_eq!(read(&log, Position::default()), (rest, end));
}

#[test]
fn file_that_was_opened_again_has_the_same_history_and_an_older_copy_has_another_one() {
    let folder = tempfile::tempdir().unwrap();
    let [path, copy] = ["log.redb", "copy.redb"].map(|name| folder.path().join(name));
    let log = EmbeddedLog::open(&path).unwrap();
    block_on(log.append(vec![record(1)])).unwrap();
    block_on(log.backup(&copy)).unwrap();
    let shared = tail(&log, Position::default());
    block_on(log.append(vec![record(2)])).unwrap();
    let lost = tail(&log, shared.upto);
    drop(log);

    let log = EmbeddedLog::open(&path).unwrap();
    let again = tail(&log, lost.upto);
    assert!(again.is_known && again.records.is_empty());
    assert_eq!((again.file, again.upto), (shared.file, lost.upto));
    drop(log);

    std::fs::remove_file(&path).unwrap();
    let log = EmbeddedLog::restore(&copy, &path).unwrap();
    assert!(!tail(&log, lost.upto).is_known);
    // The number is there again, with another record.
    block_on(log.append(vec![record(3)])).unwrap();
    let other = tail(&log, lost.upto);
    assert_eq!(other.records, [record(1), record(3)]);
    assert!(!other.is_known && other.upto != lost.upto);
    assert_eq!(read(&log, shared.upto).0, [record(3)]);
}

#[test]
fn file_that_was_opened_very_often_is_read_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let log = EmbeddedLog::open(&path).unwrap();
    block_on(log.append((0..6000).map(record).collect())).unwrap();
    let first = tail(&log, Position::default()).upto;
    let begin_again = log.write(|work| {
        let mut epochs = work.transaction.open_table(epochs::EPOCHS)?;
        for _ in 0..1030 {
            epochs::begin(&mut epochs, 6000)?;
        }
        work.dirty = true;
        Ok(())
    });
    block_on(begin_again).unwrap();
    assert!(!tail(&log, first).is_known);
    assert_eq!(read(&log, Position::default()).0.len(), 6000);
}

#[test]
fn file_that_was_replaced_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let log = EmbeddedLog::open(&path).unwrap();
    tail(&log, Position::default());
    std::fs::remove_file(&path).unwrap();
    let error = log.tail(Position::default()).unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Missing);
}
