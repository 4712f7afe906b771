//! The live records by tag: exact, and without a lock that all readers share.

#[cfg(all(test, shuttle))]
mod interleavings;
#[cfg(test)]
mod tests;
mod versions;
#[cfg(all(test, loom))]
mod weak_memory;

use std::sync::PoisonError;

use hashbrown::HashTable;

pub(super) use self::versions::{Remembered, Versions};
use super::{
    sync::{AtomicU32, AtomicUsize, Ordering, RwLock, RwLockReadGuard, RwLockWriteGuard},
    tag::{Tag, Tagger},
};
use crate::log::{NumericDate, Revocation, Selector, SelectorClass};

/// The number of shards: large enough that two readers rarely need the same one.
const SHARDS: usize = 256;

/// How many rows a sweep removes before it lets readers pass.
const STEP: usize = 1024;

/// Every record, by the tag of its selector.
pub(super) struct Table {
    tagger: Tagger,
    shards: Box<[Shard]>,
    /// The number of records of each class.
    classes: [AtomicUsize; SelectorClass::ALL.len()],
    /// The latest end of a forgotten record.
    forgotten: AtomicU32,
    versions: Versions,
}

/// Has a cache line of its own, so that taking one lock does not slow down another.
#[derive(Default)]
#[repr(align(64))]
struct Shard(RwLock<Rows>);

/// Nearly all records cover tokens of any `iat`. They need no `not_before`, so they are kept apart
/// and take 20 bytes instead of 24.
#[derive(Default)]
struct Rows {
    forever: HashTable<Forever>,
    watermarks: HashTable<Watermark>,
}

#[derive(Clone, Copy)]
struct Forever {
    tag: Tag,
    expires: Second,
}

#[derive(Clone, Copy)]
struct Watermark {
    tag: Tag,
    not_before: Second,
    expires: Second,
}

/// A time in four bytes. A time that does not fit, from the year 2106 on, becomes "never": a record
/// that is kept too long does no harm.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Second(u32);

impl Second {
    const NEVER: Self = Self(u32::MAX);

    fn at(moment: NumericDate) -> Self {
        u32::try_from(moment.seconds()).map_or(Self::NEVER, Self)
    }

    /// Whether this is `moment` or later.
    fn reaches(self, moment: NumericDate) -> bool {
        self == Self::NEVER || u64::from(self.0) >= moment.seconds()
    }

    /// Whether this is `now` or earlier.
    fn is_past(self, now: NumericDate) -> bool {
        self != Self::NEVER && u64::from(self.0) <= now.seconds()
    }
}

impl Table {
    pub(super) fn new() -> Self {
        Self {
            tagger: Tagger::random(),
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            classes: Default::default(),
            forgotten: AtomicU32::new(0),
            versions: Versions::new(),
        }
    }

    pub(super) fn versions(&self) -> &Versions {
        &self.versions
    }

    pub(super) fn tag(&self, selector: &Selector) -> Tag {
        self.tagger.tag(selector)
    }

    /// Tables with the same number have the same tags.
    pub(super) fn tagger_id(&self) -> u64 {
        self.tagger.id()
    }

    /// Whether there is any record of the class. If not, callers need not compute a selector.
    pub(super) fn has(&self, class: SelectorClass) -> bool {
        self.count(class).load(Ordering::Acquire) > 0
    }

    /// Whether a record covers a token with this tag that was issued at `iat`. `None` is an unknown
    /// time, which every record covers.
    pub(super) fn covers(&self, tag: Tag, iat: Option<NumericDate>) -> bool {
        let rows = self.shard(tag).read();
        if rows
            .forever
            .find(tag.hash(), |row| row.tag == tag)
            .is_some()
        {
            return true;
        }
        let watermark = rows.watermarks.find(tag.hash(), |row| row.tag == tag);
        watermark.is_some_and(|row| iat.is_none_or(|iat| row.not_before.reaches(iat)))
    }

    /// Merges a record. Once this has returned, every reader finds it.
    pub(super) fn merge(&self, record: &Revocation) {
        let tag = self.tag(&record.selector());
        let mut rows = self.shard(tag).write();
        // Under the lock, and with the count of the class: see `versions`.
        self.versions.write(tag, || {
            if rows.merge(
                tag,
                Second::at(record.not_before()),
                Second::at(record.expires()),
            ) {
                self.count(tag.class()).fetch_add(1, Ordering::Release);
            }
        });
    }

    /// Allocates an empty table for this many records, so that it does not grow in steps.
    pub(super) fn reserve(&self, forever: usize) {
        if self.len() == 0 {
            for shard in &self.shards {
                let room = forever / SHARDS;
                shard.write().forever.reserve(room, |row| row.tag.hash());
            }
        }
    }

    /// Whether a record that ends at `end` or later may have been forgotten. Call
    /// [`covers`](Self::covers) first. If the clock never goes back, such an `end` is in the past.
    pub(super) fn may_have_forgotten(&self, end: NumericDate) -> bool {
        u64::from(self.forgotten.load(Ordering::Acquire)) >= end.seconds()
    }

    /// A log has forgotten records that ended at `end` or earlier.
    pub(super) fn has_forgotten(&self, end: NumericDate) {
        self.forgotten
            .fetch_max(Second::at(end).0, Ordering::Release);
    }

    pub(super) fn len(&self) -> usize {
        let counts = self.classes.iter();
        counts.map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// The memory of the rows in bytes, including what is reserved for more rows.
    pub(super) fn memory(&self) -> usize {
        let shards = self.shards.iter().map(|shard| {
            let rows = shard.read();
            size_of::<Shard>() + rows.forever.allocation_size() + rows.watermarks.allocation_size()
        });
        shards.sum()
    }

    /// Removes the records that have expired by `now`, and returns how many these were.
    pub(super) fn sweep(&self, now: NumericDate) -> usize {
        self.shards
            .iter()
            .map(|shard| self.sweep_shard(shard, now))
            .sum()
    }

    fn sweep_shard(&self, shard: &Shard, now: NumericDate) -> usize {
        let mut forgotten = 0;
        loop {
            // Readers pass during the search, and again after each step.
            let expired = shard.read().expired(now);
            if expired.is_empty() {
                return forgotten;
            }
            let mut rows = shard.write();
            for tag in &expired {
                // A newer record may have come in the meantime.
                if let Some(end) = rows.forget(*tag, now) {
                    // Under the lock: a reader that does not find the row sees this.
                    self.forgotten.fetch_max(end.0, Ordering::Release);
                    self.count(tag.class()).fetch_sub(1, Ordering::Release);
                    forgotten += 1;
                }
            }
            rows.shrink();
            if expired.len() < STEP {
                return forgotten;
            }
        }
    }

    fn shard(&self, tag: Tag) -> &Shard {
        &self.shards[tag.shard(SHARDS)]
    }

    fn count(&self, class: SelectorClass) -> &AtomicUsize {
        &self.classes[class as usize - 1]
    }
}

impl Shard {
    // Nothing panics while it holds one of these locks.
    fn read(&self) -> RwLockReadGuard<'_, Rows> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Rows> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rows {
    /// Merges as [`Revocation::merge`] does, in any order. Returns whether the tag is new.
    fn merge(&mut self, tag: Tag, not_before: Second, mut expires: Second) -> bool {
        let same = |row: &Watermark| row.tag == tag;
        if let Some(row) = self.forever.find_mut(tag.hash(), |row| row.tag == tag) {
            row.expires = row.expires.max(expires);
            return false;
        }
        if not_before != Second::NEVER {
            if let Some(row) = self.watermarks.find_mut(tag.hash(), same) {
                row.not_before = row.not_before.max(not_before);
                row.expires = row.expires.max(expires);
                return false;
            }
            let row = Watermark {
                tag,
                not_before,
                expires,
            };
            self.watermarks
                .insert_unique(tag.hash(), row, |row| row.tag.hash());
            return true;
        }
        // The new row replaces a watermark.
        let watermark = self.watermarks.find_entry(tag.hash(), same).ok();
        let watermark = watermark.map(|entry| entry.remove().0);
        if let Some(watermark) = watermark {
            expires = expires.max(watermark.expires);
        }
        self.forever
            .insert_unique(tag.hash(), Forever { tag, expires }, |row| row.tag.hash());
        watermark.is_none()
    }

    /// The tags of some rows that have expired.
    fn expired(&self, now: NumericDate) -> Vec<Tag> {
        let forever = self.forever.iter().map(|row| (row.tag, row.expires));
        let watermarks = self.watermarks.iter().map(|row| (row.tag, row.expires));
        let expired = forever
            .chain(watermarks)
            .filter(|(_, expires)| expires.is_past(now));
        expired.map(|(tag, _)| tag).take(STEP).collect()
    }

    /// Removes the row of a tag if it has expired. Returns when it expired.
    fn forget(&mut self, tag: Tag, now: NumericDate) -> Option<Second> {
        let expired = |row: &Forever| row.tag == tag && row.expires.is_past(now);
        if let Ok(entry) = self.forever.find_entry(tag.hash(), expired) {
            return Some(entry.remove().0.expires);
        }
        let expired = |row: &Watermark| row.tag == tag && row.expires.is_past(now);
        let entry = self.watermarks.find_entry(tag.hash(), expired).ok()?;
        Some(entry.remove().0.expires)
    }

    /// Gives memory back once three quarters of it are unused.
    fn shrink(&mut self) {
        fn is_roomy<T>(rows: &HashTable<T>) -> bool {
            rows.capacity() / 4 > rows.len()
        }
        if is_roomy(&self.forever) {
            let room = self.forever.len() * 2;
            self.forever.shrink_to(room, |row| row.tag.hash());
        }
        if is_roomy(&self.watermarks) {
            let room = self.watermarks.len() * 2;
            self.watermarks.shrink_to(room, |row| row.tag.hash());
        }
    }
}
