//! The records of one shard.

use hashbrown::HashTable;

use super::row::{Forever, Second, Watermark};
use crate::{enforce::tag::Tag, log::NumericDate};

/// Nearly all records cover tokens of any `iat`. They need no `not_before`, so they are kept apart
/// and take 20 bytes instead of 24.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) forever: HashTable<Forever>,
    pub(super) watermarks: HashTable<Watermark>,
}

impl Rows {
    pub(super) fn covers(&self, tag: Tag, iat: Option<NumericDate>) -> bool {
        let same = |row: &Forever| row.tag == tag;
        if self.forever.find(tag.hash(), same).is_some() {
            return true;
        }
        let watermark = self.watermarks.find(tag.hash(), |row| row.tag == tag);
        watermark.is_some_and(|row| iat.is_none_or(|iat| row.not_before.reaches(iat)))
    }

    /// Merges as [`Revocation::merge`](crate::log::Revocation::merge) does, in any order. Returns
    /// whether the tag is new.
    pub(super) fn merge(&mut self, tag: Tag, not_before: Second, mut expires: Second) -> bool {
        let same = |row: &Watermark| row.tag == tag;
        if let Some(row) = self.forever.find_mut(tag.hash(), |row| row.tag == tag) {
            row.expires = row.expires.max(expires);
            return false;
        }
        if not_before != Second::NEVER {
            if let Some(row) = self.watermarks.find_mut(tag.hash(), same) {
                row.not_before = row.not_before.max(not_before);
                row.expires = row.expires.max(expires);
                return false;
            }
            let row = Watermark {
                tag,
                not_before,
                expires,
            };
            self.watermarks
                .insert_unique(tag.hash(), row, |row| row.tag.hash());
            return true;
        }
        // The new row replaces a watermark.
        let watermark = self.watermarks.find_entry(tag.hash(), same).ok();
        let watermark = watermark.map(|entry| entry.remove().0);
        if let Some(watermark) = watermark {
            expires = expires.max(watermark.expires);
        }
        self.forever
            .insert_unique(tag.hash(), Forever { tag, expires }, |row| row.tag.hash());
        watermark.is_none()
    }

    /// In bytes.
    pub(super) fn memory(&self) -> usize {
        self.forever.allocation_size() + self.watermarks.allocation_size()
    }
}
