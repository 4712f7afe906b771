//! Some of the watches: which selectors does each wait for, and until when?

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::{Arc, Weak},
};

use slab::Slab;

use super::{
    State,
    groups::{Groups, NONE, insert},
};
use crate::{enforce::tag::Tag, log::NumericDate};

/// The links of a seat: nine selectors, as many as a token has, and its expiry.
const WIDTH: u32 = 10;
const EXPIRY: u32 = WIDTH - 1;

/// In place of a previous link: this link is the first. The other bits are its group.
const FIRST: u32 = 1 << 31;

/// All of a watch is in one shard, so that it takes one lock to add it and one to remove it.
///
/// Every link belongs to one doubly linked list, so nothing is searched: a link names its
/// neighbours, and the first link names its group.
#[derive(Default)]
pub(super) struct Shard {
    seats: Slab<Seat>,
    groups: Groups,
    /// For each second, the first link of the watches that expire then.
    due: BTreeMap<NumericDate, u32>,
}

struct Seat {
    watch: Weak<State>,
    iat: NumericDate,
    exp: NumericDate,
    links: [Link; WIDTH as usize],
    /// The next seat of the same watch, if its token has more than nine selectors.
    more: u32,
}

#[derive(Clone, Copy)]
struct Link {
    next: u32,
    prev: u32,
}

impl Link {
    const UNUSED: Self = Self {
        next: NONE,
        prev: NONE,
    };
}

impl Shard {
    /// Adds a watch and returns its seat.
    pub(super) fn enter(
        &mut self,
        watch: &Weak<State>,
        tags: &[Tag],
        iat: NumericDate,
        exp: NumericDate,
    ) -> u32 {
        let mut chunks = tags.chunks(EXPIRY as usize);
        let first = self.add_seat(watch, chunks.next().unwrap_or_default(), iat, exp);
        for chunk in chunks {
            let more = self.add_seat(watch, chunk, iat, NumericDate::FOREVER);
            self.seats[more as usize].more = self.seats[first as usize].more;
            self.seats[first as usize].more = more;
        }
        first
    }

    /// Removes a watch.
    pub(super) fn leave(&mut self, seat: u32) {
        let mut next = seat;
        while next != NONE {
            for at in 0..WIDTH {
                self.unlink(next * WIDTH + at);
            }
            next = self.seats.remove(next as usize).more;
        }
        if self.seats.is_empty() {
            // Gives the memory back after many watches.
            *self = Self::default();
        }
    }

    /// Adds the watches to `states` that wait for `tag` and whose token was issued at `not_before`
    /// or earlier.
    pub(super) fn revoked(&self, tag: Tag, not_before: NumericDate, states: &mut Vec<Arc<State>>) {
        let mut link = self.groups.first(tag);
        while link != NONE {
            let seat = self.seat(link);
            if seat.iat <= not_before {
                states.extend(seat.watch.upgrade());
            }
            link = seat.links[(link % WIDTH) as usize].next;
        }
    }

    /// Adds the watches to `states` that expire by `now`, each once.
    pub(super) fn expired(&mut self, now: NumericDate, states: &mut Vec<Arc<State>>) {
        while let Some(entry) = self.due.first_entry().filter(|entry| *entry.key() <= now) {
            let mut link = entry.remove();
            while link != NONE {
                let seat = self.seat(link);
                states.extend(seat.watch.upgrade());
                link = seat.links[EXPIRY as usize].next;
            }
        }
    }

    /// The number of selectors and seconds that some watch waits for.
    #[cfg(test)]
    pub(super) fn awaited(&self) -> usize {
        self.groups.len() + self.due.len()
    }

    fn add_seat(
        &mut self,
        watch: &Weak<State>,
        tags: &[Tag],
        iat: NumericDate,
        exp: NumericDate,
    ) -> u32 {
        let seat = Seat {
            watch: watch.clone(),
            iat,
            exp,
            links: [Link::UNUSED; WIDTH as usize],
            more: NONE,
        };
        let seat = insert(&mut self.seats, seat);
        for (link, tag) in (seat * WIDTH..).zip(tags) {
            let (group, next) = self.groups.push(*tag, link);
            self.link(link, FIRST | group, next);
        }
        if exp < NumericDate::FOREVER {
            let link = seat * WIDTH + EXPIRY;
            let next = self.due.insert(exp, link).unwrap_or(NONE);
            self.link(link, FIRST, next);
        }
        seat
    }

    fn link(&mut self, link: u32, prev: u32, next: u32) {
        *self.link_mut(link) = Link { next, prev };
        if next != NONE {
            self.link_mut(next).prev = link;
        }
    }

    fn unlink(&mut self, link: u32) {
        let Link { next, prev } = std::mem::replace(self.link_mut(link), Link::UNUSED);
        if prev == NONE {
            return;
        }
        if next != NONE {
            self.link_mut(next).prev = prev;
        }
        if prev & FIRST == 0 {
            self.link_mut(prev).next = next;
        } else if link % WIDTH < EXPIRY {
            self.groups.set_first(prev & !FIRST, next);
        } else if let Entry::Occupied(mut first) = self.due.entry(self.seat(link).exp) {
            // If this list has been taken out by `expired`, another may have this second now.
            if *first.get() == link {
                if next == NONE {
                    first.remove();
                } else {
                    first.insert(next);
                }
            }
        }
    }

    fn seat(&self, link: u32) -> &Seat {
        &self.seats[(link / WIDTH) as usize]
    }

    fn link_mut(&mut self, link: u32) -> &mut Link {
        &mut self.seats[(link / WIDTH) as usize].links[(link % WIDTH) as usize]
    }
}
