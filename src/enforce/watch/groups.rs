//! By tag: the first of those who wait for it.

use crate::enforce::tag::Tag;

/// Where no one is.
pub(super) const NONE: u32 = u32::MAX;

/// A hash table whose entries keep their place, so that a list can say whose it is in four octets.
#[derive(Default)]
pub(super) struct Groups {
    entries: Vec<Group>,
    /// The first group of each chain. Tags are hashes by a key, so any bits of them will do.
    buckets: Vec<u32>,
    vacant: Vec<u32>,
}

struct Group {
    tag: Tag,
    /// The next one of the chain.
    next: u32,
    first: u32,
}

impl Groups {
    /// The first link of the list of `tag`.
    pub(super) fn first(&self, tag: Tag) -> u32 {
        self.find(tag)
            .map_or(NONE, |group| self.entries[group as usize].first)
    }

    /// Puts `link` in front of the list of `tag`: its group, and the link that was the first.
    pub(super) fn push(&mut self, tag: Tag, link: u32) -> (u32, u32) {
        if let Some(group) = self.find(tag) {
            let first = &mut self.entries[group as usize].first;
            return (group, std::mem::replace(first, link));
        }
        if self.len() == self.buckets.len() {
            self.grow();
        }
        let bucket = self.bucket(tag);
        let next = self.buckets[bucket];
        let first = link;
        let group = if let Some(group) = self.vacant.pop() {
            self.entries[group as usize] = Group { tag, next, first };
            group
        } else {
            reserve(&mut self.entries);
            self.entries.push(Group { tag, next, first });
            index(self.entries.len() - 1)
        };
        self.buckets[bucket] = group;
        (group, NONE)
    }

    /// Says which link is the first one now. A group without any is gone.
    pub(super) fn set_first(&mut self, group: u32, link: u32) {
        let Group { tag, next, first } = &mut self.entries[group as usize];
        *first = link;
        if link != NONE {
            return;
        }
        let (tag, next) = (*tag, *next);
        let bucket = self.bucket(tag);
        if self.buckets[bucket] == group {
            self.buckets[bucket] = next;
        } else {
            let mut before = self.buckets[bucket] as usize;
            while self.entries[before].next != group {
                before = self.entries[before].next as usize;
            }
            self.entries[before].next = next;
        }
        self.vacant.push(group);
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len() - self.vacant.len()
    }

    fn find(&self, tag: Tag) -> Option<u32> {
        if self.buckets.is_empty() {
            return None;
        }
        let mut group = self.buckets[self.bucket(tag)];
        while group != NONE {
            let entry = &self.entries[group as usize];
            if entry.tag == tag {
                return Some(group);
            }
            group = entry.next;
        }
        None
    }

    fn bucket(&self, tag: Tag) -> usize {
        tag.0[0] as usize & (self.buckets.len() - 1)
    }

    /// Called when every group is in use.
    fn grow(&mut self) {
        self.buckets = vec![NONE; (self.buckets.len() * 2).max(8)];
        for group in 0..self.entries.len() {
            let bucket = self.bucket(self.entries[group].tag);
            self.entries[group].next = std::mem::replace(&mut self.buckets[bucket], index(group));
        }
    }
}

/// Room for one more. By an eighth, not by doubling: the memory of a watch is promised.
pub(super) fn reserve<T>(entries: &mut Vec<T>) {
    if entries.len() == entries.capacity() {
        entries.reserve_exact(entries.len() / 8 + 4);
    }
}

/// A place in 32 bits, of which ten links a seat leave room for two hundred million seats a shard.
/// Their memory would be more than a terabyte.
pub(super) fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(NONE)
}
