//! Has a record come about one of these tags since they were last looked up?
//!
//! A token that is checked again and again is looked up each time, and nearly always nothing is
//! found. [`Versions`] makes that cheap: a small array of counters, of which the tag of a record
//! chooses one. [`Versions::write`] writes a record and then bumps its counter. [`Versions::check`]
//! looks up the tags of a token. If it finds nothing, it stores the sum of their counters in the
//! token's [`Remembered`]. While the sum stays the same, there is nothing new to find.
//!
//! Many tags share a counter. A record about another tag only causes a look-up that finds nothing.
//!
//! # Why no record is missed
//!
//! Say that a write has returned before a check begins, that its record covers the token, and that
//! the check still finds the sums equal. Some earlier check stored that sum.
//!
//! 1. *Equal sums mean equal counters.* The check loads the remembered sum first, with `Acquire`,
//!    and the earlier check stored it with `Release`, after it had loaded its counters. So each
//!    counter that is loaded now is at least as new as the one that the earlier check loaded. A
//!    counter only grows, so if the sums are equal, then each counter is. This also holds if
//!    records come while the counters are loaded one after the other.
//! 2. *The earlier check saw the bump.* The write had returned before this check began, so this
//!    check sees the bump. By 1, the earlier check saw it as well.
//! 3. *So it saw the record.* A bump has `Release` and the loads of the counters have `Acquire`.
//!    The record is written before the bump, and looked up after the counters are loaded. So the
//!    earlier check found the record. But then it stored nothing.
//!
//! If the check finds different sums, it looks the tags up, as if nothing were remembered.
//!
//! Two checks of one token may store their sums in any order. Each sum comes from a look-up that
//! found nothing, so each is right. An older sum that is stored last only costs a look-up.
//!
//! A counter has 64 bits: with a thousand million records a second it wraps around after 584 years.
//!
//! # What is not remembered
//!
//! * *That a token is covered.* Its record may expire.
//! * *What is removed.* The table keeps the latest end of a forgotten record, and a reader that
//!   does not find a row sees this end. It also sees it if an earlier check did not find the row,
//!   by the same `Release` and `Acquire` of the remembered sum.
//! * *Anything that depends on the time.*
//!
//! The table calls `write` under the lock of the rows. Therefore a check that follows one that has
//! found the record finds it too, even before the write has returned. The count of the class is a
//! part of what is written, because a class without records is not looked up.
//!
//! The tests in `interleavings.rs` and `weak_memory.rs` run this in many orders. The second ones
//! also let loads return any value that the memory model allows.

use super::{
    super::sync::{AtomicU64, Ordering},
    Tag,
};

/// The number of counters, which take 8 KiB in every index. A check of a token with eight selectors
/// finds one of them changed after one record in 128.
#[cfg(not(all(test, loom)))]
const COUNTERS: usize = 1024;
/// loom keeps the history of each atomic.
#[cfg(all(test, loom))]
const COUNTERS: usize = 4;

/// Instead of a sum. A token whose counters have this sum is looked up each time.
const NOTHING: u64 = 0;

/// How often a record has come, by groups of tags.
pub(in crate::enforce) struct Versions(Box<[AtomicU64]>);

/// The sum of a token's counters when nothing was found last. **Use it with the same tags only.**
pub(in crate::enforce) struct Remembered(AtomicU64);

impl Default for Remembered {
    fn default() -> Self {
        Self(AtomicU64::new(NOTHING))
    }
}

impl Versions {
    pub(super) fn new() -> Self {
        Self((0..COUNTERS).map(|_| AtomicU64::new(NOTHING + 1)).collect())
    }

    /// Writes the record with this tag. `write` does all that a look-up depends on.
    pub(super) fn write(&self, tag: Tag, write: impl FnOnce()) {
        write();
        self.counter(tag).fetch_add(1, Ordering::Release);
    }

    /// Looks up the tags, unless nothing has come about them since `remembered`. `look_up` returns
    /// `None` if it finds nothing.
    pub(in crate::enforce) fn check<T>(
        &self,
        remembered: &Remembered,
        tags: &[Tag],
        look_up: impl FnOnce() -> Option<T>,
    ) -> Option<T> {
        // This order is everything: the remembered sum, the counters, the look-up.
        let last = remembered.0.load(Ordering::Acquire);
        let sum = self.sum(tags);
        if sum == last && last != NOTHING {
            return None;
        }
        let found = look_up();
        if found.is_none() {
            remembered.0.store(sum, Ordering::Release);
        }
        found
    }

    fn sum(&self, tags: &[Tag]) -> u64 {
        let counters = tags.iter().map(|tag| self.counter(*tag));
        counters.fold(0, |sum, counter| {
            sum.wrapping_add(counter.load(Ordering::Acquire))
        })
    }

    fn counter(&self, tag: Tag) -> &AtomicU64 {
        &self.0[tag.counter(COUNTERS)]
    }
}

#[cfg(test)]
#[cfg(not(any(shuttle, loom)))]
mod tests {
    use super::*;

    fn tag(counter: u32) -> Tag {
        Tag([7, 7, 7, counter << 3])
    }

    /// Whether the tags are looked up. The look-up finds nothing.
    fn looks_up(versions: &Versions, remembered: &Remembered, tags: &[Tag]) -> bool {
        let mut looked = false;
        let found = versions.check(remembered, tags, || {
            looked = true;
            None::<()>
        });
        assert_eq!(found, None);
        looked
    }

    #[test]
    fn tags_are_looked_up_once_until_a_record_comes() {
        let (versions, remembered) = (Versions::new(), Remembered::default());
        let tags = [tag(1), tag(2)];
        for tag in tags {
            assert!(looks_up(&versions, &remembered, &tags));
            assert!(!looks_up(&versions, &remembered, &tags));
            versions.write(tag, || ());
        }
        assert!(looks_up(&versions, &remembered, &tags));
        versions.write(tag(3), || ());
        assert!(!looks_up(&versions, &remembered, &tags));
    }

    #[test]
    fn what_is_found_is_not_remembered() {
        let (versions, remembered) = (Versions::new(), Remembered::default());
        for number in 0..3 {
            let found = versions.check(&remembered, &[tag(1)], || Some(number));
            assert_eq!(found, Some(number));
        }
        assert!(looks_up(&versions, &remembered, &[tag(1)]));
    }

    #[test]
    fn record_is_found_although_its_counter_is_near_the_end() {
        let (versions, remembered) = (Versions::new(), Remembered::default());
        for counter in &versions.0 {
            counter.store(u64::MAX, Ordering::Relaxed);
        }
        for _ in 0..4 {
            assert!(looks_up(&versions, &remembered, &[tag(1), tag(2)]));
            versions.write(tag(2), || ());
        }
    }

    #[test]
    fn tags_use_all_counters() {
        let mut used = [false; COUNTERS];
        let tagger = super::super::Tagger::random();
        for number in 0..20 * COUNTERS {
            let selector = crate::log::Selector::grant(&number.to_string());
            used[tagger.tag(&selector).counter(COUNTERS)] = true;
        }
        assert!(used.iter().all(|used| *used));
    }
}
