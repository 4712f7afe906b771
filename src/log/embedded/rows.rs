//! The rows of records, in two tables that are read as one.
//!
//! A commit changes every page between the root of a table and the row, and a disk needs longer for
//! each page. So a small commit writes its row to `recent`, a table of one page. The commit that
//! fills this page moves all rows of it to `records`, as one row or two.

use redb::{
    AccessGuard, ReadOnlyTable, ReadTransaction, ReadableTable, ReadableTableMetadata as _,
    StorageError, Table, TableDefinition, WriteTransaction,
};

use super::{
    super::Revocation,
    fault::Fault,
    mask::{Masks, NONCE},
    row::{self, RECORDS_PER_ROW},
};

/// The last position of a row → its records, masked.
const RECORDS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("records");
/// The same. All positions are higher than those in `records`.
const RECENT: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("recent");

/// At most this many bytes of rows fit on the page of `recent`.
const PAGE: usize = 4000;
/// What the store adds to a row on the page: its key, and where it ends.
const OVERHEAD: usize = 8 + 4;
/// A commit with more records writes them to `records`. One page more matters little to them.
const SMALL: usize = 16;

pub(super) struct Rows<T> {
    records: T,
    recent: T,
}

type Row<'r> = (AccessGuard<'r, u64>, AccessGuard<'r, &'static [u8]>);

impl Rows<ReadOnlyTable<u64, &'static [u8]>> {
    pub(super) fn read(transaction: &ReadTransaction) -> Result<Self, Fault> {
        Ok(Self {
            records: transaction.open_table(RECORDS)?,
            recent: transaction.open_table(RECENT)?,
        })
    }
}

impl<T: ReadableTable<u64, &'static [u8]>> Rows<T> {
    /// Returns the position of the last row.
    pub(super) fn last(&self) -> Result<Option<u64>, Fault> {
        let last = match self.recent.last()? {
            None => self.records.last()?,
            last => last,
        };
        Ok(last.map(|(last, _)| last.value()))
    }

    /// Returns the rows that contain positions from `first` on.
    pub(super) fn from(
        &self,
        first: u64,
    ) -> Result<impl Iterator<Item = Result<Row<'_>, StorageError>>, Fault> {
        let records = self.records.range(first..)?;
        Ok(records.chain(self.recent.range(first..)?))
    }

    /// Returns the number of records, to reserve memory. It reads no row, only their lengths.
    pub(super) fn count(&self) -> Result<usize, Fault> {
        let counts = self.from(0)?.map(|row| Ok(row::count(row?.1.value())));
        counts.sum()
    }
}

impl<'t> Rows<Table<'t, u64, &'static [u8]>> {
    pub(super) fn write(transaction: &'t WriteTransaction) -> Result<Self, Fault> {
        Ok(Self {
            records: transaction.open_table(RECORDS)?,
            recent: transaction.open_table(RECENT)?,
        })
    }

    /// Writes records whose positions follow all others.
    pub(super) fn append(
        &mut self,
        records: &[(u64, Revocation)],
        masks: &mut Masks,
    ) -> Result<(), Fault> {
        let Some((last, _)) = records.last() else {
            return Ok(());
        };
        if records.len() > SMALL {
            return self.settle(records, masks);
        }
        let plain = row::pack(*last, records)?;
        let mut bytes = OVERHEAD + NONCE + plain.len();
        for row in self.recent.iter()? {
            bytes += OVERHEAD + row?.1.value().len();
        }
        if bytes > PAGE {
            return self.settle(records, masks);
        }
        self.recent.insert(last, &*masks.mask(&plain))?;
        Ok(())
    }

    /// Returns the table that has space for all rows.
    pub(super) fn records(self) -> Table<'t, u64, &'static [u8]> {
        self.records
    }

    /// Moves the recent rows to that table, where a sweep finds them. Returns it, and whether there
    /// were any.
    pub(super) fn settled(
        mut self,
        masks: &mut Masks,
    ) -> Result<(Table<'t, u64, &'static [u8]>, bool), Fault> {
        let any = !self.recent.is_empty()?;
        self.settle(&[], masks)?;
        Ok((self.records, any))
    }

    fn settle(&mut self, more: &[(u64, Revocation)], masks: &mut Masks) -> Result<(), Fault> {
        let (mut records, mut plain) = (Vec::new(), Vec::new());
        for row in self.recent.iter()? {
            let (last, row) = row?;
            masks.key().unmask(row.value(), &mut plain)?;
            for record in row::unpack(last.value(), &plain) {
                records.push(record?);
            }
        }
        self.recent.retain(|_, _| false)?;
        records.extend_from_slice(more);
        for records in records.chunks(RECORDS_PER_ROW) {
            if let Some((last, _)) = records.last() {
                let plain = row::pack(*last, records)?;
                self.records.insert(last, &*masks.mask(&plain))?;
            }
        }
        Ok(())
    }
}
