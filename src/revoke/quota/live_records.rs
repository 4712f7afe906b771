//! The live records of one client, counted by their expiry.

use crate::log::NumericDate;

/// At most this many different expiries are kept.
const SLICES: usize = 64;

#[derive(Debug)]
pub(super) struct LiveRecords {
    /// Records that are being appended.
    pub(super) reserved: usize,
    /// Expiries and the number of records of each, in the order of time.
    slices: Vec<(NumericDate, usize)>,
    /// Expiries are rounded up to a multiple of this many seconds.
    step: u64,
}

impl Default for LiveRecords {
    fn default() -> Self {
        Self {
            reserved: 0,
            slices: Vec::new(),
            step: 1,
        }
    }
}

impl LiveRecords {
    pub(super) fn remove_expired(&mut self, now: NumericDate) {
        self.slices.retain(|(expires, _)| *expires > now);
        if self.slices.is_empty() {
            self.step = 1;
        }
    }

    pub(super) fn count(&self) -> usize {
        let appended: usize = self.slices.iter().map(|(_, count)| count).sum();
        appended + self.reserved
    }

    pub(super) fn add(&mut self, expires: NumericDate, count: usize) {
        if count == 0 {
            return;
        }
        self.put(expires, count);
        // With more expiries the rounding becomes coarser: a record is counted too long rather than
        // too short.
        while self.slices.len() > SLICES {
            self.step *= 2;
            for (expires, count) in std::mem::take(&mut self.slices) {
                self.put(expires, count);
            }
        }
    }

    fn put(&mut self, expires: NumericDate, count: usize) {
        let steps = expires.seconds().div_ceil(self.step);
        let expires = NumericDate::new(steps.saturating_mul(self.step));
        match self.slices.binary_search_by_key(&expires, |slice| slice.0) {
            Ok(index) => self.slices[index].1 += count,
            Err(index) => self.slices.insert(index, (expires, count)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn count_decreases_as_records_expire() {
        let mut records = LiveRecords::default();
        for (end, count) in [(30, 1), (10, 2), (20, 4), (10, 8)] {
            records.add(NumericDate::new(end), count);
        }
        for (now, count) in [(9, 15), (10, 5), (19, 5), (20, 1), (30, 0)] {
            records.remove_expired(NumericDate::new(now));
            assert_eq!(records.count(), count, "at {now}");
        }
    }

    #[test]
    fn record_without_expiry_counts_forever() {
        let mut records = LiveRecords::default();
        records.add(NumericDate::FOREVER, 1);
        records.remove_expired(NumericDate::new(u64::MAX - 1));
        assert_eq!(records.count(), 1);
    }

    #[test]
    fn memory_is_limited_and_no_record_counts_too_short() {
        let mut records = LiveRecords::default();
        records.add(NumericDate::FOREVER, 1);
        let (first, last, minute) = (1_000_000, 2_000_000, 60);
        for end in (first..last).step_by(minute) {
            records.add(NumericDate::new(end), 1);
            assert!(records.slices.len() <= SLICES);
        }
        for now in (first..last).step_by(10_007) {
            records.remove_expired(NumericDate::new(now));
            let live = (first..last)
                .step_by(minute)
                .filter(|end| *end > now)
                .count()
                + 1;
            assert!(records.count() >= live, "{} of {live}", records.count());
            // A record counts too long by at most a thirty-second of the whole time.
            let slice = (first..last).step_by(minute).count().div_ceil(SLICES / 2);
            assert!(
                records.count() <= live + slice,
                "{} of {live}",
                records.count()
            );
        }
        records.remove_expired(NumericDate::new(2 * last));
        assert_eq!(records.count(), 1);
    }

    #[test]
    fn distant_expiries_do_not_make_near_ones_coarse() {
        let mut records = LiveRecords::default();
        for year in 1..50 {
            records.add(NumericDate::new(year * 31_536_000), 1);
        }
        records.add(NumericDate::new(10), 1);
        assert_eq!(records.count(), 50);
        records.remove_expired(NumericDate::new(10));
        assert_eq!(records.count(), 49);
    }
}
