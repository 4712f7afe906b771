//! One record in memory.

use hashbrown::HashTable;

use super::rows::Rows;
use crate::{enforce::tag::Tag, log::NumericDate};

/// A row of one of the two hash tables of a shard.
pub(super) trait Row: Copy {
    fn tag(&self) -> Tag;
    fn expires(&self) -> Second;
    /// The table with such rows.
    fn of(rows: &Rows) -> &HashTable<Self>;
    fn of_mut(rows: &mut Rows) -> &mut HashTable<Self>;
}

/// A record that covers tokens of any `iat`.
#[derive(Clone, Copy)]
pub(super) struct Forever {
    pub(super) tag: Tag,
    pub(super) expires: Second,
}

/// A record that covers tokens that were issued at `not_before` or earlier.
#[derive(Clone, Copy)]
pub(super) struct Watermark {
    pub(super) tag: Tag,
    pub(super) not_before: Second,
    pub(super) expires: Second,
}

/// A time in four bytes. A time that does not fit, from the year 2106 on, becomes "never": a record
/// that is kept too long does no harm.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Second(pub(super) u32);

impl Row for Forever {
    fn tag(&self) -> Tag {
        self.tag
    }

    fn expires(&self) -> Second {
        self.expires
    }

    fn of(rows: &Rows) -> &HashTable<Self> {
        &rows.forever
    }

    fn of_mut(rows: &mut Rows) -> &mut HashTable<Self> {
        &mut rows.forever
    }
}

impl Row for Watermark {
    fn tag(&self) -> Tag {
        self.tag
    }

    fn expires(&self) -> Second {
        self.expires
    }

    fn of(rows: &Rows) -> &HashTable<Self> {
        &rows.watermarks
    }

    fn of_mut(rows: &mut Rows) -> &mut HashTable<Self> {
        &mut rows.watermarks
    }
}

impl Second {
    pub(super) const NEVER: Self = Self(u32::MAX);

    pub(super) fn at(moment: NumericDate) -> Self {
        u32::try_from(moment.seconds()).map_or(Self::NEVER, Self)
    }

    /// Whether this is `moment` or later.
    pub(super) fn reaches(self, moment: NumericDate) -> bool {
        self == Self::NEVER || u64::from(self.0) >= moment.seconds()
    }

    /// Whether this is `now` or earlier.
    pub(super) fn is_past(self, now: NumericDate) -> bool {
        self != Self::NEVER && u64::from(self.0) <= now.seconds()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_without_a_watermark_has_20_bytes_and_a_watermark_24() {
        assert_eq!((size_of::<Forever>(), size_of::<Watermark>()), (20, 24));
    }
}
