//! The tokens that were verified before.
//!
//! An entry is what an introspection of the same text would return now. Apart from the text, that
//! depends on two things. The *settings* are those of the cache: every setter makes a new one. The
//! *keys* are those at hand if they are [still the same](VerifiedBy). It does not depend on the
//! time, which an introspection does not check. Yet no entry is used after its `exp`.
//!
//! Only genuine tokens are cached, so invented texts evict nothing. Tokens that are used once evict
//! each other first, because `quick_cache` uses CLOCK-Pro.

mod entry;
mod tag;

use std::{hash::BuildHasherDefault, sync::Arc};

use quick_cache::{
    OptionsBuilder, Weighter,
    sync::{Cache, DefaultLifecycle},
};

use self::tag::{TagHasher, Tagger};
pub(super) use self::{
    entry::{Entry, VerifiedBy},
    tag::Tag,
};
use super::observe;
use crate::{introspect::Introspection, log::NumericDate};

/// Each shard has a lock, which readers share and writers hold for a moment. With this many, two
/// threads rarely meet.
const MAX_SHARDS: usize = 64;

/// So that a shard is not full while others have room.
const MIN_PER_SHARD: usize = 32;

pub(super) struct TokenCache {
    tagger: Tagger,
    entries: Cache<Tag, Arc<Entry>, Units, BuildHasherDefault<TagHasher>>,
}

/// The units of an entry count towards the capacity.
#[derive(Clone)]
struct Units;

impl Weighter<Tag, Arc<Entry>> for Units {
    fn weight(&self, _: &Tag, entry: &Arc<Entry>) -> u64 {
        entry.units()
    }
}

impl TokenCache {
    /// A cache of this many entries of at most 4 KiB each, or fewer larger ones. `None` if that is
    /// none, or if the operating system has no random numbers.
    pub(super) fn new(capacity: usize) -> Option<Self> {
        let shards = (capacity / MIN_PER_SHARD).clamp(1, MAX_SHARDS);
        let shards = 1 << shards.ilog2();
        // Each shard has the same capacity, rounded up.
        let capacity = capacity - capacity % shards;
        if capacity == 0 {
            return None;
        }
        let tagger = match Tagger::random() {
            Ok(tagger) => tagger,
            Err(error) => {
                observe::no_cache(error);
                return None;
            }
        };
        let options = OptionsBuilder::new()
            .shards(shards)
            .estimated_items_capacity(capacity)
            .weight_capacity(u64::try_from(capacity).unwrap_or(u64::MAX))
            .build()
            .expect("it has both capacities");
        let lifecycle = DefaultLifecycle::default();
        Some(Self {
            tagger,
            entries: Cache::with_options(options, Units, BuildHasherDefault::default(), lifecycle),
        })
    }

    pub(super) fn tag(&self, token: &str) -> Tag {
        self.tagger.tag(token)
    }

    /// The entry of the token. Removes it if the token has expired.
    pub(super) fn get(&self, tag: &Tag, now: NumericDate) -> Option<Arc<Entry>> {
        let entry = self.entries.get(tag)?;
        if entry.is_expired(now) {
            self.remove(tag, &entry);
            return None;
        }
        Some(entry)
    }

    /// Removes this entry, unless another one is in its place.
    pub(super) fn remove(&self, tag: &Tag, entry: &Arc<Entry>) {
        self.entries.remove_if(tag, |it| Arc::ptr_eq(it, entry));
    }

    /// Caches a genuine token, unless it has expired. Returns the introspection that is cached.
    pub(super) fn insert(
        &self,
        tag: Tag,
        token: Introspection,
        verified_by: VerifiedBy,
    ) -> Introspection {
        let entry = Entry::new(token, verified_by);
        let token = entry.token();
        if !entry.is_expired(NumericDate::now()) {
            self.entries.insert(tag, Arc::new(entry));
        }
        token
    }

    /// The number of entries, including those that have expired.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests;
