//! Appends, snapshots and readers during a commit.

use std::{
    sync::{
        Arc,
        mpsc::{Sender, channel, sync_channel},
    },
    time::Duration,
};

use futures::{FutureExt as _, executor::block_on};

use super::{
    super::{
        fault::Fault,
        queue::{QUOTA, Reply, Task},
        store::{Storage, Store},
        tables::{self, Expected},
        thread::{Start, Thread},
        work::Work,
    },
    Disk, grant,
    reader::{Collected, everything},
};
use crate::log::{
    EmbeddedLog, LogError, LogErrorKind, Reader, RevocationLog as _, Selector, Snapshot,
};

/// Blocks the writing thread until the sender is used.
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

/// Whether a commit of this job takes the task that its caller queues when it gets the reply.
fn takes_the_next_task(
    thread: &mut Thread,
    job: impl FnOnce(&mut Work<'_>) -> Option<Fault> + Send + 'static,
) -> bool {
    let (sender, tasks) = sync_channel(1);
    let first = Box::new(move |work: Result<&mut Work<'_>, LogError>| {
        let fault = work.map_or(None, job);
        let reply: Reply = Box::new(move |_| {
            let next = Task::BetweenCommits(Box::new(|_, _| {}));
            assert!(sender.send(next).is_ok());
        });
        (reply, fault)
    });
    thread.commit(first, &tasks).is_some()
}

#[test]
fn thread_stays_awake_after_a_commit_that_wrote_something_and_no_other() {
    let disk = Disk::uncached();
    let opened = Storage::open(&disk).unwrap();
    let state = tables::begin(&opened.database, Expected::Any).unwrap();
    let store = Arc::new(Store::new(Box::new(disk), opened));
    let pause = Duration::from_secs(60 * 60);
    let start = Start::Writable(state);
    let mut thread = Thread::new(store, start, Arc::default(), Arc::default(), pause);
    let append = |work: &mut Work<'_>| work.append(&grant(1), usize::MAX).err();
    assert!(takes_the_next_task(&mut thread, append));
    // Covered by the first.
    assert!(!takes_the_next_task(&mut thread, append));
    assert!(!takes_the_next_task(&mut thread, |_| None));
    let failing = |_: &mut Work<'_>| Some(Fault::new(LogErrorKind::Storage));
    assert!(!takes_the_next_task(&mut thread, failing));
    assert!(!thread.is_writing());
}

#[test]
fn what_is_read_during_appends_is_every_record_up_to_its_end() {
    let mut reads = 0;
    loop {
        let disk = Disk::uncached();
        let log = disk.log();
        for number in 0..40 {
            block_on(log.append(grant(number))).unwrap();
        }
        // Another record is committed after this number of reads of the disk.
        let other = log.clone();
        let append = move || {
            let append = || block_on(other.append(grant(1000))).unwrap();
            std::thread::scope(|scope| drop(scope.spawn(append)));
        };
        *disk.switches.at_read.lock().unwrap() = Some((reads, Box::new(append)));
        let (records, position) = everything(&log).unwrap();
        assert_eq!(
            records.len() as u64,
            position.sequence,
            "appended after {reads} reads"
        );
        if disk.switches.at_read.lock().unwrap().is_some() {
            assert!(reads > 2, "it was read from elsewhere");
            break;
        }
        reads += 1;
    }
}

#[test]
fn reader_that_waits_in_the_queue_gets_the_commits_before_it() {
    let log = Disk::new().log();
    let (release, held) = hold(&log);
    let append = log.append(grant(1));
    let collected = Arc::<Collected>::default();
    let reader: Arc<dyn Reader> = collected.clone();
    let mut follow = Box::pin(log.follow(Arc::downgrade(&reader)));
    // The call is queued. If it did not wait for its turn, it would read the missed records now.
    assert!(follow.as_mut().now_or_never().is_none());
    release.send(()).unwrap();
    block_on(held).unwrap();
    block_on(append).unwrap();
    block_on(follow).unwrap();
    block_on(log.append(grant(2))).unwrap();
    assert_eq!(collected.records(), [grant(1), grant(2)].concat());
}

#[test]
fn reader_that_is_added_twice_gets_each_record_once() {
    let log = Disk::new().log();
    let collected = Arc::<Collected>::default();
    let reader: Arc<dyn Reader> = collected.clone();
    for _ in 0..3 {
        block_on(log.follow(Arc::downgrade(&reader))).unwrap();
    }
    block_on(log.append(grant(1))).unwrap();
    assert_eq!(collected.records(), grant(1));
}

#[test]
fn client_that_uses_up_its_quota_of_the_queue_does_not_block_others() {
    let log = Disk::new().log();
    let (release, held) = hold(&log);
    let [greedy, other] = ["greedy", "other"].map(Selector::client);
    let mut appends = Vec::new();
    for number in 0..QUOTA {
        let mut append = Box::pin(log.append_for(greedy, usize::MAX, grant(number)));
        assert!(append.as_mut().now_or_never().is_none());
        // An append counts whether or not its future is kept.
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
    let records = block_on(Snapshot::of(&log)).unwrap().records;
    assert_eq!(records.len(), QUOTA + 3);
}
