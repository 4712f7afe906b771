//! The tables of the file, and the state in memory.
//!
//! Records are stored in the order of their commits, many in one [row](super::row). Ordered by
//! selector, each record would change a page of its own.

use std::{collections::HashMap, ops::RangeInclusive};

use redb::{Database, ReadableDatabase as _, ReadableTable, TableDefinition};

use super::{
    super::{LogErrorKind, NumericDate, Position, Revocation, Selector},
    epochs::{self, EPOCHS},
    fault::Fault,
    mask::{FileKey, Masks},
    row,
    rows::Rows,
};

/// A reader gets about this many records at once.
const PIECE: usize = 4096;

/// The version of the tables below. Version 1 had no keys, version 2 no recent rows. Neither was
/// published.
const FORMAT: u64 = 3;

/// * `format`: the version of the tables.
/// * `compacted`: the last position whose record was removed.
/// * `forgotten`: the latest expiry of a record that was removed because it had expired.
/// * `restored`: when the file was last restored from a backup.
pub(super) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");

/// The last record of every selector, and its position.
pub(super) struct State {
    pub(super) position: Position,
    pub(super) records: HashMap<Selector, Known>,
    /// The latest expiry of a record that was removed because it had expired.
    pub(super) forgotten: NumericDate,
    pub(super) masks: Masks,
}

/// The last record of a selector, without the selector to save memory.
pub(super) struct Known {
    pub(super) sequence: u64,
    pub(super) not_before: NumericDate,
    pub(super) expires: NumericDate,
}

impl State {
    pub(super) fn know(&mut self, record: Revocation, sequence: u64) {
        let known = Known {
            sequence,
            not_before: record.not_before(),
            expires: record.expires(),
        };
        self.records.insert(record.selector(), known);
    }
}

/// What must the file be when it is opened?
#[derive(Clone, Copy, Debug)]
pub(super) enum Expected {
    /// A log, or empty.
    Any,
    /// A log.
    Existing,
    /// A copy of a log that is being restored from a backup.
    Restored,
    /// A log that contains this position.
    Containing(Position),
}

/// Opens a log: makes the tables in an empty file, refuses a file that is not as expected, begins
/// an epoch, and reads everything.
///
/// Beginning an epoch always writes, which also shows that the file can be written.
pub(super) fn begin(database: &Database, expected: Expected) -> Result<State, Fault> {
    let mut transaction = database.begin_write()?;
    // It may follow a failure of the disk, and one more `fsync` costs nothing here.
    transaction.set_two_phase_commit(true);
    let is_new = matches!(expected, Expected::Any) && transaction.list_tables()?.next().is_none();
    {
        let mut meta = transaction.open_table(META)?;
        if is_new {
            meta.insert("format", FORMAT)?;
            meta.insert("compacted", 0)?;
            FileKey::create(&transaction)?;
        }
        // In the store of another program this table is missing or empty.
        if number(&meta, "format")? != FORMAT {
            return Err(Fault::new(LogErrorKind::UnknownFormat));
        }
        let (_, last) = ends(&meta, &Rows::write(&transaction)?)?;
        let mut epochs = transaction.open_table(EPOCHS)?;
        if let Expected::Containing(position) = expected
            && !epochs::contains(&epochs, position, last)?
        {
            return Err(Fault::new(LogErrorKind::Replaced));
        }
        epochs::begin(&mut epochs, last)?;
        if matches!(expected, Expected::Restored) {
            let restored = NumericDate::now().max(moment(&meta, "restored")?);
            meta.insert("restored", restored.seconds())?;
        }
    }
    transaction.commit()?;
    read(database)
}

/// Returns the last position of a log, and its key.
pub(super) fn position(database: &Database) -> Result<(Position, FileKey), Fault> {
    let transaction = database.begin_read()?;
    let meta = transaction.open_table(META)?;
    if number(&meta, "format")? != FORMAT {
        return Err(Fault::new(LogErrorKind::UnknownFormat));
    }
    let (_, sequence) = ends(&meta, &Rows::read(&transaction)?)?;
    let epoch = epochs::current(&transaction.open_table(EPOCHS)?)?;
    Ok((Position { epoch, sequence }, FileKey::read(&transaction)?))
}

/// Reads the whole state.
fn read(database: &Database) -> Result<State, Fault> {
    let transaction = database.begin_read()?;
    let (meta, rows) = (transaction.open_table(META)?, Rows::read(&transaction)?);
    let mut state = State {
        position: Position {
            epoch: epochs::current(&transaction.open_table(EPOCHS)?)?,
            sequence: ends(&meta, &rows)?.1,
        },
        records: HashMap::new(),
        forgotten: moment(&meta, "forgotten")?,
        masks: Masks::new(FileKey::read(&transaction)?),
    };
    state.records.reserve(rows.count()?);
    let mut plain = Vec::new();
    for row in rows.from(0)? {
        let (last, row) = row?;
        state.masks.key().unmask(row.value(), &mut plain)?;
        for record in row::unpack(last.value(), &plain) {
            let (sequence, record) = record?;
            state.know(record, sequence);
        }
    }
    Ok(state)
}

/// The end of what was read.
pub(super) struct End {
    pub(super) position: Position,
    pub(super) forgotten: NumericDate,
}

/// Hands all records to `piece`, those of some rows at once. Records that later ones have replaced
/// are among them.
pub(super) fn everything(
    database: &Database,
    key: &FileKey,
    expect: impl FnOnce(usize),
    mut piece: impl FnMut(&[Revocation]),
) -> Result<End, Fault> {
    let transaction = database.begin_read()?;
    let (meta, rows) = (transaction.open_table(META)?, Rows::read(&transaction)?);
    let epoch = epochs::current(&transaction.open_table(EPOCHS)?)?;
    let (_, sequence) = ends(&meta, &rows)?;
    expect(rows.count()?);
    read_rows(&rows, key, 0..=u64::MAX, &mut piece)?;
    Ok(End {
        position: Position { epoch, sequence },
        forgotten: moment(&meta, "forgotten")?,
    })
}

/// Hands the records after a position to `piece`, up to the position `seen` that readers have seen.
/// Returns `false` if some of them were removed, or if the position is not in the file's history.
pub(super) fn after(
    database: &Database,
    key: &FileKey,
    after: Position,
    seen: u64,
    mut piece: impl FnMut(&[Revocation]),
) -> Result<bool, Fault> {
    let transaction = database.begin_read()?;
    let (meta, rows) = (transaction.open_table(META)?, Rows::read(&transaction)?);
    let epochs = transaction.open_table(EPOCHS)?;
    let (compacted, last) = ends(&meta, &rows)?;
    if after.sequence < compacted || !epochs::contains(&epochs, after, last)? {
        return Ok(false);
    }
    // The records of a failed commit may be in the file nevertheless, and `everything` returns them.
    if after.sequence < seen {
        read_rows(&rows, key, after.sequence + 1..=seen, &mut piece)?;
    }
    Ok(true)
}

/// Returns the records of some rows after a position, and the position of the last one if more follow.
#[cfg(feature = "fleet")]
pub(super) fn piece(
    database: &Database,
    key: &FileKey,
    after: u64,
) -> Result<(Vec<Revocation>, Option<u64>), Fault> {
    let transaction = database.begin_read()?;
    let rows = Rows::read(&transaction)?;
    let (mut records, mut plain) = (Vec::new(), Vec::new());
    let mut last = after;
    for row in rows.from(after.saturating_add(1))? {
        if records.len() >= PIECE {
            return Ok((records, Some(last)));
        }
        let (to, row) = row?;
        last = to.value();
        key.unmask(row.value(), &mut plain)?;
        for record in row::unpack(last, &plain) {
            records.push(record?.1);
        }
    }
    Ok((records, None))
}

fn read_rows(
    rows: &Rows<impl ReadableTable<u64, &'static [u8]>>,
    key: &FileKey,
    positions: RangeInclusive<u64>,
    piece: &mut impl FnMut(&[Revocation]),
) -> Result<(), Fault> {
    let (mut records, mut plain) = (Vec::new(), Vec::new());
    for row in rows.from(*positions.start())? {
        let (last, row) = row?;
        key.unmask(row.value(), &mut plain)?;
        for record in row::unpack(last.value(), &plain) {
            let (sequence, record) = record?;
            if positions.contains(&sequence) {
                records.push(record);
            }
        }
        if records.len() >= PIECE {
            piece(&records);
            records.clear();
        }
        if last.value() >= *positions.end() {
            break;
        }
    }
    if !records.is_empty() {
        piece(&records);
    }
    Ok(())
}

/// Returns whether a position belongs to the history of the file.
pub(super) fn contains(database: &Database, position: Position) -> Result<bool, Fault> {
    let transaction = database.begin_read()?;
    let (_, last) = ends(&transaction.open_table(META)?, &Rows::read(&transaction)?)?;
    epochs::contains(&transaction.open_table(EPOCHS)?, position, last)
}

/// Returns the last position whose record was removed, and the last position.
pub(super) fn ends(
    meta: &impl ReadableTable<&'static str, u64>,
    rows: &Rows<impl ReadableTable<u64, &'static [u8]>>,
) -> Result<(u64, u64), Fault> {
    let compacted = number(meta, "compacted")?;
    let last = rows.last()?.unwrap_or(compacted);
    Ok((compacted, last.max(compacted)))
}

/// Returns the latest expiry of the records that were removed.
#[cfg(feature = "feed")]
pub(super) fn forgotten(
    meta: &impl ReadableTable<&'static str, u64>,
) -> Result<NumericDate, Fault> {
    moment(meta, "forgotten")
}

/// Returns a time in the table `meta`, or 1970 if there is none.
fn moment(meta: &impl ReadableTable<&'static str, u64>, name: &str) -> Result<NumericDate, Fault> {
    let moment = meta.get(name)?.map_or(0, |moment| moment.value());
    Ok(NumericDate::new(moment))
}

pub(super) fn number(
    meta: &impl ReadableTable<&'static str, u64>,
    name: &str,
) -> Result<u64, Fault> {
    let number = meta
        .get(name)?
        .ok_or_else(|| Fault::new(LogErrorKind::Corrupt))?;
    Ok(number.value())
}

#[cfg(test)]
pub(super) fn pretend_format(transaction: &redb::WriteTransaction, format: u64) {
    let mut meta = transaction.open_table(META).unwrap();
    meta.insert("format", format).unwrap();
}
