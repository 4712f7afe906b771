//! The two tables of records are one log.

use std::sync::atomic::Ordering;

use futures::executor::block_on;

use super::{Disk, grant, reader::after};
use crate::log::{NumericDate, Position, Revocation, RevocationLog as _, Selector, Snapshot};

/// Commits that write a recent row, that move the recent rows, and that do both.
const COMMITS: [usize; 15] = [1, 1, 16, 17, 3, 78, 1, 79, 1, 15, 16, 16, 16, 16, 2];

#[test]
fn records_of_small_and_large_commits_are_in_order_from_every_position() {
    let disk = Disk::new();
    let (mut log, mut all) = (disk.log(), Vec::new());
    for commit in COMMITS {
        let first = all.len();
        let batch: Vec<_> = (first..first + commit).flat_map(grant).collect();
        let position = block_on(log.append(batch.clone())).unwrap();
        all.extend(batch);
        assert_eq!(position.sequence, all.len() as u64);
        for sequence in (0..=position.sequence).step_by(5) {
            let rest = usize::try_from(sequence).unwrap();
            assert_eq!(
                after(
                    &log,
                    Position {
                        sequence,
                        ..position
                    }
                )
                .unwrap(),
                all[rest..]
            );
        }
        // What is read after a restart.
        drop(log);
        log = disk.log();
        let snapshot = block_on(Snapshot::of(&log)).unwrap();
        assert_eq!(snapshot.records, all);
        assert_eq!(snapshot.position.sequence, position.sequence);
    }
}

#[test]
fn sweep_removes_recent_records_and_the_log_continues() {
    let disk = Disk::new();
    let log = disk.log();
    let record =
        |number: u64, expires| Revocation::forever(Selector::grant(&number.to_string()), expires);
    for number in 0..20 {
        let expires = [NumericDate::FOREVER, NumericDate::now()][usize::from(number % 2 == 0)];
        block_on(log.append(vec![record(number, expires)])).unwrap();
    }
    assert_eq!(block_on(log.sweep()).unwrap(), 10);
    let mut kept: Vec<_> = (1..20)
        .step_by(2)
        .map(|number| record(number, NumericDate::FOREVER))
        .collect();
    assert_eq!(block_on(Snapshot::of(&log)).unwrap().records, kept);

    kept.push(record(20, NumericDate::FOREVER));
    let position = block_on(log.append(kept[10..].to_vec())).unwrap();
    assert_eq!(position.sequence, 21);
    drop(log);
    assert_eq!(block_on(Snapshot::of(&disk.log())).unwrap().records, kept);
}

#[test]
fn sweep_moves_recent_records_once() {
    let disk = Disk::new();
    let log = disk.log();
    block_on(log.append((0..6000).flat_map(grant).collect())).unwrap();
    let syncs = || disk.switches.syncs.load(Ordering::SeqCst);
    let (before, now) = (syncs(), NumericDate::now());
    let (mut from, mut appends) = (Some(0), 0);
    while let Some(start) = from {
        let step = log.write(move |work| work.sweep(start, now));
        from = block_on(step).unwrap().next;
        block_on(log.append(grant(6000 + appends))).unwrap();
        appends += 1;
    }
    assert!(appends > 5);
    // One for each append, and none for a step.
    assert_eq!(syncs() - before, appends);
    // The next sweep moves what was appended, and the one after that has nothing to do.
    block_on(log.sweep()).unwrap();
    block_on(log.sweep()).unwrap();
    assert_eq!(syncs() - before, appends + 1);
}
