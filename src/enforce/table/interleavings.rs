//! What the table guarantees, whichever thread runs next.
//!
//! `tests/run` runs these tests with `--cfg shuttle` for this crate. The scheduler of shuttle then
//! decides at every lock and every atomic which thread runs next. It tries all orders of two
//! threads, and 2000 random orders of more.

use shuttle::{check_dfs, check_random, sync::Arc, thread};

use super::*;

const ORDERS: usize = 2000;

/// The time of the sweep.
const NOW: NumericDate = NumericDate::new(1000);
const LATER: NumericDate = NumericDate::new(2000);

fn grant(number: u64) -> Selector {
    let mut bytes = [0; 33];
    bytes[0] = SelectorClass::Grant as u8;
    bytes[1..9].copy_from_slice(&number.to_be_bytes());
    Selector::from_bytes(&bytes).unwrap()
}

/// Grants whose records are in one shard.
fn neighbours(table: &Table) -> impl Iterator<Item = Selector> {
    let shard = |selector: &Selector| table.tag(selector).shard(SHARDS);
    let first = shard(&grant(0));
    (0..)
        .map(grant)
        .filter(move |selector| shard(selector) == first)
}

fn sweep(table: &Table, selector: &Selector) {
    table.sweep_shard(table.shard(table.tag(selector)), NOW);
}

fn is_revoked(table: &Table, selector: &Selector) -> bool {
    table.has(selector.class()) && table.covers(table.tag(selector), Some(LATER))
}

fn rows(table: &Table) -> usize {
    let rows = table.shards.iter().map(|shard| {
        let rows = shard.read();
        rows.forever.len() + rows.watermarks.len()
    });
    rows.sum()
}

/// An expired record is renewed while it is swept.
fn renewed_while_swept(known: Revocation) {
    let table = Arc::new(Table::new());
    let selector = known.selector();
    table.merge(&known);
    let sweeper = thread::spawn({
        let table = table.clone();
        move || sweep(&table, &selector)
    });
    table.merge(&Revocation::forever(selector, LATER));
    assert!(is_revoked(&table, &selector));
    sweeper.join().unwrap();
    assert!(is_revoked(&table, &selector));
    assert_eq!((table.len(), rows(&table)), (1, 1));
}

#[test]
fn renewed_record_outlives_the_sweep_of_the_old_one() {
    check_dfs(
        || renewed_while_swept(Revocation::forever(grant(0), NOW)),
        None,
    );
}

#[test]
fn record_outlives_the_sweep_of_the_watermark_that_it_replaces() {
    check_dfs(
        || renewed_while_swept(Revocation::watermark(grant(0), NOW, NOW)),
        None,
    );
}

#[test]
fn class_of_a_live_record_is_counted_while_others_come_and_go() {
    check_dfs(
        || {
            let table = Arc::new(Table::new());
            let selectors: Vec<_> = neighbours(&table).take(2).collect();
            let (live, brief) = (selectors[0], selectors[1]);
            table.merge(&Revocation::forever(live, LATER));
            let writer = thread::spawn({
                let table = table.clone();
                move || table.merge(&Revocation::forever(brief, NOW))
            });
            sweep(&table, &brief);
            assert!(is_revoked(&table, &live));
            writer.join().unwrap();
            assert!(is_revoked(&table, &live));
            assert_eq!(table.len(), rows(&table));
        },
        None,
    );
}

/// A shard with this many records, of which the first has expired, and one more selector of it.
fn shard_of(records: usize) -> (Arc<Table>, Vec<Selector>, Selector) {
    let table = Arc::new(Table::new());
    let mut known: Vec<_> = neighbours(&table).take(records + 1).collect();
    let new = known.remove(records);
    for (number, selector) in known.iter().enumerate() {
        let expires = if number == 0 { NOW } else { LATER };
        table.merge(&Revocation::forever(*selector, expires));
    }
    (table, known, new)
}

/// The rows of a hash table with three rows move when the fourth comes.
const FULL: usize = 3;

#[test]
fn reader_finds_a_record_while_its_shard_grows() {
    check_dfs(
        || {
            let (table, known, new) = shard_of(FULL);
            let writer = thread::spawn({
                let table = table.clone();
                move || table.merge(&Revocation::forever(new, LATER))
            });
            for _ in 0..2 {
                assert!(is_revoked(&table, &known[1]));
            }
            writer.join().unwrap();
            assert!(is_revoked(&table, &new));
        },
        None,
    );
}

#[test]
fn two_records_that_come_while_their_shard_grows_are_both_kept() {
    check_dfs(
        || {
            let (table, known, _) = shard_of(FULL);
            let new: Vec<_> = neighbours(&table).skip(known.len()).take(2).collect();
            let writer = thread::spawn({
                let (table, new) = (table.clone(), new[0]);
                move || table.merge(&Revocation::forever(new, LATER))
            });
            table.merge(&Revocation::forever(new[1], LATER));
            writer.join().unwrap();
            assert!(new.iter().all(|new| is_revoked(&table, new)));
            assert_eq!((table.len(), rows(&table)), (FULL + 2, FULL + 2));
        },
        None,
    );
}

#[test]
fn record_that_comes_while_its_full_shard_is_swept_is_kept() {
    check_dfs(
        || {
            let (table, known, new) = shard_of(FULL);
            let sweeper = thread::spawn({
                let (table, expired) = (table.clone(), known[0]);
                move || sweep(&table, &expired)
            });
            table.merge(&Revocation::forever(new, LATER));
            assert!(is_revoked(&table, &new));
            sweeper.join().unwrap();
            assert!(is_revoked(&table, &new) && is_revoked(&table, &known[1]));
            assert_eq!((table.len(), rows(&table)), (FULL, FULL));
        },
        None,
    );
}

/// A reader asks for an expired record while it is swept.
fn asked_while_swept(records: usize) {
    let (table, known, _) = shard_of(records);
    let sweeper = thread::spawn({
        let (table, expired) = (table.clone(), known[0]);
        move || sweep(&table, &expired)
    });
    let known = is_revoked(&table, &known[0]);
    assert!(known || table.may_have_forgotten(NOW));
    sweeper.join().unwrap();
}

#[test]
fn reader_that_misses_a_record_sees_what_the_copy_without_it_has_forgotten() {
    check_dfs(|| asked_while_swept(1), None);
    check_dfs(|| asked_while_swept(FULL), None);
}

#[test]
fn reader_that_misses_a_record_sees_that_its_removal_is_forgotten() {
    // One of eight records is removed where it is.
    check_dfs(|| asked_while_swept(8), None);
}

#[test]
fn two_threads_that_revoke_the_same_make_one_record() {
    check_dfs(
        || {
            let table = Arc::new(Table::new());
            let writer = thread::spawn({
                let table = table.clone();
                move || table.merge(&Revocation::watermark(grant(0), NOW, LATER))
            });
            table.merge(&Revocation::forever(grant(0), NOW));
            writer.join().unwrap();
            assert_eq!((table.len(), rows(&table)), (1, 1));
            // It has the later end of one and the greater reach of the other.
            sweep(&table, &grant(0));
            assert!(is_revoked(&table, &grant(0)));
        },
        None,
    );
}

#[test]
fn reader_finds_every_merged_record_while_its_shard_grows_and_is_swept() {
    check_random(
        || {
            let table = Arc::new(Table::new());
            let selectors: Arc<Vec<_>> = Arc::new(neighbours(&table).take(9).collect());
            for selector in selectors.iter() {
                // All have expired. Every second one is renewed below.
                table.merge(&Revocation::watermark(*selector, NOW, NOW));
            }
            let merged = Arc::new(AtomicUsize::new(0));
            let readers: Vec<_> = (0..2)
                .map(|_| {
                    let (table, selectors, merged) =
                        (table.clone(), selectors.clone(), merged.clone());
                    thread::spawn(move || {
                        for _ in 0..5 {
                            let merged = merged.load(Ordering::Acquire);
                            for selector in selectors.iter().step_by(2).take(merged) {
                                assert!(is_revoked(&table, selector));
                            }
                        }
                    })
                })
                .collect();
            let sweeper = thread::spawn({
                let (table, selectors) = (table.clone(), selectors.clone());
                move || {
                    for _ in 0..2 {
                        sweep(&table, &selectors[0]);
                    }
                }
            });
            for (number, selector) in selectors.iter().step_by(2).enumerate() {
                table.merge(&Revocation::forever(*selector, LATER));
                merged.store(number + 1, Ordering::Release);
            }
            for thread in readers.into_iter().chain([sweeper]) {
                thread.join().unwrap();
            }
            sweep(&table, &selectors[0]);
            assert_eq!((table.len(), rows(&table)), (5, 5));
        },
        ORDERS,
    );
}
