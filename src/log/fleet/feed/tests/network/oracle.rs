//! Who may accept which token?

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use super::{super::record, BOUND, SILENCE, hosts::Host};
use crate::log::{Revocation, Selector};

#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) revoked: u64,
    pub(super) confirmed: u64,
    pub(super) faults: u64,
    /// Revoked tokens that were accepted, within the bound.
    pub(super) late: u64,
    /// Of a token that is not revoked.
    pub(super) probes: u64,
    pub(super) accepted: u64,
}

impl Counts {
    pub(super) fn add(&mut self, other: &Self) {
        self.revoked += other.revoked;
        self.confirmed += other.confirmed;
        self.faults += other.faults;
        self.late += other.late;
        self.probes += other.probes;
        self.accepted += other.accepted;
    }
}

pub(super) struct Oracle {
    seed: u64,
    /// When each token was revoked.
    revoked: Vec<(Selector, Duration)>,
    /// All members have reported so many.
    confirmed: usize,
    /// How often each start of the relay has reported, and when it last did.
    reports: Vec<(usize, Duration)>,
    pub(super) counts: Counts,
}

impl Oracle {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            revoked: Vec::new(),
            confirmed: 0,
            reports: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// Another token is revoked.
    pub(super) fn revoke(&mut self, now: Duration) -> Revocation {
        self.counts.revoked += 1;
        let record = record(self.counts.revoked);
        self.revoked.push((record.selector(), now));
        record
    }

    pub(super) fn check(
        &mut self,
        now: Duration,
        hosts: &[Arc<Host>],
        is_up: impl Fn(&Host) -> bool,
    ) {
        self.hear_reports(now, &hosts[0]);
        let seed = self.seed;
        for host in hosts {
            let Some((known, is_fresh)) = host.knows(now) else {
                self.counts.probes += u64::from(is_up(host));
                continue;
            };
            self.counts.probes += 1;
            if !is_fresh {
                continue;
            }
            self.counts.accepted += 1;
            if known.count() == self.revoked.len() {
                continue;
            }
            for (index, (token, revoked)) in self.revoked.iter().enumerate() {
                if known.has(token) {
                    continue;
                }
                let (number, name, late) = (index + 1, host.name, now.saturating_sub(*revoked));
                assert!(
                    late <= BOUND,
                    "seed {seed}: {name} accepts {number} after {late:?}, at {now:?}"
                );
                assert!(
                    index >= self.confirmed,
                    "seed {seed}: {name} accepts {number}, which all members have, at {now:?}",
                );
                self.counts.late += 1;
            }
        }
    }

    /// An append that waits for all members returns once each has reported the record, or has been
    /// silent for long.
    fn hear_reports(&mut self, now: Duration, root: &Host) {
        let links = root.links.lock().unwrap();
        self.reports.resize(links.len(), (0, now));
        let mut all = None;
        for (link, (count, last)) in links.iter().zip(&mut self.reports) {
            let reports = link.link.reports.load(Ordering::SeqCst);
            if reports > *count {
                (*count, *last) = (reports, now);
            }
            if let (Some(applied), true) = (link.applied(), now.saturating_sub(*last) <= SILENCE) {
                let all = all.get_or_insert(applied);
                *all = applied.min(*all);
            }
        }
        let all = usize::try_from(all.unwrap_or(0)).unwrap();
        if all > self.confirmed {
            self.counts.confirmed += (all - self.confirmed) as u64;
            self.confirmed = all;
        }
    }
}
