//! What stands in the file, and what may be done to it in one commit.

use redb::{Database, ReadableDatabase as _, ReadableTable, TableDefinition, WriteTransaction};

use super::{
    super::{LogErrorKind, NumericDate, Position, Revocation, Selector, Snapshot, new_epoch},
    fault::Fault,
};

/// The version of the layout below.
const FORMAT: u64 = 1;

/// `format`, `epoch`, and `compacted`: the last position whose record has left the history.
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// One row for each selector: `not_before`, `expires`.
const RECORDS: TableDefinition<'_, &[u8; 33], (u64, u64)> = TableDefinition::new("records");
/// What was appended, by position, for readers that follow.
const HISTORY: TableDefinition<'_, u64, (&[u8; 33], u64, u64)> = TableDefinition::new("history");

/// Readers that are further behind than this take a snapshot.
pub(super) const HISTORY_KEPT: u64 = 100_000;
/// So many rows are looked at in one step of a sweep.
const SWEEP_STEP: usize = 1024;

/// Makes the tables in a new file, and refuses a file that means something else.
pub(super) fn prepare(database: &Database) -> Result<Position, Fault> {
    let transaction = database.begin_write()?;
    let is_new = transaction.list_tables()?.next().is_none();
    let position = {
        let mut meta = transaction.open_table(META)?;
        transaction.open_table(RECORDS)?;
        let history = transaction.open_table(HISTORY)?;
        if is_new {
            meta.insert("format", FORMAT)?;
            meta.insert("epoch", new_epoch())?;
            meta.insert("compacted", 0)?;
        }
        // A store of somebody else has no such table, or nothing in it.
        if number(&meta, "format")? != FORMAT {
            return Err(Fault::new(LogErrorKind::NewerFormat));
        }
        Position {
            epoch: number(&meta, "epoch")?,
            sequence: ends(&meta, &history)?.1,
        }
    };
    transaction.commit()?;
    Ok(position)
}

/// All records, and the position of the last.
pub(super) fn snapshot(database: &Database, epoch: u64) -> Result<Snapshot, Fault> {
    let transaction = database.begin_read()?;
    let (meta, history) = (
        transaction.open_table(META)?,
        transaction.open_table(HISTORY)?,
    );
    let (_, sequence) = ends(&meta, &history)?;
    let mut records = Vec::new();
    for row in transaction.open_table(RECORDS)?.iter()? {
        let (selector, row) = row?;
        let (not_before, expires) = row.value();
        records.push(record(selector.value(), not_before, expires)?);
    }
    Ok(Snapshot {
        position: Position { epoch, sequence },
        records,
    })
}

/// The records after a position.
pub(super) fn after(database: &Database, after: Position) -> Result<Vec<Revocation>, Fault> {
    let transaction = database.begin_read()?;
    let (meta, history) = (
        transaction.open_table(META)?,
        transaction.open_table(HISTORY)?,
    );
    let (compacted, last) = ends(&meta, &history)?;
    if after.sequence < compacted || after.sequence > last {
        return Err(Fault::new(LogErrorKind::Gap));
    }
    history
        .range(after.sequence + 1..)?
        .map(|row| {
            let (_, row) = row?;
            let (selector, not_before, expires) = row.value();
            record(selector, not_before, expires)
        })
        .collect()
}

/// The last position that has left the history, and the last that there is.
fn ends(
    meta: &impl ReadableTable<&'static str, u64>,
    history: &impl ReadableTable<u64, (&'static [u8; 33], u64, u64)>,
) -> Result<(u64, u64), Fault> {
    let compacted = number(meta, "compacted")?;
    let last = history
        .last()?
        .map_or(compacted, |(sequence, _)| sequence.value());
    Ok((compacted, last))
}

fn number(meta: &impl ReadableTable<&'static str, u64>, name: &str) -> Result<u64, Fault> {
    let number = meta
        .get(name)?
        .ok_or_else(|| Fault::new(LogErrorKind::Corrupt))?;
    Ok(number.value())
}

fn record(selector: &[u8; 33], not_before: u64, expires: u64) -> Result<Revocation, Fault> {
    // A class that this version does not know would otherwise be a revocation that it does not
    // heed.
    let selector =
        Selector::from_bytes(selector).ok_or_else(|| Fault::new(LogErrorKind::NewerFormat))?;
    let (not_before, expires) = (NumericDate::new(not_before), NumericDate::new(expires));
    Ok(Revocation::watermark(selector, not_before, expires))
}

/// One commit in the making.
pub(crate) struct Work<'t> {
    /// For what stands in tables beside the log's own.
    pub(crate) transaction: &'t WriteTransaction,
    records: redb::Table<'t, &'static [u8; 33], (u64, u64)>,
    history: redb::Table<'t, u64, (&'static [u8; 33], u64, u64)>,
    committed: Position,
    position: Position,
    /// What readers are to hear of once it is durable.
    pub(super) news: Vec<Revocation>,
    /// Whether there is anything to commit.
    pub(crate) dirty: bool,
}

impl<'t> Work<'t> {
    pub(super) fn begin(
        transaction: &'t WriteTransaction,
        position: Position,
    ) -> Result<Self, Fault> {
        Ok(Self {
            transaction,
            records: transaction.open_table(RECORDS)?,
            history: transaction.open_table(HISTORY)?,
            committed: position,
            position,
            news: Vec::new(),
            dirty: false,
        })
    }

    /// Where the log stood after the last commit.
    pub(super) fn committed(&self) -> Position {
        self.committed
    }

    /// Where the log will stand after this one.
    pub(super) fn position(&self) -> Position {
        self.position
    }

    /// What is known of a selector, this commit included.
    pub(crate) fn record(&self, selector: &Selector) -> Result<Option<Revocation>, Fault> {
        let row = self.records.get(&selector.to_bytes())?;
        Ok(row.map(|row| {
            let (not_before, expires) = row.value();
            let (not_before, expires) = (NumericDate::new(not_before), NumericDate::new(expires));
            Revocation::watermark(*selector, not_before, expires)
        }))
    }

    /// Appends what is not covered yet.
    pub(super) fn append(&mut self, batch: &[Revocation]) -> Result<Position, Fault> {
        for record in batch {
            let Some(record) = record.beyond(self.record(&record.selector())?) else {
                continue;
            };
            let selector = record.selector().to_bytes();
            let (not_before, expires) = (record.not_before().seconds(), record.expires().seconds());
            self.position.sequence += 1;
            self.records.insert(&selector, (not_before, expires))?;
            self.history
                .insert(self.position.sequence, (&selector, not_before, expires))?;
            self.news.push(record);
            self.dirty = true;
        }
        Ok(self.position)
    }

    /// Forgets records that have expired, among the next few.
    pub(super) fn sweep(&mut self, from: [u8; 33], now: NumericDate) -> Result<Step<33>, Fault> {
        let step = sweep_step(&mut self.records, from, |(_, expires)| {
            NumericDate::new(expires) <= now
        })?;
        self.dirty |= step.removed > 0;
        Ok(step)
    }

    /// Shortens the history to what readers may ask for, by a bounded step. Answers whether there
    /// is more to do.
    pub(super) fn compact(&mut self, kept: u64) -> Result<bool, Fault> {
        let keep_from = self.position.sequence.saturating_sub(kept);
        let mut dropped = Vec::new();
        for row in self.history.range(..=keep_from)?.take(SWEEP_STEP) {
            dropped.push(row?.0.value());
        }
        for sequence in &dropped {
            self.history.remove(sequence)?;
        }
        if let Some(last) = dropped.last() {
            self.transaction
                .open_table(META)?
                .insert("compacted", last)?;
            self.dirty = true;
        }
        Ok(dropped.len() == SWEEP_STEP)
    }
}

/// What one step of a sweep came to.
pub(crate) struct Step<const N: usize> {
    /// How many rows have gone.
    pub(crate) removed: u64,
    /// Where to go on, if anywhere.
    pub(crate) next: Option<[u8; N]>,
}

/// Removes the rows that have expired, among the next few from a key on.
pub(crate) fn sweep_step<const N: usize, V: redb::Value>(
    table: &mut redb::Table<'_, &'static [u8; N], V>,
    from: [u8; N],
    has_expired: impl Fn(V::SelfType<'_>) -> bool,
) -> Result<Step<N>, Fault> {
    let mut expired = Vec::new();
    let mut next = None;
    for (seen, row) in table.range::<&[u8; N]>(&from..)?.enumerate() {
        let (key, row) = row?;
        if seen == SWEEP_STEP {
            next = Some(*key.value());
            break;
        }
        if has_expired(row.value()) {
            expired.push(*key.value());
        }
    }
    for key in &expired {
        table.remove(key)?;
    }
    Ok(Step {
        removed: expired.len() as u64,
        next,
    })
}

#[cfg(test)]
pub(super) fn pretend_newer_format(transaction: &WriteTransaction) {
    let mut meta = transaction.open_table(META).unwrap();
    meta.insert("format", FORMAT + 1).unwrap();
}
