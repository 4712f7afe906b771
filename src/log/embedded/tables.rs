//! What stands in the file, what is known of it in memory, and what may be done to both in one
//! commit.
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
    WriteTransaction,
};

use super::{
    super::{
        Appended, LogErrorKind, NumericDate, Position, Revocation, Selector, Snapshot, new_epoch,
        room,
    },
    fault::Fault,
};

/// The version of the layout below.
const FORMAT: u64 = 1;

/// `format`, `epoch`, and `compacted`: the last position whose record has been forgotten.
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// By position: selector, `not_before`, `expires`.
const RECORDS: TableDefinition<'_, u64, Columns<'_>> = TableDefinition::new("records");

type Columns<'a> = (&'a [u8; 33], u64, u64);

/// So many rows are looked at in one step of a sweep.
const SWEEP_STEP: usize = 1024;

/// The last record of every selector, with the position where it stands.
#[derive(Default)]
pub(super) struct State {
    pub(super) position: Position,
    records: HashMap<Selector, Known>,
}

/// What the last record of a selector says, without the selector: there are many.
struct Known {
    sequence: u64,
    not_before: NumericDate,
    expires: NumericDate,
}

impl State {
    fn know(&mut self, record: Revocation, sequence: u64) {
        let known = Known {
            sequence,
            not_before: record.not_before(),
            expires: record.expires(),
        };
        self.records.insert(record.selector(), known);
    }
}

/// Makes the tables in a new file, refuses a file that means something else, and reads it.
pub(super) fn prepare(database: &Database) -> Result<State, Fault> {
    let transaction = database.begin_write()?;
    let is_new = transaction.list_tables()?.next().is_none();
    let mut state = State::default();
    {
        let mut meta = transaction.open_table(META)?;
        let records = transaction.open_table(RECORDS)?;
        if is_new {
            meta.insert("format", FORMAT)?;
            meta.insert("epoch", new_epoch())?;
            meta.insert("compacted", 0)?;
        }
        // A store of somebody else has no such table, or nothing in it.
        if number(&meta, "format")? != FORMAT {
            return Err(Fault::new(LogErrorKind::NewerFormat));
        }
        state.position.epoch = number(&meta, "epoch")?;
        state.position.sequence = ends(&meta, &records)?.1;
        state.records.reserve(rows(&records)?);
        for row in records.iter()? {
            let (sequence, row) = row?;
            let record = record(row.value())?;
            state.know(record, sequence.value());
        }
    }
    transaction.commit()?;
    Ok(state)
}

/// All records, and the position of the last.
pub(super) fn snapshot(database: &Database, epoch: u64) -> Result<Snapshot, Fault> {
    let transaction = database.begin_read()?;
    let (meta, table) = (
        transaction.open_table(META)?,
        transaction.open_table(RECORDS)?,
    );
    let (_, sequence) = ends(&meta, &table)?;
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
    Ok(Snapshot {
        position: Position { epoch, sequence },
        records,
    })
}

/// The records after a position.
pub(super) fn after(database: &Database, after: Position) -> Result<Vec<Revocation>, Fault> {
    let transaction = database.begin_read()?;
    let (meta, records) = (
        transaction.open_table(META)?,
        transaction.open_table(RECORDS)?,
    );
    let (compacted, last) = ends(&meta, &records)?;
    if after.sequence < compacted || after.sequence > last {
        return Err(Fault::new(LogErrorKind::Gap));
    }
    let missed = records.range(after.sequence + 1..)?;
    missed.map(|row| record(row?.1.value())).collect()
}

/// The last position that has been forgotten, and the last that there is.
fn ends(
    meta: &impl ReadableTable<&'static str, u64>,
    records: &impl ReadableTable<u64, Columns<'static>>,
) -> Result<(u64, u64), Fault> {
    let compacted = number(meta, "compacted")?;
    let last = records
        .last()?
        .map_or(compacted, |(sequence, _)| sequence.value());
    Ok((compacted, last.max(compacted)))
}

fn rows(records: &impl ReadableTableMetadata) -> Result<usize, Fault> {
    // Only makes room.
    Ok(usize::try_from(records.len()?).unwrap_or_default())
}

fn number(meta: &impl ReadableTable<&'static str, u64>, name: &str) -> Result<u64, Fault> {
    let number = meta
        .get(name)?
        .ok_or_else(|| Fault::new(LogErrorKind::Corrupt))?;
    Ok(number.value())
}

fn record((selector, not_before, expires): Columns<'_>) -> Result<Revocation, Fault> {
    // A class that this version does not know would otherwise be a revocation that it does not
    // heed.
    let selector =
        Selector::from_bytes(selector).ok_or_else(|| Fault::new(LogErrorKind::NewerFormat))?;
    let (not_before, expires) = (NumericDate::new(not_before), NumericDate::new(expires));
    Ok(Revocation::watermark(selector, not_before, expires))
}

/// One commit in the making. If it fails, the state is ahead of the file, and neither is used
/// again.
pub(crate) struct Work<'t> {
    /// For what stands in tables beside the log's own.
    pub(crate) transaction: &'t WriteTransaction,
    table: redb::Table<'t, u64, Columns<'static>>,
    state: &'t mut State,
    committed: Position,
    /// What readers are to hear of once it is durable.
    pub(super) news: Vec<Revocation>,
    /// Whether there is anything to commit.
    pub(crate) dirty: bool,
}

impl<'t> Work<'t> {
    pub(super) fn begin(
        transaction: &'t WriteTransaction,
        state: &'t mut State,
    ) -> Result<Self, Fault> {
        Ok(Self {
            transaction,
            table: transaction.open_table(RECORDS)?,
            committed: state.position,
            state,
            news: Vec::new(),
            dirty: false,
        })
    }

    /// Where the log stood after the last commit.
    pub(super) fn committed(&self) -> Position {
        self.committed
    }

    /// What is known of a selector, this commit included.
    pub(crate) fn record(&self, selector: &Selector) -> Option<Revocation> {
        let known = self.state.records.get(selector)?;
        Some(Revocation::watermark(
            *selector,
            known.not_before,
            known.expires,
        ))
    }

    /// Whether so many selectors of a batch at the most have no record.
    pub(super) fn is_enough(&self, room: usize, batch: &[Revocation]) -> bool {
        room::is_enough(room, batch, |selector| {
            self.state.records.contains_key(selector)
        })
    }

    /// Appends what is not covered yet, or nothing if more selectors would then have a record than
    /// may.
    pub(super) fn append(
        &mut self,
        batch: &[Revocation],
        ceiling: usize,
    ) -> Result<Appended, Fault> {
        let known = self.state.records.len();
        if !self.is_enough(ceiling.saturating_sub(known), batch) {
            return Err(Fault::new(LogErrorKind::Full));
        }
        for record in batch {
            let Some(record) = record.beyond(self.record(&record.selector())) else {
                continue;
            };
            let selector = record.selector().to_bytes();
            let (not_before, expires) = (record.not_before().seconds(), record.expires().seconds());
            let sequence = self.state.position.sequence + 1;
            self.table
                .insert(sequence, (&selector, not_before, expires))?;
            self.state.position.sequence = sequence;
            self.state.know(record, sequence);
            self.news.push(record);
            self.dirty = true;
        }
        Ok(Appended {
            position: self.state.position,
            added: self.state.records.len() - known,
        })
    }

    /// Forgets what has expired or been overtaken, among the next few records from a position on.
    pub(super) fn sweep(&mut self, from: u64, now: NumericDate) -> Result<Step<u64>, Fault> {
        let mut forgotten = Vec::new();
        let mut next = None;
        for (seen, row) in self.table.range(from..)?.enumerate() {
            let (sequence, row) = row?;
            let sequence = sequence.value();
            if seen == SWEEP_STEP {
                next = Some(sequence);
                break;
            }
            let record = record(row.value())?;
            let last = self.state.records.get(&record.selector());
            if last.is_none_or(|known| known.sequence != sequence) {
                forgotten.push(sequence);
            } else if record.expires() <= now {
                self.state.records.remove(&record.selector());
                forgotten.push(sequence);
            }
        }
        for sequence in &forgotten {
            self.table.remove(sequence)?;
        }
        if let Some(&last) = forgotten.last() {
            let mut meta = self.transaction.open_table(META)?;
            let compacted = number(&meta, "compacted")?.max(last);
            meta.insert("compacted", compacted)?;
            self.dirty = true;
        }
        Ok(Step {
            removed: forgotten.len() as u64,
            next,
        })
    }
}

/// What one step of a sweep came to.
pub(crate) struct Step<K> {
    /// How many rows have gone.
    pub(crate) removed: u64,
    /// Where to go on, if anywhere.
    pub(crate) next: Option<K>,
}

#[cfg(test)]
pub(super) fn pretend_newer_format(transaction: &WriteTransaction) {
    let mut meta = transaction.open_table(META).unwrap();
    meta.insert("format", FORMAT + 1).unwrap();
}
