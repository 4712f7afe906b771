//! The newest records, in full. An index has no records that it could give back.

use std::collections::{HashMap, VecDeque};

use super::super::super::{Revocation, Selector};

/// At most this many records are remembered.
const REMEMBERED: usize = 65_536;

#[derive(Debug, Default)]
pub(super) struct Window {
    records: HashMap<Selector, Entry>,
    /// In the order in which they came. An entry that came again has another number by now.
    order: VecDeque<(Selector, u64)>,
    next: u64,
}

#[derive(Debug)]
struct Entry {
    record: Revocation,
    /// The log has the record here or before.
    place: u64,
    number: u64,
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
        while self.order.len() > REMEMBERED {
            if let Some((selector, number)) = self.order.pop_front() {
                self.forget(&selector, number);
            }
        }
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
        if entry.is_some_and(|entry| entry.number == number) {
            self.records.remove(selector);
        }
    }
}
