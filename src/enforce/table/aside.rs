//! Copies rows to a new hash table and chooses its size.
//!
//! A table is full when seven eighths of its buckets have a row. The next size has twice as many
//! buckets. A copy has at least a third more room than rows, so it does not soon grow again. A table
//! shrinks only if half of it would still have that much room, so growth and shrinking do not
//! alternate.

use hashbrown::HashTable;

use super::row::Row;

/// Copies all rows to a table with room for more.
pub(super) fn grown<R: Row>(table: &HashTable<R>) -> HashTable<R> {
    copy(table, ample(table.len() + 1), |_| true)
}

/// Copies all rows to a table with room for this many more.
pub(super) fn with_room<R: Row>(table: &HashTable<R>, more: usize) -> HashTable<R> {
    copy(table, table.len() + more, |_| true)
}

/// Copies the rows that a sweep leaves to a table of the same size, or of a smaller size if
/// [`is_roomy`].
pub(super) fn swept<R: Row>(
    table: &HashTable<R>,
    left: usize,
    leaves: impl Fn(&R) -> bool,
) -> HashTable<R> {
    copy(table, ample(left).min(full(table)), leaves)
}

/// Whether half of the table would be ample for this many rows.
pub(super) fn is_roomy<R: Row>(table: &HashTable<R>, rows: usize) -> bool {
    ample(rows) <= full(table) / 2
}

fn ample(rows: usize) -> usize {
    rows + rows.div_ceil(3)
}

/// How many rows there are in the table when it is full.
fn full<R: Row>(table: &HashTable<R>) -> usize {
    match table.num_buckets() {
        few @ ..8 => few - 1,
        buckets => buckets / 8 * 7,
    }
}

fn copy<R: Row>(from: &HashTable<R>, room: usize, keeps: impl Fn(&R) -> bool) -> HashTable<R> {
    let mut copy = HashTable::with_capacity(room);
    for row in from.iter().filter(|row| keeps(row)) {
        copy.insert_unique(row.tag().hash(), *row, |row| row.tag().hash());
    }
    copy
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            row::{Forever, Second},
            shard::tests::tag,
        },
        *,
    };

    fn table(rows: u32, room: u32) -> HashTable<Forever> {
        let mut table = HashTable::with_capacity(room as usize);
        for number in 0..rows {
            let row = Forever {
                tag: tag(number),
                expires: Second(number),
            };
            table.insert_unique(row.tag.hash(), row, |row| row.tag.hash());
        }
        table
    }

    #[test]
    fn full_table_has_room_for_nothing_more() {
        for room in [0, 1, 3, 4, 7, 8, 14, 15, 28, 29, 1000] {
            let mut table = table(0, room);
            assert_eq!(full(&table), table.capacity());
            table = self::table(u32::try_from(full(&table)).unwrap(), room);
            assert_eq!(table.capacity(), table.len());
        }
    }

    #[test]
    fn copy_that_has_grown_is_twice_as_large_and_does_not_shrink_at_once() {
        let mut known = table(0, 0);
        for number in 0..2000 {
            if known.capacity() == known.len() {
                let grown = grown(&known);
                let sizes = (known.num_buckets(), grown.num_buckets());
                assert!(sizes == (1, 4) || sizes.1 == sizes.0 * 2, "{sizes:?}");
                assert!(!is_roomy(&grown, known.len() + 1));
                known = grown;
            }
            let row = Forever {
                tag: tag(number),
                expires: Second(number),
            };
            known.insert_unique(row.tag.hash(), row, |_| unreachable!("the table grows"));
        }
    }

    #[test]
    fn swept_copy_is_never_larger_and_takes_a_third_more_rows_if_it_is_smaller() {
        let full = table(896, 896);
        assert_eq!(full.num_buckets(), 1024);
        for left in 0..896 {
            let swept = swept(&full, left as usize, |row| row.expires.0 < left);
            assert_eq!(swept.len(), left as usize);
            let smaller = swept.num_buckets() < full.num_buckets();
            assert_eq!(smaller, is_roomy(&full, left as usize));
            assert_eq!(
                smaller,
                left <= 336,
                "three quarters of a table of half the size"
            );
            assert!(!smaller || swept.capacity() >= swept.len() + swept.len() / 3);
        }
        assert_eq!(swept(&full, 0, |_| false).allocation_size(), 0);
    }

    /// Ten million rows in 256 shards.
    #[test]
    fn ten_million_rows_take_36_bytes_each_though_as_many_have_expired() {
        let known = table(78_125, 78_125);
        let swept = swept(&known, 39_062, |row| row.expires.0 < 39_062);
        assert_eq!(swept.len(), 39_062);
        assert!(swept.allocation_size() <= 39_062 * 36);
    }
}
