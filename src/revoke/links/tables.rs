//! The tables of links, beside those of the log. All writes are a part of the log's own commits.

use redb::{
    AccessGuard, Database, MultimapTable, MultimapTableDefinition, ReadableDatabase as _,
    ReadableMultimapTable as _, ReadableTable as _, ReadableTableMetadata as _, Table,
    TableDefinition, TableError, WriteTransaction,
};

use super::{
    Digest,
    family::{Family, FamilyId},
    observe, row,
};
use crate::log::{Fault, FileKey, Work};

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

/// What the tables know about a refresh token.
pub(super) enum Found {
    Family(FamilyId, Box<Family>),
    Nothing,
    /// It is of a family whose row cannot be read. Nothing relies on such a row: the token counts
    /// as one that no link knows.
    Damaged,
}

/// The family of a refresh token, as of the last commit.
pub(super) fn find(database: &Database, key: &FileKey, digest: &Digest) -> Result<Found, Fault> {
    let transaction = database.begin_read()?;
    let tokens = match transaction.open_table(TOKENS) {
        Ok(tokens) => tokens,
        Err(TableError::TableDoesNotExist(_)) => return Ok(Found::Nothing),
        Err(error) => return Err(error.into()),
    };
    let Some(id) = tokens.get(digest)?.map(|id| *id.value()) else {
        return Ok(Found::Nothing);
    };
    let families = transaction.open_table(FAMILIES)?;
    let family = read(key, families.get(&id)?);
    Ok(family.map_or(Found::Damaged, |family| Found::Family(id, family.into())))
}

/// Reads a row, and reports a damaged or missing one.
fn read(key: &FileKey, row: Option<AccessGuard<'_, &[u8]>>) -> Option<Family> {
    let family = row.and_then(|row| row::read(key, row.value()));
    if family.is_none() {
        observe::damaged();
    }
    family
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
    pub(super) fn find(&self, key: &FileKey, digest: &Digest) -> Result<Found, Fault> {
        let Some(id) = self.tokens.get(digest)?.map(|id| *id.value()) else {
            return Ok(Found::Nothing);
        };
        let family = read(key, self.families.get(&id)?);
        Ok(family.map_or(Found::Damaged, |family| Found::Family(id, family.into())))
    }

    /// Adds a family, with all its refresh tokens.
    pub(super) fn insert(
        &mut self,
        work: &mut Work<'_>,
        id: FamilyId,
        family: &Family,
    ) -> Result<(), Fault> {
        let holder = holder(work.key(), family);
        for token in &family.refresh_tokens {
            self.tokens.insert(&token.name.digest, &id)?;
        }
        let row = row::pack(work.key(), family);
        self.families.insert(&id, &*work.mask(&row))?;
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
        for token in &family.refresh_tokens {
            self.tokens.remove(&token.name.digest)?;
        }
        let holder = holder(work.key(), family);
        self.remove_row(work, family.expires, id, holder)
    }

    /// Removes a family that has this place in the order of ends.
    fn remove_at(
        &mut self,
        work: &mut Work<'_>,
        end: u64,
        id: FamilyId,
        holder: Holder,
    ) -> Result<(), Fault> {
        let family = read(work.key(), self.families.get(&id)?);
        match family {
            Some(family) if family.expires == end => self.remove(work, id, &family),
            // The row does not say which refresh tokens it has. They point to no row then.
            _ => self.remove_row(work, end, id, holder),
        }
    }

    fn remove_row(
        &mut self,
        work: &mut Work<'_>,
        end: u64,
        id: FamilyId,
        holder: Holder,
    ) -> Result<(), Fault> {
        self.families.remove(&id)?;
        self.by_end.remove((end, &id))?;
        self.held.remove(&holder, (end, &id))?;
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
            let first = self.by_end.first()?.map(|(key, holder)| {
                let (end, id) = key.value();
                (end, *id, *holder.value())
            });
            match first {
                Some((end, id, holder)) if end <= now => self.remove_at(work, end, id, holder)?,
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
        let first = first.map(|first| {
            let (end, id) = first.value();
            (end, *id)
        });
        let Some((end, id)) = first else {
            return Ok(false);
        };
        self.remove_at(work, end, id, holder)?;
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
