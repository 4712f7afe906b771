//! What goes wrong, and when it ends.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use turmoil::Sim;

use super::super::LEASE;
use super::{super::Model, hosts::Host};

/// The links between processes.
const LINKS: [(&str, &str); 3] = [("root", "middle"), ("root", "near"), ("middle", "far")];

/// Random numbers.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    /// A number below `limit`.
    pub(super) fn roll(&mut self, limit: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    pub(super) fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.roll(to - from))
    }
}

/// A fault that lasts.
pub(super) struct Fault {
    pub(super) until: Duration,
    kind: Kind,
}

enum Kind {
    /// Nothing passes, in one direction or in both.
    Cut(&'static str, &'static str),
    OneWay(&'static str, &'static str),
    /// What was sent arrives later.
    Held(&'static str, &'static str),
    Slow(&'static str, &'static str),
    Crashed(Arc<Host>),
    WithoutEngine(Model),
}

impl Fault {
    pub(super) fn begin(
        now: Duration,
        dice: &mut Dice,
        sim: &mut Sim<'_>,
        hosts: &[Arc<Host>],
    ) -> Self {
        let lasting = match dice.roll(10) {
            0..6 => dice.millis(50, 800),
            6..9 => dice.millis(800, 6000),
            _ => dice.millis(6000, 12_000),
        };
        let (a, b) = LINKS[usize::try_from(dice.roll(3)).unwrap()];
        let (a, b) = if dice.roll(2) == 0 { (a, b) } else { (b, a) };
        let kind = match dice.roll(10) {
            0..2 => {
                sim.partition(a, b);
                Kind::Cut(a, b)
            }
            2..4 => {
                sim.partition_oneway(a, b);
                Kind::OneWay(a, b)
            }
            4..6 => {
                sim.hold(a, b);
                Kind::Held(a, b)
            }
            6..7 => {
                sim.set_link_latency(a, b, dice.millis(100, 1000));
                Kind::Slow(a, b)
            }
            7..9 => {
                let host = hosts[usize::try_from(dice.roll(4)).unwrap()].clone();
                sim.crash(host.name);
                *host.seen.lock().unwrap() = None;
                Kind::Crashed(host)
            }
            _ => {
                let link = hosts[0].links.lock().unwrap().last().cloned();
                let link = link.expect("it was started");
                link.link.is_cut.store(true, Ordering::SeqCst);
                Kind::WithoutEngine(link)
            }
        };
        let until = now + lasting;
        Self { until, kind }
    }

    pub(super) fn end(self, sim: &mut Sim<'_>) {
        match self.kind {
            Kind::Cut(a, b) => sim.repair(a, b),
            Kind::OneWay(a, b) => sim.repair_oneway(a, b),
            Kind::Held(a, b) => sim.release(a, b),
            Kind::Slow(a, b) => sim.set_link_latency(a, b, LEASE / 500),
            Kind::Crashed(host) => sim.bounce(host.name),
            Kind::WithoutEngine(link) => link.link.is_cut.store(false, Ordering::SeqCst),
        }
    }
}
