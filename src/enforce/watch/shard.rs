//! Some of the watches: who waits for which tag, and until when.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::{Arc, Weak},
};

use super::{
    State,
    groups::{Groups, NONE, index, reserve},
};
use crate::{enforce::tag::Tag, log::NumericDate};

/// The links of a seat: nine selectors, as many as a token has, and its expiry.
const WIDTH: u32 = 10;
const EXPIRY: u32 = WIDTH - 1;

/// In place of a previous link: this one is the first. The other bits are its group.
const FIRST: u32 = 1 << 31;

/// Everything about a watch is in one shard, so that one lock is taken to come and one to go.
/// Nothing here is searched for: a link knows its neighbours, and the first one its group.
#[derive(Default)]
pub(super) struct Shard {
    seats: Vec<Seat>,
    vacant: Vec<u32>,
    groups: Groups,
    /// By the second: the first link of those who expire then.
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
    /// Takes a watch in: its seat.
    pub(super) fn enter(
        &mut self,
        watch: &Weak<State>,
        tags: &[Tag],
        iat: NumericDate,
        exp: NumericDate,
    ) -> u32 {
        let mut chunks = tags.chunks(EXPIRY as usize);
        let first = self.sit(watch, chunks.next().unwrap_or_default(), iat, exp);
        for chunk in chunks {
            let more = self.sit(watch, chunk, iat, NumericDate::FOREVER);
            self.seats[more as usize].more = self.seats[first as usize].more;
            self.seats[first as usize].more = more;
        }
        first
    }

    /// Lets a watch go.
    pub(super) fn leave(&mut self, seat: u32) {
        let mut next = seat;
        while next != NONE {
            for at in 0..WIDTH {
                self.unlink(next * WIDTH + at);
            }
            self.vacant.push(next);
            let seat = &mut self.seats[next as usize];
            seat.watch = Weak::new();
            next = seat.more;
        }
        if self.vacant.len() == self.seats.len() {
            // A crowd has gone, and its memory goes too.
            *self = Self::default();
        }
    }

    /// Adds those who have `tag` and were issued at `not_before` or earlier.
    pub(super) fn revoked(&self, tag: Tag, not_before: NumericDate, those: &mut Vec<Arc<State>>) {
        let mut link = self.groups.first(tag);
        while link != NONE {
            let seat = self.seat(link);
            if seat.iat <= not_before {
                those.extend(seat.watch.upgrade());
            }
            link = seat.links[(link % WIDTH) as usize].next;
        }
    }

    /// Adds those who expire by `now`. They are told once.
    pub(super) fn expired(&mut self, now: NumericDate, those: &mut Vec<Arc<State>>) {
        while let Some(entry) = self.due.first_entry().filter(|entry| *entry.key() <= now) {
            let mut link = entry.remove();
            while link != NONE {
                let seat = self.seat(link);
                those.extend(seat.watch.upgrade());
                link = seat.links[EXPIRY as usize].next;
            }
        }
    }

    /// How many selectors and seconds somebody waits for.
    #[cfg(test)]
    pub(super) fn awaited(&self) -> usize {
        self.groups.len() + self.due.len()
    }

    fn sit(
        &mut self,
        watch: &Weak<State>,
        tags: &[Tag],
        iat: NumericDate,
        exp: NumericDate,
    ) -> u32 {
        let taken = Seat {
            watch: watch.clone(),
            iat,
            exp,
            links: [Link::UNUSED; WIDTH as usize],
            more: NONE,
        };
        let seat = if let Some(seat) = self.vacant.pop() {
            self.seats[seat as usize] = taken;
            seat
        } else {
            reserve(&mut self.seats);
            self.seats.push(taken);
            index(self.seats.len() - 1)
        };
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
            // Another list may be there by now, if this one has been told.
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
