//! Has a record come about one of these tags since they were last looked up?
//!
//! A token that is checked again and again is looked up each time, and nearly always nothing is
//! found. [`Versions`] makes that cheap: a small array of counters, of which the tag of a record
//! chooses one. [`Versions::write`] writes a record and then bumps its counter. [`Versions::check`]
//! looks up the tags of a token. If it finds nothing, it stores the sum of their counters with the
//! token. While the sum stays the same, there is nothing new to find.
//!
//! To make a tag takes longer than to look it up. So a check makes only the tags of classes that
//! have a record. A tag that was made counts in every check from then on, even if its class becomes
//! empty again.
//!
//! Many tags share a counter. A record about another tag only causes a look-up that finds nothing.
//!
//! # Why no record is missed
//!
//! Say that a write has returned before a check begins, that its record covers the token, and that
//! the check still finds the sums equal. Some earlier check stored that sum.
//!
//! 1. *Equal sums mean the same tags and equal counters.* The check loads the remembered sum first,
//!    with `Acquire`, and the earlier check stored it with `Release`, after it had made its tags and
//!    loaded their counters. So this check has every tag that the earlier check had, and each
//!    counter that is loaded now is at least as new as the one that the earlier check loaded. A
//!    counter only grows, and it is at least 1. So a tag more makes the sum greater, and if the sums
//!    are equal, then each counter is. This also holds if records come or tags are made while the
//!    counters are loaded one after the other.
//! 2. *The tag of the record is among them.* This check leaves out a tag only if it is not made, and
//!    the check itself has then found that the class has no record, after it began. The write had
//!    counted its record in the class before. So the record has been removed since: see below.
//! 3. *The earlier check saw the bump.* The write had returned before this check began, so this
//!    check sees the bump. By 1, the earlier check saw it as well.
//! 4. *So it saw the record.* A bump has `Release` and the loads of the counters have `Acquire`.
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
//!   does not find a row, or finds that the class of the row has no record, sees this end. It also
//!   sees it if an earlier check did not find the row, by the same `Release` and `Acquire` of the
//!   remembered sum.
//! * *Anything that depends on the time.*
//!
//! The table calls `write` under the lock of the rows. Therefore a check that follows one that has
//! found the record finds it too, even before the write has returned. The count of the class is a
//! part of what is written, because a class without records is not looked up.
//!
//! The tests in `interleavings.rs` and `weak_memory` run this in many orders. The second ones
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

/// In place of a sum, for a token that was never looked up. A token whose counters have this sum is
/// looked up each time.
const NOTHING: u64 = 0;

/// How often a record has come, by groups of tags.
pub(in crate::enforce) struct Versions(Box<[AtomicU64]>);

impl Versions {
    pub(super) fn new() -> Self {
        Self((0..COUNTERS).map(|_| AtomicU64::new(NOTHING + 1)).collect())
    }

    /// Writes the record with this tag. `write` does all that a look-up depends on.
    pub(super) fn write(&self, tag: Tag, write: impl FnOnce()) {
        write();
        self.counter(tag).fetch_add(1, Ordering::Release);
    }

    /// Looks up the tags of a token, unless nothing has come about them since `remembered`, which is
    /// the sum of their counters when nothing was found last. It starts at 0.
    ///
    /// `tags` has each tag that it had before, and those of all classes that have a record when it is
    /// read. `look_up` looks up at least these, and returns `None` if it finds nothing.
    pub(in crate::enforce) fn check<T>(
        &self,
        remembered: &AtomicU64,
        tags: impl Iterator<Item = Tag>,
        look_up: impl FnOnce() -> Option<T>,
    ) -> Option<T> {
        // Keep this order: the remembered sum, the counters, the look-up.
        let last = remembered.load(Ordering::Acquire);
        let sum = self.sum(tags);
        if sum == last && last != NOTHING {
            return None;
        }
        let found = look_up();
        if found.is_none() {
            remembered.store(sum, Ordering::Release);
        }
        found
    }

    fn sum(&self, tags: impl Iterator<Item = Tag>) -> u64 {
        let counters = tags.map(|tag| self.counter(tag));
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
    fn looks_up(versions: &Versions, remembered: &AtomicU64, tags: &[Tag]) -> bool {
        let mut looked = false;
        let found = versions.check(remembered, tags.iter().copied(), || {
            looked = true;
            None::<()>
        });
        assert_eq!(found, None);
        looked
    }

    #[test]
    fn tags_are_looked_up_once_until_a_record_comes() {
        let (versions, remembered) = (Versions::new(), AtomicU64::new(NOTHING));
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
        let (versions, remembered) = (Versions::new(), AtomicU64::new(NOTHING));
        for number in 0..3 {
            let found = versions.check(&remembered, [tag(1)].into_iter(), || Some(number));
            assert_eq!(found, Some(number));
        }
        assert!(looks_up(&versions, &remembered, &[tag(1)]));
    }

    #[test]
    fn record_is_found_although_its_counter_is_near_the_end() {
        let (versions, remembered) = (Versions::new(), AtomicU64::new(NOTHING));
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
