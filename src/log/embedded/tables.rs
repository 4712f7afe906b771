//! What stands in the file, and what is known of it in memory.
//!
//! Records stand in the order of their commits, so that the many of one commit fill a page or two.
//! Ordered by selector, they would be as many pages as records.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
};

use hashbrown::{HashTable, hash_table::Entry};
use redb::{
    Database, ReadableDatabase as _, ReadableTable, ReadableTableMetadata, TableDefinition,
};

use super::{
    super::{LogErrorKind, NumericDate, Position, Revocation, Selector, Snapshot},
    epochs::{self, EPOCHS},
    fault::Fault,
};

/// The version of the layout below.
const FORMAT: u64 = 1;

/// `format`; `compacted`: the last position whose record has been removed; `forgotten`: the latest
/// end of a record that has been removed because it had expired; `restored`: when the file was last
/// made of a backup.
pub(super) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// By position: selector, `not_before`, `expires`.
pub(super) const RECORDS: TableDefinition<'_, u64, Columns<'_>> = TableDefinition::new("records");

pub(super) type Columns<'a> = (&'a [u8; 33], u64, u64);

/// The last record of every selector, with the position where it stands.
pub(super) struct State {
    pub(super) position: Position,
    pub(super) records: HashMap<Selector, Known>,
    /// The latest end of a record that has been removed because it had expired.
    pub(super) forgotten: NumericDate,
}

/// What the last record of a selector says, without the selector: there are many.
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

/// What a file is expected to be when it is opened.
#[derive(Clone, Copy, Debug)]
pub(super) enum Expected {
    /// A log, or nothing yet.
    Any,
    /// A log.
    Existing,
    /// A copy of a log, made of a backup just now.
    Restored,
    /// The log that told this position.
    Told(Position),
}

/// Makes the tables in a new file, refuses a file that means something else, begins an epoch, and
/// reads everything.
///
/// That there is something to write each time also shows that the file can be written to.
pub(super) fn begin(database: &Database, expected: Expected) -> Result<State, Fault> {
    let mut transaction = database.begin_write()?;
    transaction.set_two_phase_commit(true);
    let makes = matches!(expected, Expected::Any) && transaction.list_tables()?.next().is_none();
    {
        let mut meta = transaction.open_table(META)?;
        let records = transaction.open_table(RECORDS)?;
        if makes {
            meta.insert("format", FORMAT)?;
            meta.insert("compacted", 0)?;
        }
        // A store of somebody else has no such table, or nothing in it.
        if number(&meta, "format")? != FORMAT {
            return Err(Fault::new(LogErrorKind::NewerFormat));
        }
        let (_, last) = ends(&meta, &records)?;
        let mut epochs = transaction.open_table(EPOCHS)?;
        if let Expected::Told(position) = expected
            && !epochs::has(&epochs, position, last)?
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

/// Where a log stands, if it is one.
pub(super) fn told(database: &Database) -> Result<Position, Fault> {
    let transaction = database.begin_read()?;
    let meta = transaction.open_table(META)?;
    if number(&meta, "format")? != FORMAT {
        return Err(Fault::new(LogErrorKind::NewerFormat));
    }
    let (_, sequence) = ends(&meta, &transaction.open_table(RECORDS)?)?;
    let epoch = epochs::current(&transaction.open_table(EPOCHS)?)?;
    Ok(Position { epoch, sequence })
}

/// Everything that is known.
fn read(database: &Database) -> Result<State, Fault> {
    let transaction = database.begin_read()?;
    let (meta, records) = (
        transaction.open_table(META)?,
        transaction.open_table(RECORDS)?,
    );
    let mut state = State {
        position: Position {
            epoch: epochs::current(&transaction.open_table(EPOCHS)?)?,
            sequence: ends(&meta, &records)?.1,
        },
        records: HashMap::new(),
        forgotten: moment(&meta, "forgotten")?,
    };
    state.records.reserve(rows(&records)?);
    for row in records.iter()? {
        let (sequence, row) = row?;
        let record = record(row.value())?;
        state.know(record, sequence.value());
    }
    Ok(state)
}

/// All records, and the position of the last.
pub(super) fn snapshot(database: &Database) -> Result<Snapshot, Fault> {
    let transaction = database.begin_read()?;
    let (meta, table) = (
        transaction.open_table(META)?,
        transaction.open_table(RECORDS)?,
    );
    let epoch = epochs::current(&transaction.open_table(EPOCHS)?)?;
    let (_, sequence) = ends(&meta, &table)?;
    let forgotten = moment(&meta, "forgotten")?;
    // Where each of them stands: a map of records would be as large again as they are.
    let (mut records, mut places) = (Vec::<Revocation>::new(), HashTable::<usize>::new());
    let keys = RandomState::new();
    let hash = |record: &Revocation| keys.hash_one(record.selector());
    let room = rows(&table)?;
    records.reserve_exact(room);
    places.reserve(room, |place| hash(&records[*place]));
    for row in table.iter()? {
        let record = record(row?.1.value())?;
        let same = |place: &usize| records[*place].selector() == record.selector();
        match places.entry(hash(&record), same, |place| hash(&records[*place])) {
            // A later one says all that an earlier one did, and more.
            Entry::Occupied(place) => records[*place.get()] = record,
            Entry::Vacant(place) => {
                place.insert(records.len());
                records.push(record);
            }
        }
    }
    let snapshot = Snapshot::new(Position { epoch, sequence }, records);
    Ok(snapshot.forgotten(forgotten))
}

/// The records after a position, as far as readers have been told of them.
pub(super) fn after(
    database: &Database,
    after: Position,
    told: u64,
) -> Result<Vec<Revocation>, Fault> {
    let transaction = database.begin_read()?;
    let (meta, records) = (
        transaction.open_table(META)?,
        transaction.open_table(RECORDS)?,
    );
    let epochs = transaction.open_table(EPOCHS)?;
    let (compacted, last) = ends(&meta, &records)?;
    if after.sequence < compacted || !epochs::has(&epochs, after, last)? {
        return Err(Fault::new(LogErrorKind::Gap));
    }
    // A commit that has failed may be there nevertheless, and be in a snapshot.
    if after.sequence >= told {
        return Ok(Vec::new());
    }
    let missed = records.range(after.sequence + 1..=told)?;
    missed.map(|row| record(row?.1.value())).collect()
}

/// The last position that has been forgotten, and the last that there is.
pub(super) fn ends(
    meta: &impl ReadableTable<&'static str, u64>,
    records: &impl ReadableTable<u64, Columns<'static>>,
) -> Result<(u64, u64), Fault> {
    let compacted = number(meta, "compacted")?;
    let last = records
        .last()?
        .map_or(compacted, |(sequence, _)| sequence.value());
    Ok((compacted, last.max(compacted)))
}

/// 1970 if there is none.
fn moment(meta: &impl ReadableTable<&'static str, u64>, name: &str) -> Result<NumericDate, Fault> {
    let moment = meta.get(name)?.map_or(0, |moment| moment.value());
    Ok(NumericDate::new(moment))
}

fn rows(records: &impl ReadableTableMetadata) -> Result<usize, Fault> {
    // Only makes room.
    Ok(usize::try_from(records.len()?).unwrap_or_default())
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

pub(super) fn record((selector, not_before, expires): Columns<'_>) -> Result<Revocation, Fault> {
    // A class that this version does not know would otherwise be a revocation that it does not
    // heed.
    let selector =
        Selector::from_bytes(selector).ok_or_else(|| Fault::new(LogErrorKind::NewerFormat))?;
    let (not_before, expires) = (NumericDate::new(not_before), NumericDate::new(expires));
    Ok(Revocation::watermark(selector, not_before, expires))
}

#[cfg(test)]
pub(super) fn pretend_newer_format(transaction: &redb::WriteTransaction) {
    let mut meta = transaction.open_table(META).unwrap();
    meta.insert("format", FORMAT + 1).unwrap();
}
