//! Who was a member in the incarnation before, and is not listed in this one?
//!
//! A failover can lose that a node was listed. The engine does not wait for it then, though it may
//! remember records that were lost. So the nodes that knew it wait for it.

use std::{collections::HashSet, time::Duration};

use super::super::{
    super::Moment,
    engine::{Incarnation, Page},
};

#[derive(Clone, Debug, Default)]
pub(super) struct Missed {
    /// The current incarnation, and since when this node has known its members.
    current: Option<(Incarnation, Moment)>,
    members: HashSet<u64>,
}

impl Missed {
    /// A page lists the members. Before, these others were known.
    pub(super) fn look(&mut self, now: Moment, page: &Page, known: impl Iterator<Item = u64>) {
        if self.current.map(|(current, _)| current) != Some(page.incarnation) {
            self.current = Some((page.incarnation, now));
            self.members.extend(known);
        }
        for member in &page.membership.members {
            self.members.remove(&member.id);
        }
    }

    /// Whether a member is missing that may come back. The wait is at most a lease: a member that was
    /// away for that long has no lease left.
    pub(super) fn misses_somebody(&self, now: Moment, page: &Page, lease: Duration) -> bool {
        let waits = self.current.is_some_and(|(current, since)| {
            current == page.incarnation && now.since(since) < lease
        });
        waits && !self.members.is_empty()
    }
}
