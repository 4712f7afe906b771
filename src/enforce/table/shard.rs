//! The rows of one shard, for many readers and one writer at a time.
//!
//! A reader holds the lock of the rows for one look-up. A hash table that grows or shrinks moves all
//! its rows, which takes milliseconds. So a writer never lets that happen under the lock: it copies
//! the rows to another table while readers pass, and then exchanges the two. The copy lacks no row,
//! because a shard has one writer at a time.

use std::{mem, sync::PoisonError};

use hashbrown::HashTable;

use super::{
    aside,
    row::{Forever, Row, Second, Watermark},
    rows::Rows,
};
use crate::enforce::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Has cache lines of its own, so that taking one lock does not slow down another.
#[derive(Default)]
#[repr(align(64))]
pub(super) struct Shard {
    rows: RwLock<Rows>,
    /// Held by a writer from its first look at the rows to its last change.
    turn: Mutex<()>,
}

/// The only thread that can change the rows of a shard.
pub(super) struct Writer<'a> {
    shard: &'a Shard,
    _turn: MutexGuard<'a, ()>,
}

impl Shard {
    // Nothing panics while it holds one of the locks.
    pub(super) fn read(&self) -> RwLockReadGuard<'_, Rows> {
        self.rows.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the previous writer.
    pub(super) fn writer(&self) -> Writer<'_> {
        Writer {
            _turn: self.turn.lock().unwrap_or_else(PoisonError::into_inner),
            shard: self,
        }
    }
}

impl Writer<'_> {
    /// Keeps readers out until a row is merged. If it is a new one, there is room for it.
    pub(super) fn rows_with_room(&mut self, not_before: Second) -> RwLockWriteGuard<'_, Rows> {
        if not_before == Second::NEVER {
            self.make_room::<Forever>();
        } else {
            self.make_room::<Watermark>();
        }
        self.write()
    }

    /// Makes room for this many more records without a watermark.
    pub(super) fn reserve(&mut self, more: usize) {
        let rows = self.read();
        if rows.forever.capacity() - rows.forever.len() < more {
            let table = aside::with_room(&rows.forever, more);
            drop(rows);
            self.exchange(table);
        }
    }

    /// Makes room for one more row. A hash table that has no room may move its rows, even if gaps
    /// of removed rows are left.
    fn make_room<R: Row>(&mut self) {
        let rows = self.read();
        let table = R::of(&rows);
        if table.capacity() == table.len() {
            let table = aside::grown(table);
            drop(rows);
            self.exchange(table);
        }
    }

    pub(super) fn exchange<R: Row>(&mut self, table: HashTable<R>) {
        let old = mem::replace(R::of_mut(&mut self.write()), table);
        // Readers pass again. To free the memory takes longer than the exchange.
        drop(old);
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Rows> {
        self.shard.read()
    }

    /// Keeps readers out. Hold it for a few microseconds at most.
    pub(super) fn write(&mut self) -> RwLockWriteGuard<'_, Rows> {
        let rows = &self.shard.rows;
        rows.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::enforce::tag::Tag;

    /// A tag with a hash of its own.
    pub(in super::super) fn tag(number: u32) -> Tag {
        let spread = number.wrapping_mul(0x9e37_79b9);
        Tag([spread, spread.rotate_left(16), 0, number << 3])
    }

    pub(in super::super) fn merge(
        shard: &Shard,
        number: u32,
        not_before: Second,
        end: u32,
    ) -> bool {
        let mut writer = shard.writer();
        let mut rows = writer.rows_with_room(not_before);
        rows.merge(tag(number), not_before, Second(end))
    }

    #[test]
    fn shard_has_one_writer_at_a_time_and_its_readers_pass() {
        let shard = Shard::default();
        let writer = shard.writer();
        assert!(shard.turn.try_lock().is_err());
        assert!(shard.rows.try_read().is_ok());
        drop(writer);
        assert!(shard.turn.try_lock().is_ok());
    }

    #[test]
    fn room_that_is_reserved_is_not_allocated_again() {
        let shard = Shard::default();
        shard.writer().reserve(1000);
        let memory = shard.read().memory();
        for number in 0..1000 {
            assert!(merge(&shard, number, Second::NEVER, 1));
            shard.writer().reserve(0);
        }
        assert_eq!(shard.read().memory(), memory);
    }
}
