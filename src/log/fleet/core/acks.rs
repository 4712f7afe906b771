//! Which appends wait until every node refuses what they revoke, and since when does it?
//!
//! Once every member has reported a record, or every lease has ended that does not cover it, no node
//! accepts the token. But the node that appended may have been cut off meanwhile, and the log may have
//! lost the record. So the node is complete once more, in the same incarnation, before it answers.

use std::{collections::VecDeque, time::Duration};

use super::{
    super::super::{Appended, Moment},
    members::with_drift,
    messages::NodeSettings,
    queue::Waiting,
    state::State,
    timer::{self, Timer},
};

/// The appends that wait for all members, the oldest first.
#[derive(Clone, Debug)]
pub(super) struct Acks {
    /// A lease that does not cover a record has ended after this time.
    lease: Duration,
    longest_gap: Duration,
    /// A member may lack the records, and have a lease.
    waiting: VecDeque<Unconfirmed>,
    /// No member may, unless the log has lost the records.
    confirming: VecDeque<Unconfirmed>,
}

/// The callers of one append.
#[derive(Clone, Debug)]
pub(super) struct Unconfirmed {
    pub(super) callers: VecDeque<(Waiting, Appended)>,
    /// How often the log had lost its end.
    pub(super) breaks: u64,
    /// When the answer of the engine came.
    pub(super) since: Moment,
    /// How many polls had been sent. Only the answers to later ones count.
    pub(super) after: u64,
}

/// What has become of appends.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) confirmed: Vec<(Waiting, Appended)>,
    /// The log may have lost the records.
    pub(super) lost: Vec<Waiting>,
}

impl Acks {
    pub(super) fn new(settings: &NodeSettings) -> Self {
        Self {
            lease: with_drift(settings.lease),
            longest_gap: settings.poll_interval(),
            waiting: VecDeque::new(),
            confirming: VecDeque::new(),
        }
    }

    pub(super) fn put(&mut self, unconfirmed: Unconfirmed) {
        self.waiting.push_back(unconfirmed);
    }

    pub(super) fn check(&mut self, now: Moment, state: &State) -> Checked {
        let mut checked = Checked::default();
        for appends in [&mut self.confirming, &mut self.waiting] {
            let is_lost = |first: &Unconfirmed| first.breaks != state.incarnations.breaks();
            while let Some(lost) = pop_if(appends, is_lost) {
                let callers = lost.callers.into_iter();
                checked.lost.extend(callers.map(|(caller, _)| caller));
            }
        }
        let lease = self.lease;
        // A failover can lose that a node was listed. Its lease is from before.
        let since = state.incarnations.since;
        let are_listed = since.is_some_and(|since| now.since(since) >= lease);
        let is_known = |first: &Unconfirmed| {
            let sequence = first
                .callers
                .back()
                .map_or(0, |one| one.1.position.sequence);
            let is_over = Timer::new(first.since, lease).left(now).is_zero();
            is_over || are_listed && state.members.all_have(sequence, first.after)
        };
        while let Some(mut known) = pop_if(&mut self.waiting, is_known) {
            known.after = state.polls;
            self.confirming.push_back(known);
        }
        let is_confirmed = |first: &Unconfirmed| state.complete_by > first.after;
        while let Some(confirmed) = pop_if(&mut self.confirming, is_confirmed) {
            checked.confirmed.extend(confirmed.callers);
        }
        checked
    }

    /// Takes a caller who has waited for longer than this.
    pub(super) fn pop_expired(&mut self, now: Moment, timeout: Duration) -> Option<Waiting> {
        for appends in [&mut self.confirming, &mut self.waiting] {
            let Some(first) = appends.front_mut() else {
                continue;
            };
            let is_over = |one: &(Waiting, _)| Timer::new(one.0.since, timeout).left(now).is_zero();
            if let Some((caller, _)) = pop_if(&mut first.callers, is_over) {
                if first.callers.is_empty() {
                    appends.pop_front();
                }
                return Some(caller);
            }
        }
        None
    }

    /// The time until something has to be done.
    pub(super) fn wait(&self, now: Moment, timeout: Duration) -> Option<Duration> {
        let firsts = [self.confirming.front(), self.waiting.front()];
        let callers = firsts
            .into_iter()
            .flatten()
            .filter_map(|one| one.callers.front());
        let deadlines = callers.map(|one| Timer::new(one.0.since, timeout).left(now));
        let lease = self.waiting.front();
        let lease = lease.map(|first| Timer::new(first.since, self.lease).left(now));
        deadlines.chain(lease).min()
    }

    /// Whether the reports of the members are awaited.
    pub(super) fn awaits_reports(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The time from the last poll, which was sent at this time, to the next. `None` if no append waits.
    /// It grows with the wait: a member that does not report at once has ended, or cannot reach the
    /// engine.
    pub(super) fn gap(&self, sent: Moment, state: &State) -> Option<Duration> {
        let confirming = self.confirming.back();
        if confirming.is_some_and(|last| last.after == state.polls) {
            return Some(Duration::ZERO);
        }
        let first = self.confirming.front().or_else(|| self.waiting.front())?;
        // Not as of now: the gap would grow each time that it is looked at, and never be over.
        let age = sent.since(first.since);
        Some(timer::gap(age, self.longest_gap))
    }
}

fn pop_if<T>(queue: &mut VecDeque<T>, is_due: impl Fn(&T) -> bool) -> Option<T> {
    if is_due(queue.front()?) {
        return queue.pop_front();
    }
    None
}
