//! Numbers and records, here and in the database.

use tokio_postgres::{Row, types::FromSql};

use super::{
    super::super::{NumericDate, Revocation, Selector},
    fault::Fault,
};

/// Selector, `not_before`, `expires`.
const RECORD: usize = 33 + 8 + 8;

/// The same bits, for numbers without an order.
pub(super) fn signed(bits: u64) -> i64 {
    i64::from_ne_bytes(bits.to_ne_bytes())
}

pub(super) fn unsigned(bits: i64) -> u64 {
    u64::from_ne_bytes(bits.to_ne_bytes())
}

/// A number, or the largest one.
pub(super) fn number(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// The end of time is the largest number of the database, and so is what comes after that.
pub(super) fn seconds(date: NumericDate) -> i64 {
    number(date.seconds())
}

pub(super) fn date(seconds: i64) -> NumericDate {
    if seconds == i64::MAX {
        return NumericDate::FOREVER;
    }
    NumericDate::from(seconds)
}

/// Reads a column.
pub(super) fn column<'a, T: FromSql<'a>>(row: &'a Row, number: usize) -> Result<T, Fault> {
    row.try_get(number)
        .map_err(|_| Fault::corrupt("the tables have unexpected content"))
}

/// Reads a count or a position.
pub(super) fn count(number: i64) -> Result<u64, Fault> {
    u64::try_from(number).map_err(|_| Fault::corrupt("the tables have a negative number"))
}

/// Reads records that a poll has packed.
pub(super) fn records(packed: &[u8]) -> Result<Vec<Revocation>, Fault> {
    let records = packed.chunks(RECORD).map(|record| {
        let (selector, dates) = record.split_first_chunk()?;
        let (not_before, dates) = dates.split_first_chunk()?;
        let (expires, []) = dates.split_first_chunk()? else {
            return None;
        };
        let [not_before, expires] =
            [not_before, expires].map(|seconds| date(i64::from_be_bytes(*seconds)));
        // This version cannot enforce a class that it does not know, so it must not skip it.
        let selector = Selector::from_bytes(selector).ok_or_else(|| {
            Fault::unknown_format(
                "the log has a class of selectors that this node does not know: update it",
            )
        });
        Some(selector.map(|selector| Revocation::watermark(selector, not_before, expires)))
    });
    let damaged = || Fault::corrupt("the tables have half a record");
    records.map(|record| record.ok_or_else(damaged)?).collect()
}
