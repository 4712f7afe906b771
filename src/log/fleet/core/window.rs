//! The newest records, in full. An index has no records that it could give back.

use std::collections::{HashMap, VecDeque};

use super::super::super::{Revocation, Selector};

/// The usual limit.
pub(super) const REMEMBERED: usize = 65_536;

#[derive(Clone, Debug)]
pub(super) struct Window {
    /// At most this many records are remembered.
    pub(super) limit: usize,
    records: HashMap<Selector, Entry>,
    /// In the order in which they came. An entry that came again has another number by now.
    order: VecDeque<(Selector, u64)>,
    next: u64,
    /// Records up to this place were forgotten.
    pub(super) forgotten: u64,
}

#[derive(Clone, Debug)]
struct Entry {
    record: Revocation,
    /// The log has the record here or before.
    place: u64,
    number: u64,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            limit: REMEMBERED,
            records: HashMap::new(),
            order: VecDeque::new(),
            next: 0,
            forgotten: 0,
        }
    }
}

impl Window {
    /// The log has a record at this place or before.
    pub(super) fn put(&mut self, record: Revocation, place: u64) {
        let selector = record.selector();
        let known = self.records.get(&selector).map(|entry| entry.record);
        let Some(merged) = record.beyond(known) else {
            return;
        };
        let number = self.next;
        self.next += 1;
        let entry = Entry {
            record: merged,
            place,
            number,
        };
        self.records.insert(selector, entry);
        self.order.push_back((selector, number));
        while self.order.len() > self.limit {
            if let Some((selector, number)) = self.order.pop_front() {
                self.forget(&selector, number);
            }
        }
    }

    /// Whether no record that covers this one was ever put here. `false` if that is not certain,
    /// because the window has forgotten records, or did not see the first ones.
    pub(super) fn lacks(&self, record: &Revocation) -> bool {
        let known = self.records.get(&record.selector());
        self.forgotten == 0 && record.beyond(known.map(|entry| entry.record)).is_some()
    }

    /// Takes what the log may have lost if it has the same records only up to this place.
    pub(super) fn take_beyond(&mut self, place: u64) -> Vec<Revocation> {
        let mut lost = Vec::new();
        self.records.retain(|_, entry| {
            let keeps = entry.place <= place;
            if !keeps {
                lost.push(entry.record);
            }
            keeps
        });
        let records = &self.records;
        self.order.retain(|(selector, number)| {
            let entry = records.get(selector);
            entry.is_some_and(|entry| entry.number == *number)
        });
        lost
    }

    fn forget(&mut self, selector: &Selector, number: u64) {
        let entry = self.records.get(selector);
        if let Some(entry) = entry.filter(|entry| entry.number == number) {
            self.forgotten = self.forgotten.max(entry.place);
            self.records.remove(selector);
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
        for number in 0..5 {
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
        let mut window = Window::default();
        window.put(watermark(0, 1), 1);
        window.put(watermark(1, 1), 1);
        // The same records again do not displace others.
        for place in 0..REMEMBERED {
            window.put(watermark(1, 1), place as u64);
        }
        assert_eq!(window.records.len(), 2);
        for number in 2..=REMEMBERED {
            window.put(watermark(number, 1), 1);
        }
        assert_eq!(window.records.len(), REMEMBERED);
        let taken = window.take_beyond(0);
        assert!(!taken.contains(&watermark(0, 1)) && taken.contains(&watermark(1, 1)));
    }
}
