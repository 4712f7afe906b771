//! The parts of the table, their locks, and its limits.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{
        PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use super::{
    observe::{Counts, number},
    row::Source,
    shard::{Period, Shard},
    sweeper::Sweeper,
};
use crate::log::NumericDate;

/// The table, in parts. The subject of a token decides in which part it is.
pub(super) struct Table {
    shards: Box<[RwLock<Shard>]>,
    hasher: RandomState,
    /// The number of rows, and of places that are reserved for them.
    pub(super) rows: AtomicUsize,
    pub(super) capacity: AtomicUsize,
    pub(super) per_subject: AtomicUsize,
    /// In seconds.
    pub(super) idle_after: AtomicU64,
    pub(super) since: NumericDate,
    pub(super) dropped: Counts,
    pub(super) sweeper: Sweeper,
}

const SHARDS: usize = 64;

impl Table {
    pub(super) fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            hasher: RandomState::new(),
            rows: AtomicUsize::new(0),
            capacity: AtomicUsize::new(100_000),
            per_subject: AtomicUsize::new(100),
            idle_after: AtomicU64::new(30 * 24 * 60 * 60),
            since: NumericDate::now(),
            dropped: Counts::default(),
            sweeper: Sweeper::default(),
        }
    }

    /// The hash of a subject of a tenant, with a key of this process.
    pub(super) fn hash(&self, tenant: Option<&str>, subject: &str) -> u64 {
        self.hasher.hash_one((tenant, subject))
    }

    pub(super) fn hash_of_source(&self, source: &Source) -> u64 {
        self.hasher.hash_one(source)
    }

    fn shard(&self, hash: u64) -> &RwLock<Shard> {
        // The table inside a shard uses the lowest and the highest bits.
        &self.shards[usize::try_from(hash >> 32).unwrap_or_default() % SHARDS]
    }

    /// The part of a subject. It waits for a writer.
    pub(super) fn part(&self, hash: u64) -> RwLockReadGuard<'_, Shard> {
        let shard = self.shard(hash).read();
        shard.unwrap_or_else(PoisonError::into_inner)
    }

    /// All parts, one after the other.
    pub(super) fn parts(&self) -> impl Iterator<Item = RwLockReadGuard<'_, Shard>> {
        let shards = self.shards.iter();
        shards.map(|shard| shard.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// `None` if somebody writes.
    pub(super) fn try_read(&self, hash: u64) -> Option<RwLockReadGuard<'_, Shard>> {
        match self.shard(hash).try_read() {
            Ok(shard) => Some(shard),
            Err(TryLockError::Poisoned(shard)) => Some(shard.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// `None` if somebody reads or writes.
    pub(super) fn try_write(&self, hash: u64) -> Option<RwLockWriteGuard<'_, Shard>> {
        match self.shard(hash).try_write() {
            Ok(shard) => Some(shard),
            Err(TryLockError::Poisoned(shard)) => Some(shard.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    pub(super) fn period(&self, now: NumericDate) -> Period {
        let idle = self.idle_after.load(Ordering::Relaxed);
        Period {
            now,
            used_since: NumericDate::new(now.seconds().saturating_sub(idle)),
        }
    }

    /// Takes a place for a row, if there is one.
    pub(super) fn reserve(&self) -> bool {
        let capacity = self.capacity.load(Ordering::Relaxed);
        let one_more = |rows: usize| (rows < capacity).then_some(rows + 1);
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        self.rows.fetch_update(set, fetch, one_more).is_ok()
    }

    /// These rows are gone.
    pub(super) fn gone(&self, rows: usize) {
        self.rows.fetch_sub(rows, Ordering::Relaxed);
    }

    pub(super) fn sweep(&self, now: NumericDate) {
        let period = self.period(now);
        for shard in &self.shards {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            self.gone(shard.sweep(period));
        }
        number(self.rows.load(Ordering::Relaxed));
    }
}
