//! The tables of links, beside those of the log. All writes are a part of the log's own commits.

use redb::{
    Database, MultimapTable, MultimapTableDefinition, ReadableDatabase as _,
    ReadableMultimapTable as _, ReadableTable as _, ReadableTableMetadata as _, Table,
    TableDefinition, TableError, WriteTransaction,
};

use super::{
    Digest,
    family::{Family, FamilyId},
    row,
};
use crate::log::{Fault, FileKey, LogErrorKind, Work};

/// The digest of a refresh token → its family.
const TOKENS: TableDefinition<'_, &Digest, &FamilyId> = TableDefinition::new("link_tokens");
/// The row of a family, masked.
const FAMILIES: TableDefinition<'_, &FamilyId, &[u8]> = TableDefinition::new("link_families");
/// In the order in which families expire: the holder of each.
const BY_END: TableDefinition<'_, (u64, &FamilyId), &Holder> = TableDefinition::new("link_by_end");
/// The families of each client.
const HELD: MultimapTableDefinition<'_, &Holder, (u64, &FamilyId)> =
    MultimapTableDefinition::new("link_held");

/// A digest of a client of a tenant.
type Holder = [u8; 16];

/// Checks that existing tables with these names have the right types.
pub(super) fn check(database: &Database) -> Result<(), Fault> {
    let transaction = database.begin_read()?;
    let missing = |error: TableError| match error {
        // The first link creates it.
        TableError::TableDoesNotExist(_) => Ok(()),
        error => Err(error),
    };
    transaction.open_table(TOKENS).map(drop).or_else(missing)?;
    transaction
        .open_table(FAMILIES)
        .map(drop)
        .or_else(missing)?;
    transaction.open_table(BY_END).map(drop).or_else(missing)?;
    let held = transaction.open_multimap_table(HELD).map(drop);
    held.or_else(missing)?;
    Ok(())
}

/// The family of a refresh token, as of the last commit.
pub(super) fn find(
    database: &Database,
    key: &FileKey,
    digest: &Digest,
) -> Result<Option<(FamilyId, Family)>, Fault> {
    let transaction = database.begin_read()?;
    let tokens = match transaction.open_table(TOKENS) {
        Ok(tokens) => tokens,
        Err(TableError::TableDoesNotExist(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let Some(id) = tokens.get(digest)?.map(|id| *id.value()) else {
        return Ok(None);
    };
    let families = transaction.open_table(FAMILIES)?;
    let row = families.get(&id)?;
    let row = row.ok_or(Fault::new(LogErrorKind::Corrupt))?;
    Ok(Some((id, row::read(key, row.value())?)))
}

pub(super) struct Tables<'t> {
    tokens: Table<'t, &'static Digest, &'static FamilyId>,
    families: Table<'t, &'static FamilyId, &'static [u8]>,
    by_end: Table<'t, (u64, &'static FamilyId), &'static Holder>,
    held: MultimapTable<'t, &'static Holder, (u64, &'static FamilyId)>,
}

impl<'t> Tables<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, Fault> {
        Ok(Self {
            tokens: transaction.open_table(TOKENS)?,
            families: transaction.open_table(FAMILIES)?,
            by_end: transaction.open_table(BY_END)?,
            held: transaction.open_multimap_table(HELD)?,
        })
    }

    /// The family of a refresh token.
    pub(super) fn find(
        &self,
        key: &FileKey,
        digest: &Digest,
    ) -> Result<Option<(FamilyId, Family)>, Fault> {
        match self.tokens.get(digest)?.map(|id| *id.value()) {
            Some(id) => Ok(Some((id, self.family(key, id)?))),
            None => Ok(None),
        }
    }

    fn family(&self, key: &FileKey, id: FamilyId) -> Result<Family, Fault> {
        let row = self.families.get(&id)?;
        let row = row.ok_or(Fault::new(LogErrorKind::Corrupt))?;
        row::read(key, row.value())
    }

    /// Adds a family, with all its refresh tokens.
    pub(super) fn insert(
        &mut self,
        work: &mut Work<'_>,
        id: FamilyId,
        family: &Family,
    ) -> Result<(), Fault> {
        let holder = holder(work.key(), family);
        for (digest, _) in &family.refresh_tokens {
            self.tokens.insert(digest, &id)?;
        }
        self.families.insert(&id, &*work.mask(&row::pack(family)))?;
        self.by_end.insert((family.expires, &id), &holder)?;
        self.held.insert(&holder, (family.expires, &id))?;
        work.dirty = true;
        Ok(())
    }

    /// Removes a family as it is in the file, with all its refresh tokens.
    pub(super) fn remove(
        &mut self,
        work: &mut Work<'_>,
        id: FamilyId,
        family: &Family,
    ) -> Result<(), Fault> {
        let holder = holder(work.key(), family);
        for (digest, _) in &family.refresh_tokens {
            // Another family may have taken it over.
            let is_own = self.tokens.get(digest)?.is_some_and(|it| *it.value() == id);
            if is_own {
                self.tokens.remove(digest)?;
            }
        }
        self.families.remove(&id)?;
        self.by_end.remove((family.expires, &id))?;
        self.held.remove(&holder, (family.expires, &id))?;
        work.dirty = true;
        Ok(())
    }

    /// Removes families that have expired, at most this many.
    pub(super) fn forget(
        &mut self,
        work: &mut Work<'_>,
        now: u64,
        limit: usize,
    ) -> Result<(), Fault> {
        for _ in 0..limit {
            let first = self.by_end.first()?.map(|(key, _)| {
                let (end, id) = key.value();
                (end, *id)
            });
            match first {
                Some((end, id)) if end <= now => {
                    let family = self.family(work.key(), id)?;
                    self.remove(work, id, &family)?;
                }
                _ => break,
            }
        }
        Ok(())
    }

    /// Makes room for one more family of a client: removes the one that expires first, if the
    /// client has as many as it can have, or if there is no room for any. Returns whether there is
    /// room.
    pub(super) fn make_room(
        &mut self,
        work: &mut Work<'_>,
        family: &Family,
        capacity: u64,
        quota: u64,
    ) -> Result<bool, Fault> {
        let holder = holder(work.key(), family);
        let held = self.held.get(&holder)?.len();
        if held < quota && self.families.len()? < capacity {
            return Ok(true);
        }
        let first = self.held.get(&holder)?.next().transpose()?;
        let Some(id) = first.map(|first| *first.value().1) else {
            return Ok(false);
        };
        let oldest = self.family(work.key(), id)?;
        self.remove(work, id, &oldest)?;
        Ok(true)
    }

    /// The number of families, and of refresh tokens.
    #[cfg(test)]
    pub(super) fn len(&self) -> Result<[u64; 3], Fault> {
        Ok([self.families.len()?, self.tokens.len()?, self.by_end.len()?])
    }
}

fn holder(key: &FileKey, family: &Family) -> Holder {
    let tenant = family.tenant.as_ref().or(family.iss.as_ref());
    let tenant = tenant.map(String::as_str).unwrap_or_default();
    let mut name = (tenant.len() as u64).to_le_bytes().to_vec();
    name.extend_from_slice(tenant.as_bytes());
    name.extend_from_slice(family.client_id.as_bytes());
    let digest = key.digest(&name);
    let mut holder = Holder::default();
    holder.copy_from_slice(&digest[..16]);
    holder
}
