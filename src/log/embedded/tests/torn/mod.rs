//! A power loss in the middle of a commit, which leaves any part of its writes on the disk.

mod disk;

use std::{
    ops::Range,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use futures::executor::block_on;

use self::disk::{Disk, SECTOR, Write, put};
use super::{super::EmbeddedLog, grant};
use crate::log::{NumericDate, Revocation, RevocationLog as _, Snapshot};

fn records(log: &EmbeddedLog) -> Vec<Revocation> {
    let mut records = block_on(Snapshot::of(log)).unwrap().records;
    records.sort_by_key(Revocation::selector);
    records
}

fn sorted(mut records: Vec<Revocation>) -> Vec<Revocation> {
    records.sort_by_key(Revocation::selector);
    records
}

struct Commit {
    before: Vec<u8>,
    writes: Vec<Write>,
    /// The records without the commit, and with it.
    records: [Vec<Revocation>; 2],
}

/// A commit that writes a recent row, one that moves the recent rows with a row of its own, one that
/// moves them before a large batch, and a sweep that moves them and removes some records.
fn commits() -> [Commit; 4] {
    let append = |log: &EmbeddedLog, numbers: Range<usize>| {
        block_on(log.append(numbers.flat_map(grant).collect())).unwrap();
    };
    [
        commit_after(40, |log| append(log, 40..43)),
        commit_after(53, |log| append(log, 53..56)),
        commit_after(5, |log| append(log, 5..105)),
        commit_after(10, |log| {
            assert_eq!(block_on(log.sweep()).unwrap(), 2);
        }),
    ]
}

/// A commit after some of one record, of which two have expired.
fn commit_after(before: usize, commit: impl Fn(&EmbeddedLog)) -> Commit {
    let disk = Disk::default();
    let log = disk.log();
    for number in 0..before {
        let mut record = grant(number);
        if number < 2 {
            record = vec![Revocation::forever(
                record[0].selector(),
                NumericDate::new(1000),
            )];
        }
        block_on(log.append(record)).unwrap();
    }
    let old = records(&log);
    commit(&log);
    let content = disk.content().clone();
    Commit {
        before: content.before,
        writes: content.writes,
        records: [old, records(&log)],
    }
}

#[test]
fn commit_is_one_fsync() {
    let disk = Disk::default();
    let log = disk.log();
    for number in 0..10 {
        let before = disk.content().syncs;
        block_on(log.append([grant(2 * number), grant(2 * number + 1)].concat())).unwrap();
        assert_eq!(disk.content().syncs, before + 1);
    }
}

/// The header, the page of the recent rows, and three of the store.
#[test]
fn commit_of_one_record_writes_five_pages_however_many_records_there_are() {
    let disk = Disk::default();
    let log = disk.log();
    let many = (0..20_000).flat_map(grant).collect();
    block_on(log.append(many)).unwrap();
    let commits = 20_000..20_200;
    let with_more_pages = commits.filter(|number| {
        block_on(log.append(grant(*number))).unwrap();
        disk.content().writes.len() > 5
    });
    // Those that move the recent rows.
    assert!(with_more_pages.count() <= 4);
}

/// After a failure, [`backend`](super::super::super::backend) restores the header from the last such write.
#[test]
fn commit_writes_the_header_once_and_at_the_beginning_of_the_file() {
    const PAGE: usize = 4096;
    let disk = Disk::default();
    let log = disk.log();
    for number in 0..10 {
        block_on(log.append([grant(2 * number), grant(2 * number + 1)].concat())).unwrap();
        let content = disk.content();
        let first_page = content.writes.iter().filter(|(offset, _)| *offset < PAGE);
        let offsets: Vec<_> = first_page.map(|(offset, _)| *offset).collect();
        assert_eq!(offsets, [0]);
    }
}

#[test]
fn every_subset_of_the_writes_of_a_commit_is_all_of_it_or_nothing() {
    for commit in commits() {
        let (writes, [old, both]) = (commit.writes, commit.records);
        assert!(writes.len() <= 10, "{} writes", writes.len());
        for subset in 0..1_u32 << writes.len() {
            let mut disk = commit.before.clone();
            for (bit, (offset, data)) in writes.iter().enumerate() {
                if subset & (1 << bit) != 0 {
                    put(&mut disk, *offset, data);
                }
            }
            let found = records(&Disk::with(disk).log());
            let is_whole = subset.count_ones() as usize == writes.len();
            assert!(found == both || (found == old && !is_whole), "{subset:b}");
        }
    }
}

#[test]
fn any_sectors_of_the_writes_of_a_commit_are_all_of_it_or_nothing() {
    // A sequence that looks random, and is the same in every run.
    let mut state = 1_u64;
    let mut coin = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state >> 63 == 1
    };
    for commit in commits() {
        let [old, both] = commit.records;
        let mut seen = [0, 0];
        for round in 0..100 {
            let mut disk = commit.before.clone();
            // A round that leaves out few sectors, and one that leaves out half of them.
            let mut is_lost = || (0..=round % 2 * 5).all(|_| coin());
            for (offset, data) in &commit.writes {
                for (sector, data) in data.chunks(SECTOR).enumerate() {
                    if !is_lost() {
                        put(&mut disk, offset + sector * SECTOR, data);
                    }
                }
            }
            let found = records(&Disk::with(disk).log());
            assert!(found == both || found == old, "round {round}");
            seen[usize::from(found == both)] += 1;
        }
        assert!(seen.iter().all(|&times| times > 0), "{seen:?}");
    }
}

#[test]
fn pages_that_were_never_written_are_not_built_upon_after_a_failed_fsync() {
    let disk = Disk::default();
    let log = disk.log();
    block_on(log.append(grant(0))).unwrap();
    disk.no_sync.store(true, Ordering::SeqCst);
    block_on(log.append(grant(1))).unwrap_err();

    // Another process finds the last durable commit, although the cache has the failed one.
    disk.no_sync.store(false, Ordering::SeqCst);
    drop(log);
    let log = disk.log();
    assert_eq!(records(&log), grant(0));
    for number in 2..6 {
        block_on(log.append(grant(number))).unwrap();
    }
    let durable = sorted([0, 2, 3, 4, 5].into_iter().flat_map(grant).collect());
    assert_eq!(records(&disk.after_power_loss().log()), durable);
}

#[test]
fn log_that_recovers_from_a_failed_fsync_survives_a_power_loss() {
    let disk = Disk::default();
    let log = disk.log();
    block_on(log.append(grant(0))).unwrap();
    disk.no_sync.store(true, Ordering::SeqCst);
    block_on(log.append(grant(1))).unwrap_err();
    disk.no_sync.store(false, Ordering::SeqCst);
    let started = Instant::now();
    while !log.health().is_writable() {
        assert!(started.elapsed() < Duration::from_secs(60), "no recovery");
        std::thread::yield_now();
    }
    block_on(log.append(grant(2))).unwrap();
    let found = records(&disk.after_power_loss().log());
    assert_eq!(found, sorted([grant(0), grant(2)].concat()));
}

#[test]
fn no_bytes_of_a_row_are_those_that_a_peer_can_compute() {
    let disk = Disk::default();
    let log = disk.log();
    let records: Vec<_> = (0..4).flat_map(grant).collect();
    block_on(log.append(records.clone())).unwrap();
    drop(log);
    let content = disk.content();
    for record in records {
        // Eight bytes are not found by chance.
        let part = &record.selector().to_bytes()[1..9];
        assert!(!content.disk.windows(8).any(|bytes| bytes == part));
    }
}
