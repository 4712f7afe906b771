//! Which rows of a shard have expired, and how are they removed?

use super::{
    aside,
    row::{Row, Second},
    shard::Writer,
};
use crate::log::{NumericDate, SelectorClass};

/// How many rows are removed before readers pass again.
pub(super) const STEP: usize = 16;

/// How many rows there are of each class, in the order of [`SelectorClass::ALL`].
pub(super) type Classes = [usize; SelectorClass::ALL.len()];

/// The expired rows of a hash table.
#[derive(Default)]
struct Expired {
    classes: Classes,
    /// When the last of them expired.
    latest: Option<Second>,
    /// The buckets of the first ones.
    buckets: Vec<usize>,
}

impl Writer<'_> {
    /// Removes the rows that have expired by `now`. Before that, passes the latest time when one of
    /// them expired to `forgets`. Returns how many these were.
    pub(super) fn sweep<R: Row>(
        &mut self,
        now: NumericDate,
        forgets: impl FnOnce(Second),
    ) -> Classes {
        let expired = self.expired::<R>(now);
        if let Some(latest) = expired.latest {
            forgets(latest);
            self.remove::<R>(&expired, now);
        }
        expired.classes
    }

    fn expired<R: Row>(&self, now: NumericDate) -> Expired {
        let rows = self.read();
        let table = R::of(&rows);
        let few = few(table.len());
        let mut expired = Expired::default();
        for bucket in table.iter_buckets() {
            let Some(row) = table.get_bucket(bucket) else {
                continue;
            };
            if row.expires().is_past(now) {
                expired.classes[row.tag().class() as usize - 1] += 1;
                expired.latest = expired.latest.max(Some(row.expires()));
                if expired.buckets.len() < few {
                    expired.buckets.push(bucket);
                }
            }
        }
        expired
    }

    fn remove<R: Row>(&mut self, expired: &Expired, now: NumericDate) {
        let count: usize = expired.classes.iter().sum();
        let rows = self.read();
        let table = R::of(&rows);
        let left = table.len() - count;
        if count > expired.buckets.len() || aside::is_roomy(table, left) {
            let live = aside::swept(table, left, |row| !row.expires().is_past(now));
            drop(rows);
            self.exchange(live);
            return;
        }
        drop(rows);
        for buckets in expired.buckets.chunks(STEP) {
            self.remove_step::<R>(buckets);
        }
    }

    pub(super) fn remove_step<R: Row>(&mut self, buckets: &[usize]) {
        let mut rows = self.write();
        for bucket in buckets {
            if let Ok(row) = R::of_mut(&mut rows).get_bucket_entry(*bucket) {
                row.remove();
            }
        }
    }
}

/// The largest number of expired rows in a table of this size that is removed one by one. If there
/// are more, it takes less time to copy the others.
fn few(rows: usize) -> usize {
    rows / 8
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::{
        super::{
            row::{Forever, Watermark},
            shard::{
                Shard,
                tests::{merge, tag},
            },
        },
        *,
    };

    /// A shard in which the first of these rows have expired at 1000.
    fn shard(rows: u32, expired: u32) -> Shard {
        let shard = Shard::default();
        for number in 0..rows {
            let end = if number < expired {
                1000 - number
            } else {
                1001
            };
            merge(&shard, number, Second::NEVER, end);
        }
        shard
    }

    fn sweep(shard: &Shard) -> usize {
        let mut writer = shard.writer();
        let classes = writer.sweep::<Forever>(NumericDate::new(1000), |_| {});
        classes.iter().sum()
    }

    /// The numbers of the rows that are there.
    fn rows(shard: &Shard, of: u32) -> Vec<u32> {
        let rows = shard.read();
        (0..of).filter(|it| rows.covers(tag(*it), None)).collect()
    }

    #[test]
    fn sweep_removes_what_has_expired_one_by_one_or_by_a_copy() {
        // The second of each pair is one more than can be removed one by one.
        for expired in [0, 1, 12, 13, 100] {
            let shard = shard(100, expired);
            assert_eq!(sweep(&shard), expired as usize);
            assert_eq!(rows(&shard, 100), (expired..100).collect::<Vec<_>>());
        }
    }

    #[test]
    fn rows_are_removed_in_steps() {
        let few = u32::try_from(STEP).unwrap() * 5 / 2;
        let shard = shard(few * 8, few);
        let memory = shard.read().memory();
        assert_eq!(sweep(&shard), few as usize);
        assert_eq!(rows(&shard, few * 8), (few..few * 8).collect::<Vec<_>>());
        assert_eq!(shard.read().memory(), memory);
    }

    #[test]
    fn what_is_forgotten_is_known_while_every_row_is_still_there() {
        // Removed by a copy, and one by one.
        for (rows, expired) in [(10, 10), (100, 3)] {
            let shard = shard(rows, expired);
            let mut forgotten = None;
            shard
                .writer()
                .sweep::<Forever>(NumericDate::new(1000), |latest| {
                    assert_eq!(self::rows(&shard, rows).len(), rows as usize);
                    forgotten = Some(latest.0);
                });
            assert_eq!(forgotten, Some(1000));
            assert_eq!(self::rows(&shard, rows).len(), (rows - expired) as usize);
        }
    }

    #[test]
    fn sweep_without_an_expired_row_forgets_nothing() {
        let shard = shard(10, 0);
        let forgets = |_| panic!("nothing is forgotten");
        shard
            .writer()
            .sweep::<Forever>(NumericDate::new(1000), forgets);
    }

    #[test]
    fn sweep_of_one_kind_of_rows_leaves_the_other() {
        let shard = shard(3, 3);
        merge(&shard, 7, Second(1), 1000);
        assert_eq!(sweep(&shard), 3);
        assert_eq!(rows(&shard, 10), [7]);
        let now = NumericDate::new(1000);
        let removed = shard.writer().sweep::<Watermark>(now, |_| {});
        assert_eq!(removed.iter().sum::<usize>(), 1);
        assert!(rows(&shard, 10).is_empty());
    }

    proptest! {
        /// Enough rows in one shard for copies, steps, and gaps of removed rows.
        #[test]
        fn shard_agrees_with_its_records_after_every_step(
            steps in prop::collection::vec((0..4u32, 0..300u32, 1..60u32), 0..20),
        ) {
            let (shard, mut model) = (Shard::default(), HashMap::new());
            let mut now = 0;
            for (pace, first, count) in steps {
                for number in first..first + count {
                    // A record can replace a watermark.
                    let is_watermark = (number + now) % 3 == 0;
                    let not_before = if is_watermark { Second(5) } else { Second::NEVER };
                    let end = now + 1 + number % 7;
                    let is_new = merge(&shard, number, not_before, end);
                    let known = model.insert(number, end);
                    prop_assert_eq!(is_new, known.is_none());
                    model.insert(number, known.map_or(end, |known| end.max(known)));
                }
                now += pace;
                let before = model.len();
                model.retain(|_, end| *end > now);
                let date = NumericDate::new(u64::from(now));
                let mut writer = shard.writer();
                let classes = [
                    writer.sweep::<Forever>(date, |_| {}),
                    writer.sweep::<Watermark>(date, |_| {}),
                ];
                let removed: usize = classes.iter().flatten().sum();
                prop_assert_eq!(removed, before - model.len());
                let found = rows(&shard, 360);
                prop_assert_eq!(found.len(), model.len());
                prop_assert!(found.iter().all(|number| model.contains_key(number)));
            }
        }
    }
}
