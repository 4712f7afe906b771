//! What happens at the same time as a commit.

use std::sync::{
    Arc, Mutex,
    mpsc::{Sender, channel},
};

use futures::{FutureExt as _, executor::block_on};

use super::{Disk, grant};
use crate::log::{
    EmbeddedLog, LogError, LogErrorKind, Position, Reader, Revocation, RevocationLog as _,
    Selector, embedded::queue::QUOTA,
};

#[derive(Default)]
struct Notes(Mutex<Vec<Revocation>>);

impl Reader for Notes {
    fn read(&self, _: Position, records: &[Revocation]) {
        self.0.lock().unwrap().extend(records);
    }
}

/// Holds up the thread that writes, until something is sent.
fn hold(
    log: &EmbeddedLog,
) -> (
    Sender<()>,
    impl Future<Output = Result<(), LogError>> + use<>,
) {
    let (release, released) = channel::<()>();
    let held = log.write(move |_| {
        let _ = released.recv();
        Ok(())
    });
    (release, held)
}

#[test]
fn snapshot_has_every_record_up_to_its_position_whatever_is_appended_meanwhile() {
    let mut reads = 0;
    loop {
        let disk = Disk::uncached();
        let log = disk.log();
        for number in 0..40 {
            block_on(log.append(grant(number))).unwrap();
        }
        // After so many reads of the disk, another record is committed.
        let other = log.clone();
        let append = move || {
            let append = || block_on(other.append(grant(1000))).unwrap();
            std::thread::scope(|scope| drop(scope.spawn(append)));
        };
        *disk.switches.at_read.lock().unwrap() = Some((reads, Box::new(append)));
        let snapshot = block_on(log.snapshot()).unwrap();
        assert_eq!(
            snapshot.records.len() as u64,
            snapshot.position.sequence,
            "appended after {reads} reads"
        );
        if disk.switches.at_read.lock().unwrap().is_some() {
            assert!(reads > 2, "the snapshot was read from elsewhere");
            break;
        }
        reads += 1;
    }
}

#[test]
fn tail_that_waits_for_its_turn_hears_what_is_committed_before_it() {
    let log = Disk::new().log();
    let start = block_on(log.snapshot()).unwrap().position;
    let (release, held) = hold(&log);
    let append = log.append(grant(1));
    let notes = Arc::<Notes>::default();
    let reader: Arc<dyn Reader> = notes.clone();
    let mut tail = Box::pin(log.tail(start, Arc::downgrade(&reader)));
    // It is queued now, and would read now what it has missed, if it did not wait for its turn.
    assert!(tail.as_mut().now_or_never().is_none());
    release.send(()).unwrap();
    block_on(held).unwrap();
    block_on(append).unwrap();
    block_on(tail).unwrap();
    block_on(log.append(grant(2))).unwrap();
    assert_eq!(*notes.0.lock().unwrap(), [grant(1), grant(2)].concat());
}

#[test]
fn reader_that_is_added_again_is_told_once() {
    let log = Disk::new().log();
    let start = block_on(log.snapshot()).unwrap().position;
    let notes = Arc::<Notes>::default();
    let reader: Arc<dyn Reader> = notes.clone();
    for _ in 0..3 {
        block_on(log.tail(start, Arc::downgrade(&reader))).unwrap();
    }
    block_on(log.append(grant(1))).unwrap();
    assert_eq!(*notes.0.lock().unwrap(), grant(1));
}

#[test]
fn client_that_fills_its_quota_of_the_queue_leaves_the_rest_to_others() {
    let log = Disk::new().log();
    let (release, held) = hold(&log);
    let [greedy, other] = ["greedy", "other"].map(Selector::client);
    let mut appends = Vec::new();
    for number in 0..QUOTA {
        let mut append = Box::pin(log.append_for(greedy, usize::MAX, grant(number)));
        assert!(append.as_mut().now_or_never().is_none());
        // Whether anybody waits for it makes no difference.
        if number % 2 == 0 {
            appends.push(append);
        }
    }
    let refused = block_on(log.append_for(greedy, usize::MAX, grant(QUOTA))).unwrap_err();
    assert_eq!(refused.kind(), LogErrorKind::QueueFull);
    let others = [
        log.append_for(other, usize::MAX, grant(QUOTA + 1)),
        log.append_for(other, usize::MAX, grant(QUOTA + 2)),
    ];
    release.send(()).unwrap();
    block_on(held).unwrap();
    for append in others {
        block_on(append).unwrap();
    }
    for append in appends {
        block_on(append).unwrap();
    }
    // The quota is free again.
    let again = log.append_for(greedy, usize::MAX, grant(QUOTA));
    block_on(again).unwrap();
    let records = block_on(log.snapshot()).unwrap().records;
    assert_eq!(records.len(), QUOTA + 3);
}
