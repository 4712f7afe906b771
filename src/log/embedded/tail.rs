//! The records after a place in the file, for those that follow the log over HTTP.

use std::sync::{PoisonError, Weak};

use redb::{Database, ReadableDatabase as _};

use super::{
    super::{LogError, NumericDate, Position, Reader, Revocation},
    EmbeddedLog,
    epochs::{self, EPOCHS},
    fault::Fault,
    mask::FileKey,
    row,
    rows::Rows,
    tables::{self, META},
};

/// A tail has about this many records.
const LENGTH: usize = 4096;

/// The records after a position, in their order.
#[derive(Debug)]
pub(in crate::log) struct Tail {
    /// A number of the file, the same after it was opened again.
    pub(in crate::log) file: u64,
    /// Whether the position is in the history of the file. If not, the records are from the beginning.
    pub(in crate::log) is_known: bool,
    pub(in crate::log) records: Vec<Revocation>,
    /// The last record, with the epoch in which it was appended.
    pub(in crate::log) upto: Position,
    /// Whether there are more records after these.
    pub(in crate::log) more: bool,
    /// About how many records follow the position, if it is known.
    pub(in crate::log) expected: u64,
    pub(in crate::log) forgotten: NumericDate,
}

impl EmbeddedLog {
    /// Reads the records after a position of an earlier tail, on this thread.
    ///
    /// A sweep may have removed records that the reader does not have. It does not need them: they
    /// have expired, or later ones of the tail have replaced them.
    pub(in crate::log) fn tail(&self, after: Position) -> Result<Tail, LogError> {
        let tail = self.store.with(|database| read(database, &self.key, after));
        let tail = tail.map_err(LogError::from)?;
        // Another process may append to another file at this path now. Asked after the file was read:
        // the tail is complete as of an earlier moment.
        self.store.check()?;
        Ok(tail)
    }

    /// From now on, tells a reader what is appended.
    pub(in crate::log) fn tell(&self, reader: Weak<dyn Reader>) {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        readers.add(reader);
    }
}

fn read(database: &Database, key: &FileKey, after: Position) -> Result<Tail, Fault> {
    let transaction = database.begin_read()?;
    let (meta, rows) = (transaction.open_table(META)?, Rows::read(&transaction)?);
    let epochs = transaction.open_table(EPOCHS)?;
    let (_, last) = tables::ends(&meta, &rows)?;
    let is_known = after == Position::default() || epochs::contains(&epochs, after, last)?;
    let from = if is_known { after.sequence } else { 0 };

    let (mut records, mut plain) = (Vec::new(), Vec::new());
    let (mut upto, mut more) = (last, false);
    let mut end = from;
    for row in rows.from(from + 1)? {
        if records.len() >= LENGTH {
            (upto, more) = (end, true);
            break;
        }
        let (at, row) = row?;
        key.unmask(row.value(), &mut plain)?;
        for record in row::unpack(at.value(), &plain) {
            let (sequence, record) = record?;
            if sequence > from {
                records.push(record);
            }
        }
        end = at.value();
    }
    Ok(Tail {
        file: epochs::first(&epochs)?,
        is_known,
        records,
        upto: Position {
            epoch: epochs::of(&epochs, upto)?,
            sequence: upto,
        },
        more,
        expected: last.saturating_sub(from),
        forgotten: tables::forgotten(&meta)?,
    })
}
