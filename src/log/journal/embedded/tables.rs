//! The tables of a journal, beside those of the log. All writes are a part of the log's own commits.

use redb::{
    AccessGuard, Database, ReadTransaction, ReadableDatabase as _, ReadableTable as _,
    ReadableTableMetadata as _, Table, TableDefinition, TableError, WriteTransaction,
};

use super::{
    super::{
        super::{Fault, FileKey, NumericDate, Work},
        JournalEntry, NewJournalEntry,
    },
    observe,
    row::{self, Row},
};

/// A digest of a key under the key of the file.
pub(super) type Digest = [u8; 32];
/// When something is, and the place of the entry.
type Dated = (u64, u64);

/// The row of an entry, masked.
const ENTRIES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("journal_entries");
/// The digest of a key → the place of its entry.
const KEYS: TableDefinition<'_, &Digest, u64> = TableDefinition::new("journal_keys");
/// In the order in which entries expire: the digest of the key of each.
const BY_END: TableDefinition<'_, Dated, Option<&Digest>> = TableDefinition::new("journal_by_end");
/// In the order in which entries are due: when each expires.
const BY_DUE: TableDefinition<'_, Dated, u64> = TableDefinition::new("journal_by_due");
/// * `last`: the place of the last entry. An entry that is removed leaves its place unused.
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("journal_meta");

/// Checks that existing tables with these names have the right types.
pub(super) fn check(database: &Database) -> Result<(), Fault> {
    let transaction = database.begin_read()?;
    // The first entry creates them.
    let missing = |error: TableError| match error {
        TableError::TableDoesNotExist(_) => Ok(()),
        error => Err(error),
    };
    transaction.open_table(ENTRIES).map(drop).or_else(missing)?;
    transaction.open_table(KEYS).map(drop).or_else(missing)?;
    transaction.open_table(BY_END).map(drop).or_else(missing)?;
    transaction.open_table(BY_DUE).map(drop).or_else(missing)?;
    transaction.open_table(META).map(drop).or_else(missing)?;
    Ok(())
}

/// Reads as of the last commit. `None` if there is no entry yet.
fn begin_read(database: &Database) -> Result<Option<ReadTransaction>, Fault> {
    let transaction = database.begin_read()?;
    match transaction.open_table(ENTRIES) {
        Ok(_) => Ok(Some(transaction)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The entry at a place, if it is kept.
pub(super) fn get(
    database: &Database,
    key: &FileKey,
    place: u64,
    now: NumericDate,
) -> Result<Option<JournalEntry>, Fault> {
    let Some(transaction) = begin_read(database)? else {
        return Ok(None);
    };
    let entries = transaction.open_table(ENTRIES)?;
    let row = entries.get(place)?.and_then(|row| read(key, place, &row));
    Ok(row.and_then(|row| row.kept(now)))
}

/// The entry with a key, if it is kept.
pub(super) fn find(
    database: &Database,
    key: &FileKey,
    digest: &Digest,
    now: NumericDate,
) -> Result<Option<JournalEntry>, Fault> {
    let Some(transaction) = begin_read(database)? else {
        return Ok(None);
    };
    let Some(place) = transaction.open_table(KEYS)?.get(digest)? else {
        return Ok(None);
    };
    let place = place.value();
    let entries = transaction.open_table(ENTRIES)?;
    let row = entries.get(place)?.and_then(|row| read(key, place, &row));
    Ok(row.and_then(|row| row.kept(now)))
}

/// The newest entries before a place, from new to old.
pub(super) fn newest(
    database: &Database,
    key: &FileKey,
    before: Option<u64>,
    limit: usize,
    now: NumericDate,
) -> Result<Vec<JournalEntry>, Fault> {
    let Some(transaction) = begin_read(database)? else {
        return Ok(Vec::new());
    };
    let mut newest = Vec::new();
    let entries = transaction.open_table(ENTRIES)?;
    let mut rows = entries.range(..before.unwrap_or(u64::MAX))?.rev();
    while newest.len() < limit {
        let Some(next) = rows.next() else { break };
        let (place, row) = next?;
        let row = read(key, place.value(), &row);
        newest.extend(row.and_then(|row| row.kept(now)));
    }
    Ok(newest)
}

/// How many entries have a due date.
pub(super) fn waiting(database: &Database, now: NumericDate) -> Result<u64, Fault> {
    let Some(transaction) = begin_read(database)? else {
        return Ok(0);
    };
    let mut waiting = 0;
    for row in transaction.open_table(BY_DUE)?.iter()? {
        waiting += u64::from(row?.1.value() > now.seconds());
    }
    Ok(waiting)
}

/// Reads a row, and reports a damaged one.
fn read(key: &FileKey, place: u64, row: &AccessGuard<'_, &[u8]>) -> Option<Row> {
    let read = row::read(key, place, row.value());
    if read.is_none() {
        observe::damaged();
    }
    read
}

impl Row {
    fn kept(self, now: NumericDate) -> Option<JournalEntry> {
        (self.expires > now).then_some(self.entry)
    }
}

pub(super) struct Tables<'t> {
    entries: Table<'t, u64, &'static [u8]>,
    keys: Table<'t, &'static Digest, u64>,
    by_end: Table<'t, Dated, Option<&'static Digest>>,
    by_due: Table<'t, Dated, u64>,
    meta: Table<'t, &'static str, u64>,
}

impl<'t> Tables<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, Fault> {
        Ok(Self {
            entries: transaction.open_table(ENTRIES)?,
            keys: transaction.open_table(KEYS)?,
            by_end: transaction.open_table(BY_END)?,
            by_due: transaction.open_table(BY_DUE)?,
            meta: transaction.open_table(META)?,
        })
    }

    /// The number of entries, also of those that have expired.
    pub(super) fn len(&self) -> Result<u64, Fault> {
        Ok(self.entries.len()?)
    }

    /// The row at a place, if its entry is kept.
    pub(super) fn row(
        &self,
        key: &FileKey,
        place: u64,
        now: NumericDate,
    ) -> Result<Option<Row>, Fault> {
        let row = self.entries.get(place)?;
        let row = row.and_then(|row| read(key, place, &row));
        Ok(row.filter(|row| row.expires > now))
    }

    /// The entry with a key, if it is kept.
    pub(super) fn find(
        &self,
        key: &FileKey,
        digest: &Digest,
        now: NumericDate,
    ) -> Result<Option<JournalEntry>, Fault> {
        let Some(place) = self.keys.get(digest)?.map(|place| place.value()) else {
            return Ok(None);
        };
        Ok(self.row(key, place, now)?.map(|row| row.entry))
    }

    /// Adds an entry. Returns its place.
    pub(super) fn insert(
        &mut self,
        work: &mut Work<'_>,
        new: NewJournalEntry,
        digest: Option<Digest>,
    ) -> Result<u64, Fault> {
        let last = self.meta.get("last")?.map_or(0, |last| last.value());
        let place = last + 1;
        self.meta.insert("last", place)?;
        if let Some(digest) = &digest {
            // An entry that has expired and is not removed yet may have had it.
            self.keys.insert(digest, place)?;
        }
        let end = new.expires.seconds();
        self.by_end.insert((end, place), digest.as_ref())?;
        let row = Row {
            entry: JournalEntry::new(place, 0, new.content, new.due),
            expires: new.expires,
        };
        self.put(work, &row)?;
        Ok(place)
    }

    /// Replaces a row.
    pub(super) fn change(
        &mut self,
        work: &mut Work<'_>,
        mut row: Row,
        content: Option<Vec<u8>>,
        due: Option<NumericDate>,
    ) -> Result<JournalEntry, Fault> {
        let entry = &mut row.entry;
        if let Some(earlier) = entry.due {
            self.by_due.remove((earlier.seconds(), entry.place))?;
        }
        entry.version = entry.version.wrapping_add(1);
        entry.due = due;
        if let Some(content) = content {
            entry.content = content;
        }
        self.put(work, &row)?;
        Ok(row.entry)
    }

    fn put(&mut self, work: &mut Work<'_>, row: &Row) -> Result<(), Fault> {
        let place = row.entry.place;
        if let Some(due) = row.entry.due {
            let end = row.expires.seconds();
            self.by_due.insert((due.seconds(), place), end)?;
        }
        let plain = row::pack(work.key(), row);
        self.entries.insert(place, &*work.mask(&plain))?;
        work.dirty = true;
        Ok(())
    }

    /// The rows of entries that are due, at most this many.
    pub(super) fn due(
        &mut self,
        work: &mut Work<'_>,
        limit: usize,
        now: NumericDate,
    ) -> Result<Vec<Row>, Fault> {
        let (mut due, mut dead) = (Vec::new(), Vec::new());
        for dated in self.by_due.range(..=(now.seconds(), u64::MAX))? {
            if due.len() >= limit || dead.len() >= limit {
                break;
            }
            let (at, place) = dated?.0.value();
            match self.row(work.key(), place, now)? {
                Some(row) if row.entry.due == Some(NumericDate::new(at)) => due.push(row),
                // It has expired, or its row is damaged.
                _ => dead.push((at, place)),
            }
        }
        for dated in dead {
            self.by_due.remove(dated)?;
            work.dirty = true;
        }
        Ok(due)
    }

    /// Removes entries that have expired, at most this many.
    pub(super) fn forget(
        &mut self,
        work: &mut Work<'_>,
        now: NumericDate,
        limit: usize,
    ) -> Result<(), Fault> {
        for _ in 0..limit {
            let first = self.by_end.first()?.map(|(dated, digest)| {
                let (end, place) = dated.value();
                (end, place, digest.value().copied())
            });
            let Some((end, place, digest)) = first.filter(|(end, ..)| *end <= now.seconds()) else {
                break;
            };
            self.by_end.remove((end, place))?;
            if let Some(digest) = digest {
                let is_own = self
                    .keys
                    .get(&digest)?
                    .is_some_and(|it| it.value() == place);
                if is_own {
                    self.keys.remove(&digest)?;
                }
            }
            // If the row is damaged, `due` removes its date.
            let row = self.entries.remove(place)?;
            let row = row.and_then(|row| read(work.key(), place, &row));
            if let Some(due) = row.and_then(|row| row.entry.due) {
                self.by_due.remove((due.seconds(), place))?;
            }
            work.dirty = true;
        }
        Ok(())
    }
}
