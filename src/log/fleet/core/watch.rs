//! Which other members are to be struck out?

use std::{collections::HashMap, time::Duration};

use super::{
    super::{
        super::Moment,
        engine::{Incarnation, Page, Silent},
    },
    members::with_drift,
    messages::NodeSettings,
};

/// The other members, as seen from here.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    /// How long a member can be silent before no lease of it is left.
    silence: Duration,
    /// How long a lease can last that was renewed before this moment.
    lease: Duration,
    watched: HashMap<u64, Watched>,
    /// When a page listed them the last time.
    looked: Option<Moment>,
}

#[derive(Clone, Copy, Debug)]
struct Watched {
    incarnation: Incarnation,
    beat: u64,
    /// Since when the beat is the same.
    since: Moment,
    /// Since when it is known that the member has not healed.
    unhealed: Option<Moment>,
}

impl Watch {
    pub(super) fn new(settings: &NodeSettings) -> Self {
        let silence = settings.lease + settings.poll_interval() + settings.poll_timeout();
        Self {
            silence: with_drift(silence),
            lease: with_drift(settings.lease),
            watched: HashMap::new(),
            looked: None,
        }
    }

    pub(super) fn known(&self) -> impl Iterator<Item = u64> {
        self.watched.keys().copied()
    }

    /// A page lists the members. Returns those that are to be struck out.
    pub(super) fn look(&mut self, now: Moment, page: &Page, me: u64) -> Vec<Silent> {
        let incarnation = page.incarnation;
        let looked = self.looked.replace(now);
        if looked.is_some_and(|looked| now.since(looked) >= self.lease) {
            // This node was away. A restored copy can look the same as the list did before.
            self.watched.clear();
        }
        let mut watched = HashMap::new();
        let mut silent = Vec::new();
        let members = page.membership.members.iter();
        for member in members.filter(|member| member.id != me) {
            // A failover can bring back an older beat. So one that is the same as before a failover says
            // nothing.
            let before = self.watched.get(&member.id);
            let before = before.filter(|before| before.incarnation == incarnation);
            let since = before.filter(|before| before.beat == member.beat);
            let since = since.map_or(now, |before| before.since);
            let unhealed = before.and_then(|before| before.unhealed).unwrap_or(now);
            let unhealed = (member.healed != incarnation).then_some(unhealed);
            let is_silent = now.since(since) >= self.silence;
            // Else one node that cannot heal would keep all others from renewing. It renews nothing
            // either.
            let holds_up = unhealed.is_some_and(|since| now.since(since) >= self.lease);
            let beat = member.beat;
            if is_silent || holds_up {
                let member = member.id;
                silent.push(Silent { member, beat });
            }
            watched.insert(
                member.id,
                Watched {
                    incarnation,
                    beat,
                    since,
                    unhealed,
                },
            );
        }
        self.watched = watched;
        silent
    }
}
