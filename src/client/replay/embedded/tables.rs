//! The tables of used identifiers, beside those of the log.

use redb::{
    Database, MultimapTable, MultimapTableDefinition, ReadableDatabase as _,
    ReadableMultimapTable as _, ReadableTable as _, ReadableTableMetadata as _, Table,
    TableDefinition, TableError, WriteTransaction,
};

use super::super::{ClientDigest, EXPIRED_PER_USE, Once};
use crate::log::{Fault, FileKey};

/// By identifier: when it expires.
const USED: TableDefinition<'_, &[u8; 32], u64> = TableDefinition::new("replay_used");
/// In the order in which the entries expire: the client of each.
const BY_END: TableDefinition<'_, (u64, &[u8; 32]), &ClientDigest> =
    TableDefinition::new("replay_by_end");
/// The entries of each client.
const HELD: MultimapTableDefinition<'_, &ClientDigest, (u64, &[u8; 32])> =
    MultimapTableDefinition::new("replay_held");
/// `forgotten`: the latest end of all forgotten entries.
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("replay_meta");

/// Checks that existing tables with these names have the right types.
pub(super) fn check(database: &Database) -> Result<(), Fault> {
    let transaction = database.begin_read()?;
    let missing = |error: TableError| match error {
        // The first entry creates it.
        TableError::TableDoesNotExist(_) => Ok(()),
        error => Err(error),
    };
    transaction.open_table(USED).map(drop).or_else(missing)?;
    transaction.open_table(BY_END).map(drop).or_else(missing)?;
    let held = transaction.open_multimap_table(HELD).map(drop);
    held.or_else(missing)?;
    transaction.open_table(META).map(drop).or_else(missing)?;
    Ok(())
}

/// An identifier and its client, in digests of this file only: a peer chooses the identifier, and
/// could choose among digests that it can compute.
#[derive(Clone, Copy)]
pub(super) struct Keyed {
    digest: [u8; 32],
    client: ClientDigest,
}

impl Keyed {
    pub(super) fn new(key: &FileKey, once: Once) -> Self {
        let mut client = ClientDigest::default();
        let length = client.len();
        client.copy_from_slice(&key.digest(once.client())[..length]);
        Self {
            digest: key.digest(once.as_bytes()),
            client,
        }
    }
}

/// A used identifier: when it expires, and its client.
pub(super) struct Entry {
    end: u64,
    digest: [u8; 32],
    client: ClientDigest,
}

impl Entry {
    pub(super) fn new(end: u64, once: Keyed) -> Self {
        Self {
            end,
            digest: once.digest,
            client: once.client,
        }
    }
}

pub(super) struct Tables<'t> {
    used: Table<'t, &'static [u8; 32], u64>,
    by_end: Table<'t, (u64, &'static [u8; 32]), &'static ClientDigest>,
    held: MultimapTable<'t, &'static ClientDigest, (u64, &'static [u8; 32])>,
    meta: Table<'t, &'static str, u64>,
}

impl<'t> Tables<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, Fault> {
        Ok(Self {
            used: transaction.open_table(USED)?,
            by_end: transaction.open_table(BY_END)?,
            held: transaction.open_multimap_table(HELD)?,
            meta: transaction.open_table(META)?,
        })
    }

    pub(super) fn end(&self, once: Keyed) -> Result<Option<u64>, Fault> {
        Ok(self.used.get(&once.digest)?.map(|end| end.value()))
    }

    pub(super) fn len(&self) -> Result<u64, Fault> {
        Ok(self.used.len()?)
    }

    /// The number of entries of the client.
    pub(super) fn held(&self, once: Keyed) -> Result<u64, Fault> {
        Ok(self.held.get(&once.client)?.len())
    }

    /// The latest end of all forgotten entries.
    pub(super) fn forgotten(&self) -> Result<u64, Fault> {
        Ok(self.meta.get("forgotten")?.map_or(0, |end| end.value()))
    }

    pub(super) fn insert(
        &mut self,
        Entry {
            end,
            digest,
            client,
        }: Entry,
    ) -> Result<(), Fault> {
        self.used.insert(&digest, end)?;
        self.by_end.insert((end, &digest), &client)?;
        self.held.insert(&client, (end, &digest))?;
        Ok(())
    }

    pub(super) fn remove(
        &mut self,
        Entry {
            end,
            digest,
            client,
        }: Entry,
    ) -> Result<(), Fault> {
        self.used.remove(&digest)?;
        self.by_end.remove((end, &digest))?;
        self.held.remove(&client, (end, &digest))?;
        Ok(())
    }

    /// Forgets the next expired entries, and returns their number.
    pub(super) fn forget(&mut self, now: u64, limit: usize) -> Result<usize, Fault> {
        let mut over = Vec::new();
        for row in self.by_end.iter()?.take(limit) {
            let (key, client) = row?;
            let (end, digest) = key.value();
            if end > now {
                break;
            }
            over.push(Entry {
                end,
                digest: *digest,
                client: *client.value(),
            });
        }
        self.forget_all(over)
    }

    /// If the client has used up its quota, forgets the first of its expired entries.
    pub(super) fn forget_of(&mut self, once: Keyed, now: u64, quota: u64) -> Result<bool, Fault> {
        if self.held(once)? < quota {
            return Ok(false);
        }
        let mut over = Vec::new();
        for row in self.held.get(&once.client)?.take(EXPIRED_PER_USE) {
            let row = row?;
            let (end, digest) = row.value();
            if end > now {
                break;
            }
            over.push(Entry {
                end,
                digest: *digest,
                client: once.client,
            });
        }
        Ok(self.forget_all(over)? > 0)
    }

    fn forget_all(&mut self, over: Vec<Entry>) -> Result<usize, Fault> {
        let (forgotten, latest) = (over.len(), over.iter().map(|entry| entry.end).max());
        for entry in over {
            self.remove(entry)?;
        }
        if let Some(latest) = latest {
            let horizon = self.forgotten()?.max(latest);
            self.meta.insert("forgotten", horizon)?;
        }
        Ok(forgotten)
    }
}
