//! The sightings of a part of all subjects.

use std::sync::Arc;

use hashbrown::HashTable;

use super::{
    observe::Dropped,
    row::{Row, Source},
    sighting::Sighting,
};
use crate::log::{NumericDate, Selector};

/// The sightings of some subjects. Aligned, so that the locks of two shards are not in one cache line.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Shard {
    groups: HashTable<Group>,
    /// The sources of the rows, each once, with its hash.
    sources: HashTable<(u64, Arc<Source>)>,
}

/// The sightings of one subject. There is at least one.
#[derive(Debug)]
pub(super) struct Group {
    hash: u64,
    subject: Box<str>,
    rows: Vec<Row>,
}

/// Whose row is added.
pub(super) struct Owner<'a> {
    pub(super) hash: u64,
    pub(super) subject: &'a str,
    pub(super) source: Source,
    pub(super) hash_of_source: u64,
}

/// Which rows count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Period {
    /// Tokens that expire until now are over.
    pub(super) now: NumericDate,
    /// Tokens that were last used before this are over.
    pub(super) used_since: NumericDate,
}

/// What happened when a row was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Added {
    /// The table has one more. Its place was reserved.
    More,
    /// Rows of the subject that are over were removed, this many.
    InsteadOf(usize),
    /// The row of the subject that was not used for the longest time was removed.
    InsteadOfTheOldest(Dropped),
    /// There is no room.
    Not(Dropped),
}

impl Shard {
    /// Adds a row. `reserve` takes a place in the whole table, if there is one.
    pub(super) fn add(
        &mut self,
        owner: Owner<'_>,
        per_subject: usize,
        period: Period,
        row: impl FnOnce(Arc<Source>) -> Row,
        reserve: impl FnOnce() -> bool,
    ) -> Added {
        let Owner {
            hash,
            subject,
            source,
            hash_of_source,
        } = owner;
        let is_same = |it: &Group| it.is_of(source.tenant.as_deref(), subject);
        let Some(group) = self.groups.find_mut(hash, is_same) else {
            if !reserve() {
                return Added::Not(Dropped::Full);
            }
            let row = row(shared(&mut self.sources, hash_of_source, source));
            let group = Group {
                hash,
                subject: subject.into(),
                rows: vec![row],
            };
            self.groups.insert_unique(hash, group, |it| it.hash);
            return Added::More;
        };
        let row = row(shared(&mut self.sources, hash_of_source, source));
        let over = group.remove_over(period);
        if over > 0 {
            group.push(row);
            Added::InsteadOf(over)
        } else if group.rows.len() >= per_subject {
            group.replace_oldest(row);
            Added::InsteadOfTheOldest(Dropped::Subject)
        } else if reserve() {
            group.push(row);
            Added::More
        } else {
            group.replace_oldest(row);
            Added::InsteadOfTheOldest(Dropped::Full)
        }
    }

    /// Removes the rows that are over, and returns how many.
    pub(super) fn sweep(&mut self, period: Period) -> usize {
        let mut removed = 0;
        self.groups.retain(|group| {
            removed += group.remove_over(period);
            !group.rows.is_empty()
        });
        self.sources.retain(|(_, it)| Arc::strong_count(it) > 1);
        self.groups.shrink_to(2 * self.groups.len(), |it| it.hash);
        removed
    }

    pub(super) fn group(&self, hash: u64, tenant: Option<&str>, subject: &str) -> Option<&Group> {
        self.groups.find(hash, |it| it.is_of(tenant, subject))
    }

    pub(super) fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter()
    }
}

/// The source in the table that equals this one.
fn shared(sources: &mut HashTable<(u64, Arc<Source>)>, hash: u64, source: Source) -> Arc<Source> {
    if let Some((_, known)) = sources.find(hash, |(_, it)| **it == source) {
        return known.clone();
    }
    let new = Arc::new(source);
    sources.insert_unique(hash, (hash, new.clone()), |(hash, _)| *hash);
    new
}

impl Group {
    fn is_of(&self, tenant: Option<&str>, subject: &str) -> bool {
        *self.subject == *subject && self.tenant() == tenant
    }

    pub(super) fn subject(&self) -> &str {
        &self.subject
    }

    /// All rows are of one tenant.
    pub(super) fn tenant(&self) -> Option<&str> {
        self.rows.first()?.source.tenant.as_deref()
    }

    /// The row of a token.
    pub(super) fn row(&self, identity: &Selector) -> Option<&Row> {
        self.rows.iter().find(|row| row.is_of(identity))
    }

    /// Those that are not over.
    pub(super) fn rows(&self, period: Period) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| !row.is_over(period))
    }

    pub(super) fn sighting(&self, row: &Row) -> Sighting {
        Sighting::of(row, &self.subject)
    }

    fn remove_over(&mut self, period: Period) -> usize {
        let before = self.rows.len();
        self.rows.retain(|row| !row.is_over(period));
        before - self.rows.len()
    }

    fn push(&mut self, row: Row) {
        if self.rows.len() == self.rows.capacity() {
            // Most subjects have few rows, and a row is large.
            self.rows.reserve_exact(1 + self.rows.len() / 4);
        }
        self.rows.push(row);
    }

    fn replace_oldest(&mut self, row: Row) {
        let oldest = self.rows.iter_mut().min_by_key(|row| row.last_use());
        if let Some(oldest) = oldest {
            *oldest = row;
        }
    }
}
