//! Every order of events in a very small fleet.
//!
//! The simulation draws a few orders of many events. This tries all orders of a few: two nodes, which
//! are complete, append a record each. Requests arrive, are answered or time out, time passes, and
//! once the engine loses its end in a failover. After each step, no node may accept a token later than
//! the oracle of the simulation allows, and every answer must count.
//!
//! What is bounded:
//!
//! * the number of steps, and of each kind of step, by [`Limits`];
//! * time passes in fifths of a lease, or a whole one. Both clocks are the same;
//! * a request that timed out does not arrive later, and there are no hints;
//! * nothing answers from before the failover, except what was in flight;
//! * nodes that have been struck out: see [`Fleet::excuse`](fleet::Fleet).

mod fleet;
mod message;
mod oracle;
mod steps;

use std::collections::HashMap;

use self::{fleet::Fleet, steps::Step};

/// How often something can happen in one order.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    steps: u8,
    fifths: u8,
    leases: u8,
    failures: u8,
}

/// All orders from one state.
struct Search {
    /// The states that were reached, and how many steps were left.
    seen: HashMap<u64, u8>,
    path: Vec<Step>,
}

impl Search {
    fn explore(&mut self, fleet: &Fleet, left: u8) {
        // What cannot go wrong any more, or not so soon.
        if fleet.steps_to_break().is_none_or(|steps| steps > left) {
            return;
        }
        let before = self.seen.entry(fleet.fingerprint()).or_default();
        if *before >= left {
            return;
        }
        *before = left;
        for step in fleet.steps() {
            let mut next = fleet.clone();
            self.path.push(step);
            if let Err(broken) = next.take(step) {
                panic!("{broken}, after {:#?}", self.path);
            }
            self.explore(&next, left - 1);
            self.path.pop();
        }
    }
}

/// Returns how many states were reached.
fn search(waits: bool, limits: Limits) -> usize {
    let mut search = Search {
        seen: HashMap::new(),
        path: Vec::new(),
    };
    search.explore(&Fleet::new(waits, limits), limits.steps);
    search.seen.len()
}

#[test]
fn no_order_of_events_breaks_the_bound() {
    let limits = Limits {
        steps: 11,
        fifths: 1,
        leases: 1,
        failures: 0,
    };
    let states = search(false, limits);
    assert!(states > 50_000, "{states}");
}

#[test]
fn no_order_of_events_and_failures_breaks_the_bound() {
    let limits = Limits {
        steps: 9,
        fifths: 1,
        leases: 1,
        failures: 1,
    };
    let states = search(false, limits);
    assert!(states > 10_000, "{states}");
}

#[test]
fn no_order_of_events_lets_a_node_accept_after_an_append_that_waited() {
    let limits = Limits {
        steps: 9,
        fifths: 1,
        leases: 0,
        failures: 0,
    };
    let states = search(true, limits);
    assert!(states > 5_000, "{states}");
}
