//! The first watch of each selector.

use hashbrown::{HashTable, hash_table::Entry};
use slab::Slab;

use crate::enforce::tag::Tag;

/// In place of a link or a seat: there is none.
pub(super) const NONE: u32 = u32::MAX;

/// The heads of the lists, by tag. A group keeps its number, so that the first link of a list can
/// name its group in four bytes.
#[derive(Default)]
pub(super) struct Groups {
    groups: Slab<Group>,
    /// The number of each group. Tags are keyed hashes, so they need no other hash.
    by_tag: HashTable<u32>,
}

struct Group {
    tag: Tag,
    first: u32,
}

impl Groups {
    /// The first link of the list of `tag`.
    pub(super) fn first(&self, tag: Tag) -> u32 {
        let same = |group: &u32| self.groups[*group as usize].tag == tag;
        let group = self.by_tag.find(tag.hash(), same);
        group.map_or(NONE, |group| self.groups[*group as usize].first)
    }

    /// Puts `link` in front of the list of `tag`. Returns the group, and the link that was first.
    pub(super) fn push(&mut self, tag: Tag, link: u32) -> (u32, u32) {
        let Self { groups, by_tag } = self;
        let entry = by_tag.entry(
            tag.hash(),
            |group| groups[*group as usize].tag == tag,
            |group| groups[*group as usize].tag.hash(),
        );
        match entry {
            Entry::Occupied(entry) => {
                let group = *entry.get();
                let first = &mut groups[group as usize].first;
                (group, std::mem::replace(first, link))
            }
            Entry::Vacant(entry) => {
                let group = insert(groups, Group { tag, first: link });
                entry.insert(group);
                (group, NONE)
            }
        }
    }

    /// Sets the first link of a group. A group without links is removed.
    pub(super) fn set_first(&mut self, group: u32, link: u32) {
        self.groups[group as usize].first = link;
        if link == NONE {
            let Group { tag, .. } = self.groups.remove(group as usize);
            if let Ok(entry) = self.by_tag.find_entry(tag.hash(), |known| *known == group) {
                entry.remove();
            }
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.groups.len()
    }
}

/// Inserts an entry and returns its number. The memory grows by an eighth instead of doubling,
/// because the memory of a watch has a limit.
///
/// 32 bits are enough: ten links a seat leave numbers for 200 million seats in a shard, whose
/// memory would be more than a terabyte in all shards.
pub(super) fn insert<T>(slab: &mut Slab<T>, entry: T) -> u32 {
    if slab.len() == slab.capacity() {
        slab.reserve_exact(slab.len() / 8 + 4);
    }
    u32::try_from(slab.insert(entry)).unwrap_or(NONE)
}
