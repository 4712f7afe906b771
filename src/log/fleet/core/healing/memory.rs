//! What does this node remember, and what of it may the log have lost?

use super::{
    super::{
        super::{
            super::{NumericDate, Revocation},
            engine::{Cursor, Page},
        },
        window,
    },
    Healing,
};

impl Healing {
    /// The log has records, the last of them at this place or before.
    pub(in crate::log::fleet::core) fn remember(&mut self, records: &[Revocation], place: u64) {
        for record in records {
            self.window.put(*record, place);
        }
        self.is_in_the_log(records);
    }

    fn is_in_the_log(&mut self, records: &[Revocation]) {
        for record in records {
            if let Some(held) = self.held.get(&record.selector()) {
                if held.beyond(Some(*record)).is_none() {
                    self.held.remove(&record.selector());
                }
            }
        }
    }

    /// The log gave a page to the node, which follows on what it has.
    pub(in crate::log::fleet::core) fn read_page(&mut self, page: &Page, records: &[Revocation]) {
        self.has(page.upto);
        self.read(records, page.upto.sequence, more(page, records.len()));
        self.saw(records);
    }

    /// The log gave these records to the node, and has about as many more that follow.
    pub(in crate::log::fleet::core) fn read(
        &mut self,
        records: &[Revocation],
        place: u64,
        more: u64,
    ) {
        for record in records {
            let unread = self.unread.get(&record.selector());
            if unread.is_some_and(|(unread, _)| unread.beyond(Some(*record)).is_none()) {
                self.unread.remove(&record.selector());
            }
        }
        if more > 2 * self.window.limit as u64 {
            // They would be forgotten again. To remember each for a moment takes a third of the time
            // that a node needs to read a long log.
            self.window.forget_up_to(place);
            self.is_in_the_log(records);
        } else {
            self.remember(records, place);
        }
    }

    /// The node has appended records that the log did not have, after this number of polls. It must
    /// read them once: its cursor does not show that the log has lost them.
    pub(in crate::log::fleet::core) fn must_read(&mut self, records: &[Revocation], polls: u64) {
        for record in records {
            if self.unread.len() < window::REMEMBERED {
                self.unread.insert(record.selector(), (*record, polls));
            }
        }
    }

    /// Returns those records that the node has certainly not read.
    pub(in crate::log::fleet::core) fn new_ones(
        &self,
        records: &[Revocation],
    ) -> impl Iterator<Item = Revocation> {
        let records = records.iter().copied();
        records.filter(|record| self.window.lacks(record))
    }

    /// The node has read up to this end of the log, as of this poll. Returns whether the log may have
    /// lost records: it lacks what the node has appended, or the copy is doubted.
    pub(in crate::log::fleet::core) fn lacks(
        &mut self,
        poll: u64,
        end: Cursor,
        forgotten: NumericDate,
    ) -> bool {
        self.window.read_to_the_end(end.sequence);
        self.unread
            .retain(|_, (record, _)| record.expires() > forgotten);
        self.is_doubted || self.unread.values().any(|(_, polls)| poll > *polls)
    }

    /// The log may lack these.
    pub(super) fn hold(&mut self, records: impl IntoIterator<Item = Revocation>) {
        for record in records {
            let held = self.held.entry(record.selector()).or_insert(record);
            *held = held.merge(record);
        }
    }
}

/// About how many records follow a page. Zero if it has no order: how far it is is unknown then.
fn more(page: &Page, records: usize) -> u64 {
    let is_ordered = page.more && page.upto.sequence > 0;
    let expected = page.expected.filter(|_| is_ordered);
    expected.map_or(0, |expected| expected.saturating_sub(records as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Selector;

    #[test]
    fn what_would_be_forgotten_again_is_not_remembered() {
        let mut healing = Healing::new();
        healing.remember_at_most(10);
        let [one, two] = ["1", "2"]
            .map(|grant| Revocation::forever(Selector::grant(grant), NumericDate::FOREVER));
        healing.read(&[one], 5, 21);
        assert!(healing.window.forgot_beyond(4) && !healing.window.forgot_beyond(5));
        healing.read(&[two], 6, 20);
        assert!(!healing.window.forgot_beyond(5));
        assert_eq!(healing.window.take_beyond(0), [two]);
    }
}
