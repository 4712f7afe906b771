//! The tables of links, beside those of the log. All writes are a part of the log's own commits.

use redb::{
    AccessGuard, Database, MultimapTable, MultimapTableDefinition, ReadableDatabase as _,
    ReadableMultimapTable as _, ReadableTable as _, ReadableTableMetadata as _, Table,
    TableDefinition, TableError, WriteTransaction,
};

use super::{
    Digest,
    family::{Family, FamilyId},
    holder::{Holder, holder, subject},
    observe, row,
};
use crate::log::{Fault, FileKey, Work};

/// The digest of a refresh token → its family.
const TOKENS: TableDefinition<'_, &Digest, &FamilyId> = TableDefinition::new("link_tokens");
/// The row of a family, masked.
const FAMILIES: TableDefinition<'_, &FamilyId, &[u8]> = TableDefinition::new("link_families");
/// In the order in which families expire: the holder of each.
const BY_END: TableDefinition<'_, (u64, &FamilyId), &Holder> = TableDefinition::new("link_by_end");
/// The families of each client, and of each subject at a client.
const HELD: MultimapTableDefinition<'_, &Holder, (u64, &FamilyId)> =
    MultimapTableDefinition::new("link_held");

/// How many families there can be: in all, for one client, and for one subject at it.
#[derive(Clone, Copy)]
pub(super) struct Room {
    pub(super) capacity: u64,
    pub(super) per_client: u64,
    pub(super) per_subject: u64,
}

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
        if let Some(subject) = subject(work.key(), family) {
            self.held.insert(&subject, (family.expires, &id))?;
        }
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
        if let Some(subject) = subject(work.key(), family) {
            self.held.remove(&subject, (family.expires, &id))?;
        }
        let holder = holder(work.key(), family);
        self.held.remove(&holder, (family.expires, &id))?;
        self.remove_row(work, family.expires, id)
    }

    /// Removes a family that has this place in the order of ends, of its client or of its subject.
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
            _ => {
                let client = self.by_end.get((end, &id))?.map(|client| *client.value());
                // If its subject is unknown, its entry there stays until `count` removes it.
                for holder in [client.unwrap_or(holder), holder] {
                    self.held.remove(&holder, (end, &id))?;
                }
                self.remove_row(work, end, id)
            }
        }
    }

    fn remove_row(&mut self, work: &mut Work<'_>, end: u64, id: FamilyId) -> Result<(), Fault> {
        self.families.remove(&id)?;
        self.by_end.remove((end, &id))?;
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

    /// Makes room for one more family of a subject at a client. If the subject has as many as it can
    /// have, it removes the one of the subject that expires first. Else it removes that of the
    /// client, if the client has as many as it can have, or if there is no room for any. Returns
    /// whether there is room.
    pub(super) fn make_room(
        &mut self,
        work: &mut Work<'_>,
        family: &Family,
        room: Room,
    ) -> Result<bool, Fault> {
        if let Some(subject) = subject(work.key(), family) {
            if self.count(work, subject)? >= room.per_subject {
                return self.remove_first(work, subject);
            }
        }
        let holder = holder(work.key(), family);
        if self.count(work, holder)? < room.per_client && self.families.len()? < room.capacity {
            return Ok(true);
        }
        self.remove_first(work, holder)
    }

    /// The number of families of a client or a subject. Before it counts, it removes the entries that
    /// damaged rows have left behind. They come first, because families are removed in the order of
    /// their ends.
    fn count(&mut self, work: &mut Work<'_>, holder: Holder) -> Result<u64, Fault> {
        while let Some((end, id)) = self.first(holder)? {
            if self.by_end.get((end, &id))?.is_some() {
                break;
            }
            self.held.remove(&holder, (end, &id))?;
            work.dirty = true;
        }
        Ok(self.held.get(&holder)?.len())
    }

    /// The family of a client or a subject that expires first.
    fn first(&self, holder: Holder) -> Result<Option<(u64, FamilyId)>, Fault> {
        let first = self.held.get(&holder)?.next().transpose()?;
        Ok(first.map(|first| {
            let (end, id) = first.value();
            (end, *id)
        }))
    }

    /// Returns whether there was one.
    fn remove_first(&mut self, work: &mut Work<'_>, holder: Holder) -> Result<bool, Fault> {
        let Some((end, id)) = self.first(holder)? else {
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
