//! Which incarnations a file has had, so that a position of another line of events is told apart.
//!
//! Every opening begins an epoch: a random number, with the last position that precedes it. A file
//! that was restored from a copy does not have the epochs that began after the copy was made, and
//! its next epoch begins where the copy ends. So a position is one of this file only if its epoch
//! is there, and lasted for that long.

use redb::{Database, ReadableDatabase as _, ReadableTable, Table, TableDefinition};

use super::{
    super::{Position, new_epoch},
    fault::Fault,
    tables,
};

/// By the number of the opening: the epoch, and the last position before it.
pub(super) const EPOCHS: TableDefinition<'_, u64, (u64, u64)> = TableDefinition::new("epochs");

/// Positions of older epochs are gaps.
const KEPT: u64 = 1024;

/// Begins an epoch after a position.
pub(super) fn begin(epochs: &mut Table<'_, u64, (u64, u64)>, last: u64) -> Result<u64, Fault> {
    let opening = epochs.last()?.map_or(0, |(opening, _)| opening.value() + 1);
    let epoch = new_epoch();
    epochs.insert(opening, (epoch, last))?;
    if let Some(oldest) = opening.checked_sub(KEPT) {
        epochs.remove(oldest)?;
    }
    Ok(epoch)
}

/// The epoch that was begun last.
pub(super) fn current(epochs: &impl ReadableTable<u64, (u64, u64)>) -> Result<u64, Fault> {
    Ok(epochs.last()?.map_or(0, |(_, row)| row.value().0))
}

/// Whether what stands at a position now is what stood there when the position was told.
pub(super) fn has(
    epochs: &impl ReadableTable<u64, (u64, u64)>,
    position: Position,
    last: u64,
) -> Result<bool, Fault> {
    let mut end = last;
    for row in epochs.iter()?.rev() {
        let (epoch, before) = row?.1.value();
        if epoch == position.epoch {
            return Ok(position.sequence <= end);
        }
        end = before;
    }
    Ok(false)
}

/// As [`has`], of a file.
pub(super) fn file_has(database: &Database, position: Position) -> Result<bool, Fault> {
    let transaction = database.begin_read()?;
    let (_, last) = tables::ends(
        &transaction.open_table(tables::META)?,
        &transaction.open_table(tables::RECORDS)?,
    )?;
    has(&transaction.open_table(EPOCHS)?, position, last)
}
