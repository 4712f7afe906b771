//! The live records of one client, counted by when they end.

use crate::log::NumericDate;

/// So many ends are told apart.
const SLICES: usize = 64;

#[derive(Debug)]
pub(super) struct Account {
    /// Records that are on their way to the log.
    pub(super) reserved: usize,
    /// How many end when, in the order of time.
    slices: Vec<(NumericDate, usize)>,
    /// Ends are rounded up to so many seconds.
    step: u64,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            reserved: 0,
            slices: Vec::new(),
            step: 1,
        }
    }
}

impl Account {
    /// Forgets what has ended.
    pub(super) fn forget(&mut self, now: NumericDate) {
        self.slices.retain(|(end, _)| *end > now);
        if self.slices.is_empty() {
            self.step = 1;
        }
    }

    pub(super) fn used(&self) -> usize {
        let counted: usize = self.slices.iter().map(|(_, count)| count).sum();
        counted + self.reserved
    }

    pub(super) fn add(&mut self, end: NumericDate, count: usize) {
        if count == 0 {
            return;
        }
        self.put(end, count);
        // The more ends there are, the coarser they are told apart: counted too long rather than
        // too short.
        while self.slices.len() > SLICES {
            self.step *= 2;
            for (end, count) in std::mem::take(&mut self.slices) {
                self.put(end, count);
            }
        }
    }

    fn put(&mut self, end: NumericDate, count: usize) {
        let steps = end.seconds().div_ceil(self.step);
        let end = NumericDate::new(steps.saturating_mul(self.step));
        match self.slices.binary_search_by_key(&end, |(end, _)| *end) {
            Ok(known) => self.slices[known].1 += count,
            Err(place) => self.slices.insert(place, (end, count)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn count_falls_as_records_end() {
        let mut account = Account::default();
        for (end, count) in [(30, 1), (10, 2), (20, 4), (10, 8)] {
            account.add(NumericDate::new(end), count);
        }
        for (now, used) in [(9, 15), (10, 5), (19, 5), (20, 1), (30, 0)] {
            account.forget(NumericDate::new(now));
            assert_eq!(account.used(), used, "at {now}");
        }
    }

    #[test]
    fn what_is_for_ever_never_ends() {
        let mut account = Account::default();
        account.add(NumericDate::FOREVER, 1);
        account.forget(NumericDate::new(u64::MAX - 1));
        assert_eq!(account.used(), 1);
    }

    #[test]
    fn account_is_bounded_and_counts_nothing_too_short() {
        let mut account = Account::default();
        account.add(NumericDate::FOREVER, 1);
        let (first, last, minute) = (1_000_000, 2_000_000, 60);
        for end in (first..last).step_by(minute) {
            account.add(NumericDate::new(end), 1);
            assert!(account.slices.len() <= SLICES);
        }
        for now in (first..last).step_by(10_007) {
            account.forget(NumericDate::new(now));
            let live = (first..last)
                .step_by(minute)
                .filter(|end| *end > now)
                .count()
                + 1;
            assert!(account.used() >= live, "{} of {live}", account.used());
            // Nor much too long: a thirty-second of the whole time.
            let slice = (first..last).step_by(minute).count().div_ceil(SLICES / 2);
            assert!(
                account.used() <= live + slice,
                "{} of {live}",
                account.used()
            );
        }
        account.forget(NumericDate::new(2 * last));
        assert_eq!(account.used(), 1);
    }

    #[test]
    fn distant_ends_do_not_blur_the_near_ones() {
        let mut account = Account::default();
        for year in 1..50 {
            account.add(NumericDate::new(year * 31_536_000), 1);
        }
        account.add(NumericDate::new(10), 1);
        assert_eq!(account.used(), 50);
        account.forget(NumericDate::new(10));
        assert_eq!(account.used(), 49);
    }
}
