//! Who follows a relay, and may accept tokens by what the relay has said.

use std::{collections::HashMap, time::Duration};

use futures::channel::oneshot;
use tokio::time::Instant;

use super::{
    super::{super::engine::Incarnation, question::Applied},
    shares::{Credential, Share, Shares},
};

/// At most this many leaves follow one relay. Half of them can have the same credential.
const LIMIT: usize = 20_000;

/// After a search for leaves that have ended, there is none for this long.
const PAUSE: Duration = Duration::from_millis(100);

/// To look for what all leaves have takes a while, and the node waits meanwhile.
const BETWEEN_COUNTS: Duration = Duration::from_millis(10);

/// Which leaf. Each credential has leaves of its own, so it cannot report for the leaf of another one.
pub(super) type Name = (Credential, u64);

#[derive(Debug)]
pub(super) struct Leaves {
    known: HashMap<Name, Leaf>,
    places: Shares,
    /// When leaves that have ended were last searched for.
    searched: Option<Instant>,
    /// When it was last looked for what all have.
    counted: Option<Instant>,
    /// How often that was.
    #[cfg(test)]
    pub(super) counts: usize,
}

#[derive(Debug)]
struct Leaf {
    applied: Applied,
    /// Its lease has ended then. By a clock that stops in a suspend: a leaf must not be forgotten
    /// too early.
    until: Instant,
    /// Its last question.
    latest: Option<oneshot::Sender<()>>,
    _place: Share,
}

/// Whether a leaf may renew its lease by the answer.
#[derive(Debug)]
pub(super) enum Listing {
    /// It was listed before it asked. The receiver is ready once the leaf asks again: it does not wait
    /// for this answer any more.
    Before(oneshot::Receiver<()>),
    /// It is not listed, or only since now: what was acknowledged before did not wait for it.
    New,
    /// There is no room for it.
    Full,
}

impl Default for Leaves {
    fn default() -> Self {
        Self {
            known: HashMap::new(),
            places: Shares::new(LIMIT),
            searched: None,
            counted: None,
            #[cfg(test)]
            counts: 0,
        }
    }
}

impl Leaves {
    /// A leaf asks. The answer can renew its lease, at most until some time from now.
    pub(super) fn heard(
        &mut self,
        name: Name,
        applied: Option<Applied>,
        now: Instant,
        lease: Duration,
    ) -> Listing {
        let until = now + lease;
        if let Some(leaf) = self.known.get_mut(&name).filter(|leaf| leaf.until > now) {
            leaf.until = leaf.until.max(until);
            if let Some(applied) = applied {
                leaf.applied = applied;
            }
            let (latest, again) = oneshot::channel();
            leaf.latest = Some(latest);
            return Listing::Before(again);
        }
        let Some(applied) = applied else {
            return Listing::New;
        };
        // Else its place would count twice.
        self.known.remove(&name);
        let Some(place) = self.place(name.0, now) else {
            return Listing::Full;
        };
        let leaf = Leaf {
            applied,
            until,
            latest: None,
            _place: place,
        };
        self.known.insert(name, leaf);
        Listing::New
    }

    fn place(&mut self, credential: Credential, now: Instant) -> Option<Share> {
        if let Some(place) = self.places.take(credential, 1) {
            return Some(place);
        }
        if self.searched.is_some_and(|searched| now < searched + PAUSE) {
            return None;
        }
        self.searched = Some(now);
        self.forget(now);
        self.places.take(credential, 1)
    }

    /// Whether a leaf that may hold a lease has no more than was reported.
    pub(super) fn is_behind(&self, name: Name, reported: Applied, now: Instant) -> bool {
        let leaf = self.known.get(&name).filter(|leaf| leaf.until > now);
        leaf.is_some_and(|leaf| leaf.applied.of(reported.incarnation) <= reported.sequence)
    }

    /// The record of an incarnation that every leaf has that may hold a lease. `None` if there is no
    /// such leaf.
    pub(super) fn applied(&mut self, incarnation: Incarnation, now: Instant) -> Option<u64> {
        self.counted = Some(now);
        #[cfg(test)]
        {
            self.counts += 1;
        }
        self.forget(now);
        let leaves = self.known.values();
        leaves.map(|leaf| leaf.applied.of(incarnation)).min()
    }

    /// When it may be looked for again what all have.
    pub(super) fn next_count(&self) -> Option<Instant> {
        self.counted.map(|counted| counted + BETWEEN_COUNTS)
    }

    /// Whether some leaf may hold a lease.
    pub(super) fn any(&mut self, now: Instant) -> bool {
        self.forget(now);
        !self.known.is_empty()
    }

    fn forget(&mut self, now: Instant) {
        self.known.retain(|_, leaf| leaf.until > now);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    const LEASE: Duration = Duration::from_secs(5);
    const THIS: Incarnation = Incarnation(1);
    const CREDENTIAL: Credential = Credential([1; 32]);
    const OTHER: Credential = Credential([2; 32]);

    fn has(sequence: u64) -> Applied {
        let incarnation = THIS;
        Applied {
            incarnation,
            sequence,
        }
    }

    fn leaf(member: u64) -> Name {
        (CREDENTIAL, member)
    }

    #[test]
    fn leaf_is_listed_before_it_renews() {
        let (mut leaves, now) = (Leaves::default(), Instant::now());
        let mut heard = |applied| leaves.heard(leaf(1), applied, now, LEASE);
        assert!(matches!(heard(None), Listing::New));
        assert!(matches!(heard(Some(has(3))), Listing::New));
        assert!(matches!(heard(None), Listing::Before(_)));
        assert_eq!(leaves.applied(THIS, now), Some(3));
    }

    #[test]
    fn leaf_that_asks_again_ends_its_question_before() {
        let (mut leaves, now) = (Leaves::default(), Instant::now());
        let mut heard = |name| leaves.heard(name, Some(has(3)), now, LEASE);
        heard(leaf(1));
        heard((OTHER, 1));
        let Listing::Before(first) = heard(leaf(1)) else {
            panic!("it is listed");
        };
        let mut first = first.fuse();
        heard((OTHER, 1));
        assert!((&mut first).now_or_never().is_none());
        heard(leaf(1));
        assert!(first.now_or_never().is_some());
    }

    #[test]
    fn slowest_leaf_with_a_lease_counts() {
        let (mut leaves, now) = (Leaves::default(), Instant::now());
        leaves.heard(leaf(1), Some(has(3)), now, LEASE);
        leaves.heard(leaf(2), Some(has(7)), now + LEASE / 2, LEASE);
        assert_eq!(leaves.applied(THIS, now + LEASE / 2), Some(3));
        assert_eq!(leaves.applied(THIS, now + LEASE), Some(7));
        // Too late: it is not listed any more.
        let heard = leaves.heard(leaf(1), Some(has(3)), now + LEASE, LEASE);
        assert!(matches!(heard, Listing::New));
        assert_eq!(leaves.applied(THIS, now + LEASE * 2), None);
    }

    #[test]
    fn nobody_speaks_for_the_leaf_of_another_credential() {
        let (mut leaves, now) = (Leaves::default(), Instant::now());
        leaves.heard(leaf(1), Some(has(3)), now, LEASE);
        leaves.heard((OTHER, 1), Some(has(9)), now, LEASE);
        leaves.heard((OTHER, 1), Some(has(9)), now, LEASE);
        assert_eq!(leaves.applied(THIS, now), Some(3));
    }

    #[test]
    fn numbers_of_another_incarnation_do_not_count() {
        let (mut leaves, now) = (Leaves::default(), Instant::now());
        leaves.heard(leaf(1), Some(has(3)), now, LEASE);
        assert_eq!(leaves.applied(Incarnation(2), now), Some(0));
    }

    #[test]
    fn one_credential_leaves_room_for_others() {
        let (mut leaves, now) = (Leaves::default(), Instant::now());
        for member in 0..LIMIT as u64 / 2 {
            let heard = leaves.heard(leaf(member), Some(has(0)), now, LEASE);
            assert!(matches!(heard, Listing::New));
        }
        let mut heard = |name, now| leaves.heard(name, Some(has(0)), now, LEASE);
        assert!(matches!(heard(leaf(u64::MAX), now), Listing::Full));
        assert!(matches!(heard(leaf(0), now), Listing::Before(_)));
        assert!(matches!(heard((OTHER, u64::MAX), now), Listing::New));
        let later = now + LEASE;
        assert!(matches!(heard(leaf(u64::MAX), later), Listing::New));
    }
}
