//! Which tokens must be refused?

use super::{TOKENS, Time};

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    /// Checks of a token that is never revoked, and those that accepted it.
    pub(super) probes: u64,
    pub(super) accepted: u64,
    /// Appends that succeeded, and those that did not.
    pub(super) answered: u64,
    pub(super) unanswered: u64,
    /// Records that the engine lost, and those of them that no node could give back.
    pub(super) lost: u64,
    pub(super) forgotten: u64,
}

impl Counts {
    pub(super) fn add(&mut self, other: &Self) {
        self.probes += other.probes;
        self.accepted += other.accepted;
        self.answered += other.answered;
        self.unanswered += other.unanswered;
        self.lost += other.lost;
        self.forgotten += other.forgotten;
    }
}

pub(super) struct Oracle {
    bound: Time,
    /// Since when the answer says that a token is revoked.
    revoked: Vec<Option<Time>>,
    pub(super) counts: Counts,
}

impl Oracle {
    /// `bound` is how long after the answer a token may be accepted.
    pub(super) fn new(bound: Time) -> Self {
        Self {
            bound,
            revoked: vec![None; TOKENS],
            counts: Counts::default(),
        }
    }

    pub(super) fn revoked(&mut self, token: usize, now: Time) {
        self.revoked[token].get_or_insert(now);
    }

    /// The engine lost the record. Nothing is promised if no node gives it back, and nothing before a node
    /// can have noticed the loss.
    pub(super) fn lost(&mut self, token: usize, is_remembered: bool, noticed: Time) {
        self.counts.lost += 1;
        if let Some(revoked) = &mut self.revoked[token] {
            *revoked = noticed.max(*revoked);
        }
        if !is_remembered {
            self.counts.forgotten += 1;
            self.revoked[token] = None;
        }
    }

    pub(super) fn is_revoked(&self, token: usize) -> bool {
        self.revoked[token].is_some()
    }

    /// A node that has these records accepts tokens, or does not.
    pub(super) fn check(&mut self, now: Time, accepts: bool, has: &[bool]) {
        self.counts.probes += 1;
        if !accepts {
            return;
        }
        self.counts.accepted += 1;
        for (token, revoked) in self.revoked.iter().enumerate() {
            let is_due = revoked.is_some_and(|revoked| now > revoked + self.bound);
            assert!(
                !is_due || has[token],
                "token {token}, revoked at {revoked:?}, is accepted at {now}"
            );
        }
    }
}
