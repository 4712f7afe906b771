//! A relay at an engine, leaves, and a leaf two hops away, on a simulated network with faults.
//!
//! Links break in one direction or in both, hold what was sent, or are slow. Processes crash and start
//! again, and the relay loses its engine. Their clocks differ. The oracle knows everything: nobody may
//! accept a token later than the lease after its revocation was durable. Once every member of the
//! engine has reported the record, nobody may accept it at all.
//!
//! `FEED_SEEDS=2000` runs that many seeds.

mod faults;
mod hosts;
mod oracle;
mod world;

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use self::world::World;
use super::LEASE;

/// The rates of two clocks differ by at most 2 %.
const BOUND: Duration = Duration::from_millis(5100);
const TICK: Duration = Duration::from_millis(40);
const END: Duration = Duration::from_secs(45);
/// A member that has not reported for so long has no lease, and is struck out.
const SILENCE: Duration = Duration::from_millis(8160);

#[test]
fn nobody_accepts_a_revoked_token_after_the_lease_whatever_the_network_does() {
    assert_eq!(BOUND, LEASE + LEASE / 50);
    let runs = std::env::var("FEED_SEEDS").ok();
    let runs = runs.and_then(|runs| runs.parse().ok()).unwrap_or(200);
    let (next, total) = (AtomicU64::new(0), Mutex::<oracle::Counts>::default());
    let run = || loop {
        let seed = next.fetch_add(1, Ordering::SeqCst);
        if seed >= runs {
            return;
        }
        let counts = World::new(seed).run();
        total.lock().unwrap().add(&counts);
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(run);
        }
    });
    let total = total.into_inner().unwrap();
    // A fleet that refuses everything is of no use.
    let availability = total.accepted * 100 / total.probes;
    println!("{total:?}, good tokens accepted: {availability} %");
    assert!(availability >= 80, "{availability} %");
    // And a simulation without faults shows nothing.
    assert!(total.revoked > runs * 40 && total.faults > runs * 10);
    assert!(total.confirmed > runs * 20 && total.late > 0);
}
