//! The incarnations of a file, which show whether a position belongs to its history.
//!
//! Every opening begins an epoch: a random number, stored with the last position before it. A file
//! that was restored from a copy does not contain the epochs that began after the copy was made,
//! and its next epoch begins where the copy ends. So a position belongs to a file only if the file
//! contains its epoch, and if that epoch reached the position.

use redb::{ReadableTable, Table, TableDefinition};

use super::{
    super::{Position, position::new_epoch},
    fault::Fault,
};

/// The number of the opening → the epoch, and the last position before it.
pub(super) const EPOCHS: TableDefinition<'_, u64, (u64, u64)> = TableDefinition::new("epochs");

/// This many epochs are kept. A position of an older epoch is a gap.
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

/// Returns the current epoch.
pub(super) fn current(epochs: &impl ReadableTable<u64, (u64, u64)>) -> Result<u64, Fault> {
    Ok(epochs.last()?.map_or(0, |(_, row)| row.value().0))
}

/// Returns the oldest epoch, which is the same for a long time.
#[cfg(feature = "feed")]
pub(super) fn first(epochs: &impl ReadableTable<u64, (u64, u64)>) -> Result<u64, Fault> {
    Ok(epochs.first()?.map_or(0, |(_, row)| row.value().0))
}

/// Returns the epoch in which a record was appended, or the oldest one if that is forgotten. Zero for
/// the beginning.
#[cfg(feature = "feed")]
pub(super) fn of(
    epochs: &impl ReadableTable<u64, (u64, u64)>,
    sequence: u64,
) -> Result<u64, Fault> {
    let mut oldest = 0;
    for row in epochs.iter()?.rev().take_while(|_| sequence > 0) {
        let (epoch, before) = row?.1.value();
        oldest = epoch;
        if before < sequence {
            break;
        }
    }
    Ok(oldest)
}

/// Returns whether a position belongs to the history of the file: its record has not changed since
/// the position was returned.
pub(super) fn contains(
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
