//! A fleet with faults, in simulated time.
//!
//! Some nodes revoke and check tokens while connections hang, nodes sleep, answers are late and the
//! engine loses its last records. The oracle knows everything: no node may accept a token later than
//! the lease after its revocation was answered, unless the engine lost the record and every node that
//! remembers it is cut off. If appends wait for all members, no node may accept it at all.
//!
//! `FLEET_SEEDS=10000` runs that many seeds. The seeds of a run are the same each time.

mod faults;
mod network;
mod node;
mod oracle;
mod world;

use self::world::World;

/// All times are in microseconds.
type Time = u64;

const MILLI: Time = 1000;
const SECOND: Time = 1_000_000;
const LEASE: Time = SECOND;
const APPEND_TIMEOUT: Time = 600 * MILLI;
/// The rates of two clocks differ by at most 2 %.
const BOUND: Time = LEASE * 102 / 100;
const NODES: usize = 4;
const TOKENS: usize = 120;
const END: Time = 20 * SECOND;
/// No faults and no revocations later than this.
const CALM: Time = 15 * SECOND;

#[test]
fn no_node_accepts_a_revoked_token_after_the_lease() {
    simulate(false);
}

#[test]
fn no_node_accepts_a_token_after_an_append_that_waited_for_all() {
    simulate(true);
}

fn simulate(waits: bool) {
    let runs = std::env::var("FLEET_SEEDS").ok();
    let runs = runs.and_then(|runs| runs.parse().ok()).unwrap_or(150);
    let mut total = oracle::Counts::default();
    for seed in 0..runs {
        // The last one is the one that fails.
        println!("seed {seed}");
        let counts = World::new(seed, waits).run();
        total.add(&counts);
    }
    // A fleet that refuses everything is of no use.
    let availability = total.accepted * 100 / total.probes;
    println!("{total:?}, good tokens accepted: {availability} %");
    assert!(availability >= 80, "{availability} %");
    // And a simulation without faults shows nothing.
    assert!(total.answered > runs * 60);
    assert!(total.lost > runs);
    assert!(total.unanswered > 0);
}
