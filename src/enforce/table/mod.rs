//! The live records by tag: exact, and without a lock that all readers share.

mod aside;
#[cfg(test)]
mod exclusive;
#[cfg(all(test, shuttle))]
mod interleavings;
mod row;
mod rows;
mod shard;
mod sweep;
#[cfg(test)]
mod tests;
mod versions;
#[cfg(all(test, loom))]
mod weak_memory;

pub(super) use self::versions::Versions;
use self::{
    row::{Forever, Row, Second, Watermark},
    shard::{Shard, Writer},
};
use super::{
    sync::{AtomicU32, AtomicUsize, Ordering},
    tag::{Tag, Tagger},
};
use crate::log::{NumericDate, Revocation, Selector, SelectorClass};

/// The number of shards: large enough that two readers rarely need the same one.
const SHARDS: usize = if cfg!(all(test, any(shuttle, loom))) {
    2
} else {
    256
};

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

    /// Whether there is any record of the class. If not, callers need not compute a selector, and
    /// [`may_have_forgotten`](Self::may_have_forgotten) then knows of each record that was removed.
    pub(super) fn has(&self, class: SelectorClass) -> bool {
        self.count(class).load(Ordering::Acquire) > 0
    }

    /// Whether a record covers a token with this tag that was issued at `iat`. `None` is an unknown
    /// time, which every record covers.
    pub(super) fn covers(&self, tag: Tag, iat: Option<NumericDate>) -> bool {
        self.shard(tag).read().covers(tag, iat)
    }

    /// Merges a record. Once this has returned, every reader finds it.
    pub(super) fn merge(&self, record: &Revocation) {
        let tag = self.tag(&record.selector());
        let (not_before, expires) = (record.not_before(), record.expires());
        let (not_before, expires) = (Second::at(not_before), Second::at(expires));
        let mut writer = self.shard(tag).writer();
        let mut rows = writer.rows_with_room(not_before);
        // Under the lock, and with the count of the class: see `versions`.
        self.versions.write(tag, || {
            if rows.merge(tag, not_before, expires) {
                self.count(tag.class()).fetch_add(1, Ordering::Release);
            }
        });
    }

    /// Allocates an empty table for this many records, so that it does not grow in steps.
    pub(super) fn reserve(&self, forever: usize) {
        if self.len() == 0 {
            for shard in &self.shards {
                shard.writer().reserve(forever / SHARDS);
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

    /// The memory of the rows in bytes, including what is reserved for more rows. Each thread that
    /// copies the rows of a shard needs more in the meantime: a second table for that shard.
    pub(super) fn memory(&self) -> usize {
        let shards = self.shards.iter();
        size_of::<Shard>() * SHARDS + shards.map(|shard| shard.read().memory()).sum::<usize>()
    }

    /// Removes the records that have expired by `now`, and returns how many these were.
    pub(super) fn sweep(&self, now: NumericDate) -> usize {
        let shards = self.shards.iter();
        shards.map(|shard| self.sweep_shard(shard, now)).sum()
    }

    fn sweep_shard(&self, shard: &Shard, now: NumericDate) -> usize {
        let mut writer = shard.writer();
        self.sweep_rows::<Forever>(&mut writer, now)
            + self.sweep_rows::<Watermark>(&mut writer, now)
    }

    fn sweep_rows<R: Row>(&self, writer: &mut Writer<'_>, now: NumericDate) -> usize {
        let removed = writer.sweep::<R>(now, |latest| {
            // A reader that does not find one of the rows any more sees this.
            self.forgotten.fetch_max(latest.0, Ordering::Release);
        });
        for (count, removed) in self.classes.iter().zip(removed) {
            if removed > 0 {
                count.fetch_sub(removed, Ordering::Release);
            }
        }
        removed.iter().sum()
    }

    fn shard(&self, tag: Tag) -> &Shard {
        &self.shards[tag.shard(SHARDS)]
    }

    fn count(&self, class: SelectorClass) -> &AtomicUsize {
        &self.classes[class as usize - 1]
    }
}
