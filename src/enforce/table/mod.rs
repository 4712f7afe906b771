//! Where the live records are kept: exact, and without a lock that all readers share.

#[cfg(all(test, shuttle))]
mod interleavings;
#[cfg(test)]
mod tests;

use std::sync::PoisonError;

use hashbrown::HashTable;

use super::{
    sync::{AtomicU32, AtomicUsize, Ordering, RwLock, RwLockReadGuard, RwLockWriteGuard},
    tag::{Tag, Tagger},
};
use crate::log::{NumericDate, Revocation, Selector, SelectorClass};

/// Readers of different tokens meet at one of them seldom.
const SHARDS: usize = 256;

/// So many rows are removed before readers may pass again.
const STEP: usize = 1024;

/// Every record, by the tag of its selector.
pub(super) struct Table {
    tagger: Tagger,
    shards: Box<[Shard]>,
    /// How many records there are of each class.
    classes: [AtomicUsize; SelectorClass::ALL.len()],
    /// The latest end of a record that has been forgotten.
    forgotten: AtomicU32,
}

/// A cache line of its own, so that a lock that is taken disturbs no other.
#[derive(Default)]
#[repr(align(64))]
struct Shard(RwLock<Rows>);

/// Nearly all records are for ever. They need no `not_before`, so they are kept apart: 20 octets in
/// place of 24.
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

/// A moment in four octets. What does not fit, from the year 2106 on, is never: a record that is
/// kept for too long harms nobody.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Second(u32);

impl Second {
    const NEVER: Self = Self(u32::MAX);

    fn at(moment: NumericDate) -> Self {
        u32::try_from(moment.seconds()).map_or(Self::NEVER, Self)
    }

    /// Whether it is this moment, or later.
    fn reaches(self, moment: NumericDate) -> bool {
        self == Self::NEVER || u64::from(self.0) >= moment.seconds()
    }

    /// Whether it has come by now.
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
        }
    }

    pub(super) fn tag(&self, selector: &Selector) -> Tag {
        self.tagger.tag(selector)
    }

    /// Whether there is any record of the class. Asked by whoever would otherwise make a selector
    /// in vain.
    pub(super) fn has(&self, class: SelectorClass) -> bool {
        self.count(class).load(Ordering::Acquire) > 0
    }

    /// Whether a record covers what has this tag and was issued then, or at a time that it does not
    /// say.
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

    /// Adds what a record says to what is known. Whoever looks after this has returned finds it.
    pub(super) fn merge(&self, record: &Revocation) {
        let tag = self.tag(&record.selector());
        let mut rows = self.shard(tag).write();
        if rows.merge(
            tag,
            Second::at(record.not_before()),
            Second::at(record.expires()),
        ) {
            self.count(tag.class()).fetch_add(1, Ordering::Release);
        }
    }

    /// Makes room for so many records in a table that has none, so that it need not grow in steps.
    pub(super) fn reserve(&self, forever: usize) {
        if self.len() == 0 {
            for shard in &self.shards {
                let room = forever / SHARDS;
                shard.write().forever.reserve(room, |row| row.tag.hash());
            }
        }
    }

    /// Whether a record that ends then, or later, can have been forgotten. Ask it after
    /// [`covers`](Self::covers). By a clock that never goes back, such a moment has passed.
    pub(super) fn may_have_forgotten(&self, end: NumericDate) -> bool {
        u64::from(self.forgotten.load(Ordering::Acquire)) >= end.seconds()
    }

    /// A log has forgotten records that ended then, or earlier.
    pub(super) fn has_forgotten(&self, end: NumericDate) {
        self.forgotten
            .fetch_max(Second::at(end).0, Ordering::Release);
    }

    pub(super) fn len(&self) -> usize {
        let counts = self.classes.iter();
        counts.map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// The memory of the rows, in octets, and of the room that is kept for more.
    pub(super) fn memory(&self) -> usize {
        let shards = self.shards.iter().map(|shard| {
            let rows = shard.read();
            size_of::<Shard>() + rows.forever.allocation_size() + rows.watermarks.allocation_size()
        });
        shards.sum()
    }

    /// Forgets what has expired by now, and answers how many records that were.
    pub(super) fn sweep(&self, now: NumericDate) -> usize {
        self.shards
            .iter()
            .map(|shard| self.sweep_shard(shard, now))
            .sum()
    }

    fn sweep_shard(&self, shard: &Shard, now: NumericDate) -> usize {
        let mut forgotten = 0;
        loop {
            // Readers pass while it is looked for, and again after every few that are removed.
            let expired = shard.read().expired(now);
            if expired.is_empty() {
                return forgotten;
            }
            let mut rows = shard.write();
            for tag in &expired {
                // It may have been revoked anew in the meantime.
                if let Some(end) = rows.forget(*tag, now) {
                    // Before the lock is let go: whoever misses the row sees this.
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
    // Nothing panics while it holds the lock.
    fn read(&self) -> RwLockReadGuard<'_, Rows> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Rows> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rows {
    /// As [`Revocation::merge`], in whatever order. Answers whether the tag is new.
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
        // It takes the watermark's place.
        let watermark = self.watermarks.find_entry(tag.hash(), same).ok();
        let watermark = watermark.map(|entry| entry.remove().0);
        if let Some(watermark) = watermark {
            expires = expires.max(watermark.expires);
        }
        self.forever
            .insert_unique(tag.hash(), Forever { tag, expires }, |row| row.tag.hash());
        watermark.is_none()
    }

    /// The next few that have expired.
    fn expired(&self, now: NumericDate) -> Vec<Tag> {
        let forever = self.forever.iter().map(|row| (row.tag, row.expires));
        let watermarks = self.watermarks.iter().map(|row| (row.tag, row.expires));
        let expired = forever
            .chain(watermarks)
            .filter(|(_, expires)| expires.is_past(now));
        expired.map(|(tag, _)| tag).take(STEP).collect()
    }

    /// Removes the row of a tag if it has expired. Answers when that was.
    fn forget(&mut self, tag: Tag, now: NumericDate) -> Option<Second> {
        let expired = |row: &Forever| row.tag == tag && row.expires.is_past(now);
        if let Ok(entry) = self.forever.find_entry(tag.hash(), expired) {
            return Some(entry.remove().0.expires);
        }
        let expired = |row: &Watermark| row.tag == tag && row.expires.is_past(now);
        let entry = self.watermarks.find_entry(tag.hash(), expired).ok()?;
        Some(entry.remove().0.expires)
    }

    /// Gives memory back once three quarters of it are not needed.
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
