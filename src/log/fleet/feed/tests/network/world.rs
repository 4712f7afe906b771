//! One run.

use std::{sync::Arc, time::Duration};

use turmoil::{Builder, Sim};

use super::{
    super::Model,
    END, TICK,
    faults::{Dice, Fault},
    hosts::Host,
    oracle::{Counts, Oracle},
};

pub(super) struct World {
    sim: Sim<'static>,
    dice: Dice,
    engine: Model,
    hosts: Vec<Arc<Host>>,
    faults: Vec<Fault>,
    next_fault: Duration,
    next_revocation: Duration,
    oracle: Oracle,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let mut sim = Builder::new()
            .rng_seed(seed)
            .enable_random_order()
            .tick_duration(TICK)
            .simulation_duration(END * 2)
            .max_message_latency(Duration::from_millis(50))
            .build();
        let engine = Model::new();
        let hosts = [
            ("root", None),
            ("middle", Some("root")),
            ("near", Some("root")),
            ("far", Some("middle")),
        ];
        let hosts: Vec<_> = hosts
            .into_iter()
            .map(|(name, upstream)| {
                let rate = [0.99, 1.0, 1.01][usize::try_from(dice.roll(3)).unwrap()];
                Host::new(name, upstream, &engine, rate, dice.roll(u64::MAX))
            })
            .collect();
        for host in &hosts {
            let host = host.clone();
            sim.host(host.name, move || host.clone().run());
        }
        Self {
            next_fault: dice.millis(5000, 8000),
            next_revocation: Duration::ZERO,
            sim,
            dice,
            engine,
            hosts,
            faults: Vec::new(),
            oracle: Oracle::new(seed),
        }
    }

    pub(super) fn run(mut self) -> Counts {
        while self.sim.elapsed() < END {
            let now = self.sim.elapsed();
            self.end_faults(now);
            if now >= self.next_fault {
                let fault = Fault::begin(now, &mut self.dice, &mut self.sim, &self.hosts);
                self.faults.push(fault);
                self.oracle.counts.faults += 1;
                self.next_fault = now + self.dice.millis(500, 4000);
            }
            if now >= self.next_revocation {
                self.engine.put([self.oracle.revoke(now)]);
                self.next_revocation = now + self.dice.millis(50, 1500);
            }
            self.sim.step().unwrap();
            let (now, sim) = (self.sim.elapsed(), std::cell::RefCell::new(&mut self.sim));
            let is_up = |host: &Host| sim.borrow_mut().is_host_running(host.name);
            self.oracle.check(now, &self.hosts, is_up);
        }
        self.oracle.counts
    }

    fn end_faults(&mut self, now: Duration) {
        let faults = std::mem::take(&mut self.faults);
        let is_over = |fault: &Fault| fault.until <= now;
        let (over, lasting) = faults.into_iter().partition::<Vec<_>, _>(is_over);
        self.faults = lasting;
        for fault in over {
            fault.end(&mut self.sim);
        }
    }
}
