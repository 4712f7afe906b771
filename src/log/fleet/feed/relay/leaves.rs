//! Who follows a relay, and may accept tokens by what the relay has said.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

use super::super::{super::engine::Incarnation, question::Applied};

/// At most this many leaves follow one relay.
const LIMIT: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Leaves(HashMap<u64, Leaf>);

#[derive(Clone, Copy, Debug)]
struct Leaf {
    applied: Applied,
    /// Its lease has ended then. By a clock that stops in a suspend: a leaf must not be forgotten
    /// too early.
    until: Instant,
}

/// Whether a leaf may renew its lease by the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listing {
    /// It was listed before it asked.
    Before,
    /// It is not listed, or only since now: what was acknowledged before did not wait for it.
    New,
    /// There is no room for it.
    Full,
}

impl Leaves {
    /// A leaf asks. The answer can renew its lease, at most until some time from now.
    pub(super) fn heard(
        &mut self,
        member: u64,
        applied: Option<Applied>,
        now: Instant,
        lease: Duration,
    ) -> Listing {
        let until = now + lease;
        if let Some(leaf) = self.0.get_mut(&member).filter(|leaf| leaf.until > now) {
            leaf.until = leaf.until.max(until);
            if let Some(applied) = applied {
                leaf.applied = applied;
            }
            return Listing::Before;
        }
        let Some(applied) = applied else {
            return Listing::New;
        };
        if self.0.len() >= LIMIT {
            self.forget(now);
            if self.0.len() >= LIMIT {
                return Listing::Full;
            }
        }
        self.0.insert(member, Leaf { applied, until });
        Listing::New
    }

    /// The record of an incarnation that every leaf has that may hold a lease. `None` if there is no
    /// such leaf.
    pub(super) fn applied(&mut self, incarnation: Incarnation, now: Instant) -> Option<u64> {
        self.forget(now);
        let applied = self.0.values().map(|leaf| leaf.applied);
        // What a leaf has of another incarnation may be lost here, and others have its numbers.
        let of_this = |applied: Applied| {
            if applied.incarnation == incarnation {
                applied.sequence
            } else {
                0
            }
        };
        applied.map(of_this).min()
    }

    /// Whether some leaf may hold a lease.
    pub(super) fn any(&mut self, now: Instant) -> bool {
        self.forget(now);
        !self.0.is_empty()
    }

    fn forget(&mut self, now: Instant) {
        self.0.retain(|_, leaf| leaf.until > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(5);
    const THIS: Incarnation = Incarnation(1);

    fn has(sequence: u64) -> Applied {
        let incarnation = THIS;
        Applied {
            incarnation,
            sequence,
        }
    }

    #[test]
    fn leaf_is_listed_before_it_renews() {
        let (mut leaves, now) = (Leaves::default(), Instant::now());
        assert_eq!(leaves.heard(1, None, now, LEASE), Listing::New);
        assert_eq!(leaves.applied(THIS, now), None);
        assert_eq!(leaves.heard(1, Some(has(3)), now, LEASE), Listing::New);
        assert_eq!(leaves.heard(1, None, now, LEASE), Listing::Before);
        assert_eq!(leaves.applied(THIS, now), Some(3));
    }

    #[test]
    fn slowest_leaf_with_a_lease_counts() {
        let (mut leaves, now) = (Leaves::default(), Instant::now());
        leaves.heard(1, Some(has(3)), now, LEASE);
        leaves.heard(2, Some(has(7)), now + LEASE / 2, LEASE);
        assert_eq!(leaves.applied(THIS, now + LEASE / 2), Some(3));
        assert_eq!(leaves.applied(THIS, now + LEASE), Some(7));
        // Too late: it is not listed any more.
        let heard = leaves.heard(1, Some(has(3)), now + LEASE, LEASE);
        assert_eq!(heard, Listing::New);
        assert_eq!(leaves.applied(THIS, now + LEASE * 2), None);
    }

    #[test]
    fn numbers_of_another_incarnation_do_not_count() {
        let (mut leaves, now) = (Leaves::default(), Instant::now());
        leaves.heard(1, Some(has(3)), now, LEASE);
        assert_eq!(leaves.applied(Incarnation(2), now), Some(0));
    }

    #[test]
    fn table_is_bounded() {
        let (mut leaves, now) = (Leaves::default(), Instant::now());
        for member in 0..LIMIT as u64 {
            assert_eq!(leaves.heard(member, Some(has(0)), now, LEASE), Listing::New);
        }
        let other = u64::MAX;
        assert_eq!(leaves.heard(other, Some(has(0)), now, LEASE), Listing::Full);
        assert_eq!(leaves.heard(0, Some(has(0)), now, LEASE), Listing::Before);
        let later = now + LEASE;
        assert_eq!(
            leaves.heard(other, Some(has(0)), later, LEASE),
            Listing::New
        );
    }
}
