//! A log that has failed says so, and comes back by itself.

use std::{
    sync::{Arc, Mutex, atomic::Ordering},
    time::{Duration, Instant},
};

use futures::{executor::block_on, future::join_all};

use super::{Disk, grant};
use crate::{
    enforce::Index,
    log::{EmbeddedLog, LogErrorKind, Position, Reader, Revocation, RevocationLog as _},
};

#[derive(Default)]
struct Notes(Mutex<Vec<Revocation>>);

impl Reader for Notes {
    fn read(&self, _: Position, records: &[Revocation]) {
        self.0.lock().unwrap().extend(records);
    }
}

fn follow(log: &EmbeddedLog) -> Arc<Notes> {
    let notes = Arc::<Notes>::default();
    let reader: Arc<dyn Reader> = notes.clone();
    let position = block_on(log.snapshot()).unwrap().position;
    block_on(log.tail(position, Arc::downgrade(&reader))).unwrap();
    notes
}

/// Waits until something is so.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "never {what}");
        std::thread::yield_now();
    }
}

fn recovered(log: &EmbeddedLog) {
    until("writable", || log.health().is_writable());
}

#[test]
fn full_disk_is_an_error_until_there_is_room_and_then_the_log_goes_on() {
    let disk = Disk::new();
    let log = disk.log();
    block_on(log.append(grant(1))).unwrap();
    assert!(log.health().is_writable());

    disk.set(|it| &it.full, true);
    let error = block_on(log.append(grant(2))).unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Storage, "{error:?}");
    assert!(error.retry_after().unwrap() >= Duration::from_secs(1));
    let health = log.health();
    assert_eq!(health.cause().unwrap().kind(), LogErrorKind::Storage);
    assert!(health.failing_for().is_some() && health.retry_after().is_some());

    // Not tried, and said at once.
    let error = block_on(log.append(grant(3))).unwrap_err();
    assert!(matches!(
        error.kind(),
        LogErrorKind::Closed | LogErrorKind::Storage
    ));
    assert!(error.retry_after().is_some());

    disk.set(|it| &it.full, false);
    recovered(&log);
    block_on(log.append(grant(4))).unwrap();
    let records = block_on(log.snapshot()).unwrap().records;
    assert!(records.contains(&grant(1)[0]) && records.contains(&grant(4)[0]));
}

#[test]
fn failed_fsync_is_an_error_for_everybody_who_waited_for_it() {
    let disk = Disk::new();
    let log = disk.log();
    disk.set(|it| &it.no_sync, true);
    let appends: Vec<_> = (0..8).map(|number| log.append(grant(number))).collect();
    for answer in block_on(join_all(appends)) {
        answer.unwrap_err();
    }
    block_on(log.append(grant(9))).unwrap_err();
    disk.set(|it| &it.no_sync, false);
    recovered(&log);
    block_on(log.append(grant(10))).unwrap();
}

#[test]
fn append_that_is_covered_by_one_of_the_same_commit_fails_with_it() {
    let disk = Disk::new();
    let log = disk.log();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let hold = log.write(move |_| {
        let _ = released.recv();
        Ok(())
    });
    let appends = [log.append(grant(1)), log.append(grant(1))];
    disk.set(|it| &it.no_sync, true);
    release.send(()).unwrap();
    // The first to wait may have had a commit of its own, in which there was nothing to write.
    let _ = block_on(hold);
    for answer in block_on(join_all(appends)) {
        answer.unwrap_err();
    }
}

#[test]
fn what_a_failed_commit_left_on_the_disk_is_told_to_readers_before_the_log_goes_on() {
    let disk = Disk::new();
    let log = disk.log();
    let notes = follow(&log);
    block_on(log.append(grant(1))).unwrap();
    disk.set(|it| &it.no_sync, true);
    block_on(log.append(grant(2))).unwrap_err();
    assert_eq!(*notes.0.lock().unwrap(), grant(1));
    disk.set(|it| &it.no_sync, false);
    recovered(&log);

    // Whether the second is there, nobody can know. That both are the same, everybody can.
    let mut heard = notes.0.lock().unwrap().clone();
    let mut known = block_on(log.snapshot()).unwrap().records;
    heard.sort_by_key(Revocation::selector);
    known.sort_by_key(Revocation::selector);
    assert_eq!(heard, known);
    block_on(log.append(grant(2))).unwrap();
    assert!(notes.0.lock().unwrap().contains(&grant(2)[0]));
}

#[test]
fn position_from_before_a_failure_is_followed_after_it() {
    let disk = Disk::new();
    let log = disk.log();
    let first = block_on(log.append(grant(1))).unwrap();
    block_on(log.append(grant(2))).unwrap();
    disk.set(|it| &it.full, true);
    block_on(log.append(grant(3))).unwrap_err();
    disk.set(|it| &it.full, false);
    recovered(&log);
    let notes = Arc::<Notes>::default();
    let reader: Arc<dyn Reader> = notes.clone();
    block_on(log.tail(first, Arc::downgrade(&reader))).unwrap();
    assert!(notes.0.lock().unwrap().starts_with(&grant(2)));
}

#[test]
fn job_that_panics_fails_alone_with_its_commit_and_the_log_goes_on() {
    let log = Disk::new().log();
    block_on(log.append(grant(1))).unwrap();
    let panics = log.write::<(), _>(|_| panic!("on purpose"));
    assert_eq!(block_on(panics).unwrap_err().kind(), LogErrorKind::Storage);
    until("failed or recovered", || {
        block_on(log.append(grant(2))).is_ok()
    });
    assert_eq!(block_on(log.snapshot()).unwrap().records.len(), 2);
}

#[test]
fn reader_that_panics_once_stops_nobody_for_long() {
    struct Panics(Mutex<bool>);
    impl Reader for Panics {
        fn read(&self, _: Position, records: &[Revocation]) {
            let panics = !records.is_empty() && std::mem::take(&mut *self.0.lock().unwrap());
            assert!(!panics, "on purpose");
        }
    }
    let log = Disk::new().log();
    let reader: Arc<dyn Reader> = Arc::new(Panics(Mutex::new(true)));
    let position = block_on(log.snapshot()).unwrap().position;
    block_on(log.tail(position, Arc::downgrade(&reader))).unwrap();
    let notes = follow(&log);
    block_on(log.append(grant(1))).unwrap_err();
    until("recovered", || block_on(log.append(grant(2))).is_ok());
    // The record was durable: those who were not told are told now.
    let heard = notes.0.lock().unwrap().clone();
    assert!(heard.contains(&grant(1)[0]) && heard.contains(&grant(2)[0]));
}

#[test]
fn log_can_be_read_and_followed_while_it_cannot_be_written() {
    let disk = Disk::new();
    let log = disk.log();
    block_on(log.append(grant(1))).unwrap();
    disk.set(|it| &it.gone, true);
    let error = block_on(log.append(grant(2))).unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Missing);
    let notes = follow(&log);

    disk.set(|it| &it.gone, false);
    recovered(&log);
    block_on(log.append(grant(3))).unwrap();
    assert!(notes.0.lock().unwrap().contains(&grant(3)[0]));
}

#[test]
fn covered_append_fails_while_the_file_is_gone() {
    let disk = Disk::new();
    let log = disk.log();
    block_on(log.append(grant(1))).unwrap();
    disk.set(|it| &it.gone, true);
    // There is nothing to write, and nothing that it could rest on.
    block_on(log.append(grant(1))).unwrap_err();
}

#[test]
fn read_that_fails_makes_the_log_open_the_disk_anew() {
    let disk = Disk::uncached();
    let log = disk.log();
    block_on(log.append(grant(1))).unwrap();
    disk.set(|it| &it.unreadable, true);
    block_on(log.snapshot()).unwrap_err();
    until("failing", || !log.health().is_writable());
    disk.set(|it| &it.unreadable, false);
    recovered(&log);
    assert_eq!(block_on(log.snapshot()).unwrap().records, grant(1));
    block_on(log.append(grant(2))).unwrap();
}

#[test]
fn attempts_become_rarer_while_the_disk_fails() {
    let disk = Disk::new();
    let log = disk.log();
    disk.set(|it| &it.full, true);
    block_on(log.append(grant(1))).unwrap_err();
    until("a pause of more than a tenth of a second", || {
        log.health()
            .retry_after()
            .is_some_and(|pause| pause > Duration::from_millis(100))
    });
    // Doubled each time, from a millisecond: seven attempts or eight.
    assert!(disk.switches.opened.load(Ordering::SeqCst) < 20);
}

#[test]
fn log_that_fails_can_be_dropped() {
    let disk = Disk::new();
    let log = disk.log();
    block_on(log.append(grant(1))).unwrap();
    disk.set(|it| &it.full, true);
    block_on(log.append(grant(2))).unwrap_err();
    drop(log);
    disk.set(|it| &it.full, false);
    let records = block_on(disk.log().snapshot()).unwrap().records;
    assert!(records.contains(&grant(1)[0]));
}

#[test]
fn log_on_a_full_disk_is_opened_for_checks_and_goes_on_once_there_is_room() {
    let disk = Disk::new();
    let log = disk.log();
    block_on(log.append(grant(1))).unwrap();
    drop(log);
    // As when the next page does not fit.
    disk.switches.full_once_opened.store(true, Ordering::SeqCst);
    let log = disk.log();
    assert!(!log.health().is_writable());
    let index = block_on(Index::follow(&log)).unwrap();
    assert!(index.covers_selector(&grant(1)[0].selector(), None));
    block_on(log.append(grant(2))).unwrap_err();

    disk.switches
        .full_once_opened
        .store(false, Ordering::SeqCst);
    recovered(&log);
    block_on(log.append(grant(2))).unwrap();
    assert!(index.covers_selector(&grant(2)[0].selector(), None));
}
