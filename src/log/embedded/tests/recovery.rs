//! A log that has failed reports it, and recovers without help.

use std::{
    sync::{Arc, Mutex, atomic::Ordering, mpsc::channel},
    time::{Duration, Instant},
};

use futures::{executor::block_on, future::join_all};

use super::{
    super::{Work, fault::Fault},
    Disk, grant,
    reader::{after, everything, follow},
};
use crate::{
    enforce::Index,
    log::{
        EmbeddedLog, LogErrorKind, Moment, NumericDate, Position, Reader, Revocation,
        RevocationLog as _, Snapshot,
    },
};

/// Waits until a condition is met.
fn wait_until(what: &str, is_met: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_met() {
        assert!(started.elapsed() < Duration::from_secs(60), "never {what}");
        std::thread::yield_now();
    }
}

fn wait_for_recovery(log: &EmbeddedLog) {
    wait_until("writable", || log.health().is_writable());
}

#[test]
fn full_disk_fails_appends_until_there_is_space_again() {
    let disk = Disk::new();
    let log = disk.log();
    block_on(log.append(grant(1))).unwrap();
    assert!(log.health().is_writable());

    disk.set(|it| &it.full, true);
    let error = block_on(log.append(grant(2))).unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Storage, "{error:?}");
    assert!(error.retry_delay().unwrap() >= Duration::from_secs(1));
    let health = log.health();
    assert_eq!(health.cause().unwrap().kind(), LogErrorKind::Storage);
    assert!(health.failing_for().is_some() && health.retry_delay().is_some());

    // The append is refused at once and not tried.
    let error = block_on(log.append(grant(3))).unwrap_err();
    assert!(matches!(
        error.kind(),
        LogErrorKind::Closed | LogErrorKind::Storage
    ));
    assert!(error.retry_delay().is_some());

    disk.set(|it| &it.full, false);
    wait_for_recovery(&log);
    block_on(log.append(grant(4))).unwrap();
    let records = block_on(Snapshot::of(&log)).unwrap().records;
    assert!(records.contains(&grant(1)[0]) && records.contains(&grant(4)[0]));
}

#[test]
fn log_is_readable_as_soon_as_a_caller_gets_the_failure() {
    let disk = Disk::uncached();
    let log = disk.log_that_does_not_recover();
    block_on(log.append(grant(1))).unwrap();
    disk.set(|it| &it.full_once_opened, true);
    block_on(log.append(grant(2))).unwrap_err();
    assert_eq!(read(&log).unwrap(), grant(1));
}

#[test]
fn log_is_readable_after_a_periodic_task_has_failed() {
    let disk = Disk::uncached();
    let log = disk.log_that_does_not_recover();
    block_on(log.append(grant(1))).unwrap();
    disk.set(|it| &it.full_once_opened, true);
    let write = Box::new(|work: &mut Work<'_>| {
        work.dirty = true;
        Ok(false)
    });
    log.writer.every("writing", Duration::from_millis(1), write);
    wait_until("failed", || !log.health().is_writable());
    wait_until("readable", || read(&log).is_ok());
    assert!(!log.health().is_writable());
}

#[test]
fn read_waits_while_the_store_is_opened_again() {
    let disk = Disk::uncached();
    let log = disk.log_that_does_not_recover();
    block_on(log.append(grant(1))).unwrap();
    let (other, (sender, found), (early, result)) = (log.clone(), channel(), channel());
    let read_meanwhile = move || {
        std::thread::spawn(move || sender.send(read(&other)));
        // A read that does not wait ends within this time.
        let ended = found.recv_timeout(Duration::from_millis(100));
        early.send((ended.is_ok(), found)).unwrap();
    };
    disk.set(|it| &it.full_once_opened, true);
    *disk.switches.at_open.lock().unwrap() = Some(Box::new(read_meanwhile));
    block_on(log.append(grant(2))).unwrap_err();
    let (ended_early, found) = result.recv().unwrap();
    assert!(!ended_early);
    assert_eq!(found.recv().unwrap().unwrap(), grant(1));
}

/// Reads the store, and not on the writing thread.
fn read(log: &EmbeddedLog) -> Result<Vec<Revocation>, Fault> {
    Ok(everything(log)?.0)
}

#[test]
fn failed_fsync_is_an_error_for_every_append_of_the_commit() {
    let disk = Disk::new();
    let log = disk.log();
    disk.set(|it| &it.no_sync, true);
    let appends: Vec<_> = (0..8).map(|number| log.append(grant(number))).collect();
    for result in block_on(join_all(appends)) {
        result.unwrap_err();
    }
    block_on(log.append(grant(9))).unwrap_err();
    disk.set(|it| &it.no_sync, false);
    wait_for_recovery(&log);
    block_on(log.append(grant(10))).unwrap();
}

#[test]
fn append_that_is_covered_by_another_of_the_same_commit_fails_with_it() {
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
    // The blocking job may have had a commit of its own, which wrote nothing.
    let _ = block_on(hold);
    for result in block_on(join_all(appends)) {
        result.unwrap_err();
    }
}

#[test]
fn readers_get_what_a_failed_commit_left_on_the_disk_before_the_next_append() {
    let disk = Disk::new();
    let log = disk.log();
    let collected = follow(&log);
    block_on(log.append(grant(1))).unwrap();
    disk.set(|it| &it.no_sync, true);
    block_on(log.append(grant(2))).unwrap_err();
    assert_eq!(collected.records(), grant(1));
    disk.set(|it| &it.no_sync, false);
    wait_for_recovery(&log);

    // Whether the second record is there is unknown, but the reader and the log agree.
    let mut seen = collected.records();
    let mut known = block_on(Snapshot::of(&log)).unwrap().records;
    seen.sort_by_key(Revocation::selector);
    known.sort_by_key(Revocation::selector);
    assert_eq!(seen, known);
    block_on(log.append(grant(2))).unwrap();
    assert!(collected.records().contains(&grant(2)[0]));
}

#[test]
fn reader_can_follow_from_a_position_before_a_failure() {
    let disk = Disk::new();
    let log = disk.log();
    let first = block_on(log.append(grant(1))).unwrap();
    block_on(log.append(grant(2))).unwrap();
    disk.set(|it| &it.full, true);
    block_on(log.append(grant(3))).unwrap_err();
    disk.set(|it| &it.full, false);
    wait_for_recovery(&log);
    assert!(after(&log, first).unwrap().starts_with(&grant(2)));
}

#[test]
fn job_that_panics_fails_its_commit_and_the_log_recovers() {
    let log = Disk::new().log();
    block_on(log.append(grant(1))).unwrap();
    let panics = log.write::<(), _>(|_| panic!("on purpose"));
    assert_eq!(block_on(panics).unwrap_err().kind(), LogErrorKind::Storage);
    wait_until("failed or recovered", || {
        block_on(log.append(grant(2))).is_ok()
    });
    assert_eq!(block_on(Snapshot::of(&log)).unwrap().records.len(), 2);
}

#[test]
fn log_recovers_from_a_reader_that_panics() {
    struct Panics(Mutex<bool>);
    impl Reader for Panics {
        fn read(&self, _: &[Revocation]) {
            let panics = std::mem::take(&mut *self.0.lock().unwrap());
            assert!(!panics, "on purpose");
        }
        fn complete(&self, _: Position, _: Moment) {}
        fn forgotten(&self, _: NumericDate) {}
    }
    let log = Disk::new().log();
    let reader: Arc<dyn Reader> = Arc::new(Panics(Mutex::new(true)));
    block_on(log.follow(Arc::downgrade(&reader))).unwrap();
    let collected = follow(&log);
    block_on(log.append(grant(1))).unwrap_err();
    wait_until("recovered", || block_on(log.append(grant(2))).is_ok());
    // The record was durable. Readers that have not seen it get it now.
    let seen = collected.records();
    assert!(seen.contains(&grant(1)[0]) && seen.contains(&grant(2)[0]));
}

#[test]
fn log_can_be_read_and_followed_while_it_cannot_be_written() {
    let disk = Disk::new();
    let log = disk.log();
    block_on(log.append(grant(1))).unwrap();
    disk.set(|it| &it.gone, true);
    let error = block_on(log.append(grant(2))).unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Missing);
    let collected = follow(&log);

    disk.set(|it| &it.gone, false);
    wait_for_recovery(&log);
    block_on(log.append(grant(3))).unwrap();
    assert!(collected.records().contains(&grant(3)[0]));
}

#[test]
fn covered_append_fails_while_the_file_is_gone() {
    let disk = Disk::new();
    let log = disk.log();
    block_on(log.append(grant(1))).unwrap();
    disk.set(|it| &it.gone, true);
    // There is nothing to write, but the record that covers the append is gone.
    block_on(log.append(grant(1))).unwrap_err();
}

#[test]
fn failed_read_makes_the_log_open_the_disk_again() {
    let disk = Disk::uncached();
    let log = disk.log();
    block_on(log.append(grant(1))).unwrap();
    disk.set(|it| &it.unreadable, true);
    block_on(Snapshot::of(&log)).unwrap_err();
    wait_until("failing", || !log.health().is_writable());
    disk.set(|it| &it.unreadable, false);
    wait_for_recovery(&log);
    assert_eq!(block_on(Snapshot::of(&log)).unwrap().records, grant(1));
    block_on(log.append(grant(2))).unwrap();
}

#[test]
fn pause_between_attempts_grows_while_the_disk_fails() {
    let disk = Disk::new();
    let log = disk.log();
    disk.set(|it| &it.full, true);
    block_on(log.append(grant(1))).unwrap_err();
    wait_until("a pause of more than a tenth of a second", || {
        log.health()
            .retry_delay()
            .is_some_and(|pause| pause > Duration::from_millis(100))
    });
    // The pause doubles from one millisecond: seven or eight attempts.
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
    let records = block_on(Snapshot::of(&disk.log())).unwrap().records;
    assert!(records.contains(&grant(1)[0]));
}

#[test]
fn log_on_a_full_disk_opens_for_checks_and_recovers_once_there_is_space() {
    let disk = Disk::new();
    let log = disk.log();
    block_on(log.append(grant(1))).unwrap();
    drop(log);
    // As if the next page did not fit.
    disk.switches.full_once_opened.store(true, Ordering::SeqCst);
    let log = disk.log();
    assert!(!log.health().is_writable());
    let index = block_on(Index::follow(&log)).unwrap();
    assert!(index.covers_selector(&grant(1)[0].selector(), None));
    block_on(log.append(grant(2))).unwrap_err();

    disk.switches
        .full_once_opened
        .store(false, Ordering::SeqCst);
    wait_for_recovery(&log);
    block_on(log.append(grant(2))).unwrap();
    assert!(index.covers_selector(&grant(2)[0].selector(), None));
}
