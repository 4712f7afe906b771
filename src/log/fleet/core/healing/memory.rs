//! What does this node remember, and what of it may the log have lost?

use super::{
    super::{
        super::{
            super::{NumericDate, Revocation},
            engine::Cursor,
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
            if let Some(held) = self.held.get(&record.selector()) {
                if held.beyond(Some(*record)).is_none() {
                    self.held.remove(&record.selector());
                }
            }
        }
    }

    /// The log gave these records to the node.
    pub(in crate::log::fleet::core) fn read(&mut self, records: &[Revocation], place: u64) {
        for record in records {
            let unread = self.unread.get(&record.selector());
            if unread.is_some_and(|(unread, _)| unread.beyond(Some(*record)).is_none()) {
                self.unread.remove(&record.selector());
            }
        }
        self.remember(records, place);
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
