//! The newest records, in full. An index has no records that it could give back.

use std::collections::{BTreeMap, HashMap};

use super::super::super::{Revocation, Selector};

/// The usual limit.
pub(super) const REMEMBERED: usize = 65_536;
/// The place of a record that came without one, until the log is read to its end.
const UNKNOWN: u64 = u64::MAX;

/// The records with the latest places.
#[derive(Clone, Debug)]
pub(super) struct Window {
    /// At most this many records are remembered.
    pub(super) limit: usize,
    records: HashMap<Selector, Entry>,
    /// Each record by its place and its number.
    order: BTreeMap<(u64, u64), Selector>,
    /// The number of the next record.
    next: u64,
    /// Records up to this place were forgotten.
    forgotten: u64,
    /// Whether records without a place were forgotten.
    forgot_unknown: bool,
}

#[derive(Clone, Debug)]
struct Entry {
    record: Revocation,
    /// The log has the record at this place or before.
    place: u64,
    number: u64,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            limit: REMEMBERED,
            records: HashMap::new(),
            order: BTreeMap::new(),
            next: 0,
            forgotten: 0,
            forgot_unknown: false,
        }
    }
}

impl Window {
    /// The log has a record at this place or before. Zero if the place is unknown: a scan of the log has
    /// no order.
    pub(super) fn put(&mut self, record: Revocation, place: u64) {
        let place = if place == 0 { UNKNOWN } else { place };
        let selector = record.selector();
        let known = self.records.get(&selector);
        let Some(merged) = record.beyond(known.map(|entry| entry.record)) else {
            return;
        };
        let number = self.next;
        self.next += 1;
        let entry = Entry {
            record: merged,
            place,
            number,
        };
        if let Some(before) = self.records.insert(selector, entry) {
            self.order.remove(&(before.place, before.number));
        }
        self.order.insert((place, number), selector);
        while self.order.len() > self.limit {
            self.forget_first();
        }
    }

    /// The log was read up to this place, which is its end.
    pub(super) fn read_to_the_end(&mut self, end: u64) {
        if std::mem::take(&mut self.forgot_unknown) {
            self.forget_up_to(end);
        }
        for ((_, number), selector) in self.order.split_off(&(UNKNOWN, 0)) {
            if let Some(entry) = self.records.get_mut(&selector) {
                entry.place = end;
            }
            self.order.insert((end, number), selector);
        }
    }

    /// Whether no record that covers this one was ever put here. `false` if that is not certain,
    /// because the window has forgotten records, or did not see the first ones.
    pub(super) fn lacks(&self, record: &Revocation) -> bool {
        let known = self.records.get(&record.selector());
        !self.forgot_beyond(0) && record.beyond(known.map(|entry| entry.record)).is_some()
    }

    /// Whether records were forgotten that are behind this place.
    pub(super) fn forgot_beyond(&self, place: u64) -> bool {
        self.forgot_unknown || self.forgotten > place
    }

    /// Records up to this place are not here.
    pub(super) fn forget_up_to(&mut self, place: u64) {
        self.forgotten = self.forgotten.max(place);
    }

    /// All records that are not here are up to this place.
    pub(super) fn forgot_only_up_to(&mut self, place: u64) {
        self.forgotten = place;
        self.forgot_unknown = false;
    }

    /// Takes what the log may have lost if it has the same records only up to this place.
    pub(super) fn take_beyond(&mut self, place: u64) -> Vec<Revocation> {
        let lost = self.order.split_off(&(place.saturating_add(1), 0));
        let lost = lost.values().filter_map(|one| self.records.remove(one));
        lost.map(|entry| entry.record).collect()
    }

    fn forget_first(&mut self) {
        let Some(((place, _), selector)) = self.order.pop_first() else {
            return;
        };
        self.records.remove(&selector);
        if place == UNKNOWN {
            self.forgot_unknown = true;
        } else {
            self.forget_up_to(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::NumericDate;

    fn watermark(number: usize, seconds: u64) -> Revocation {
        let selector = Selector::subject(&number.to_string());
        Revocation::watermark(selector, NumericDate::new(seconds), NumericDate::FOREVER)
    }

    #[test]
    fn only_records_behind_a_place_are_taken_and_only_once() {
        let mut window = Window::default();
        for number in 1..5 {
            window.put(watermark(number, 1), number as u64);
        }
        let mut taken = window.take_beyond(2);
        taken.sort_by_key(|record| record.selector().to_bytes());
        let mut expected = vec![watermark(3, 1), watermark(4, 1)];
        expected.sort_by_key(|record| record.selector().to_bytes());
        assert_eq!(taken, expected);
        assert!(window.take_beyond(2).is_empty());
        assert_eq!(window.take_beyond(1), [watermark(2, 1)]);
    }

    #[test]
    fn records_of_a_selector_are_one_with_the_later_dates() {
        let mut window = Window::default();
        window.put(watermark(1, 10), 1);
        window.put(watermark(1, 20), 5);
        window.put(watermark(1, 15), 9);
        assert!(window.take_beyond(5).is_empty());
        assert_eq!(window.take_beyond(4), [watermark(1, 20)]);
    }

    #[test]
    fn oldest_distinct_records_are_forgotten() {
        let mut window = Window {
            limit: 100,
            ..Window::default()
        };
        window.put(watermark(0, 1), 1);
        window.put(watermark(1, 1), 1);
        // The same records again do not displace others.
        for place in 1..200 {
            window.put(watermark(1, 1), place);
        }
        assert_eq!(window.records.len(), 2);
        for number in 2..=100 {
            window.put(watermark(number, 1), 1);
        }
        assert_eq!(window.records.len(), 100);
        assert!(window.forgot_beyond(0) && !window.forgot_beyond(1));
        let taken = window.take_beyond(0);
        assert!(!taken.contains(&watermark(0, 1)) && taken.contains(&watermark(1, 1)));
    }

    #[test]
    fn records_that_are_read_again_do_not_displace_later_ones() {
        let mut window = Window {
            limit: 3,
            ..Window::default()
        };
        for number in (5..8).chain(1..5) {
            window.put(watermark(number, 1), number as u64);
        }
        assert!(window.forgot_beyond(3) && !window.forgot_beyond(4));
        assert_eq!(window.take_beyond(4).len(), 3);
    }

    #[test]
    fn records_without_a_place_may_be_lost_until_the_end_of_the_log_is_known() {
        let mut window = Window {
            limit: 3,
            ..Window::default()
        };
        for number in 0..4 {
            window.put(watermark(number, 1), 0);
        }
        let mut interrupted = window.clone();
        assert!(interrupted.forgot_beyond(u64::MAX));
        assert_eq!(interrupted.take_beyond(9).len(), 3);
        window.put(watermark(3, 5), 11);
        window.read_to_the_end(10);
        assert!(window.forgot_beyond(9) && !window.forgot_beyond(10));
        assert_eq!(window.take_beyond(10), [watermark(3, 5)]);
        assert_eq!(window.take_beyond(9).len(), 2);
    }
}
