//! Who waits for the end of a token?
//!
//! # Design
//!
//! **What it holds.** A [`Watch`] waits for the end of one token: a record that covers any selector
//! of the token, or the token's `exp`. [`Watchers`] finds the watches of a record without a search:
//! for each selector that some watch waits for, a shard keeps a list of the watches. Another list
//! for each second keeps the watches that expire then.
//!
//! ```text
//! Watchers ─ 16 × Mutex<Shard>          a watch is in one shard, in turn
//!   Shard
//!     seats:  Slab<Seat>                one for each watch: Weak<State>, iat, exp, 10 links
//!     groups: tag → first link          HashTable<u32> over a Slab<Group>
//!     due:    second → first link       BTreeMap
//! Watch ─ Arc<State>                    one State for all clones: the end, and one waker a clone
//! ```
//!
//! The ten links of a seat are in ten doubly linked lists: nine selectors, which is as many as a
//! token has, and the expiry. A token with more selectors gets more seats. A link is a number: the
//! seat times ten plus the place in the seat. The previous link of a first link names its group, so
//! that removing a watch searches nothing either.
//!
//! **Why so.** Hundreds of thousands of streams wait at once, and nearly none of them ends early.
//! So an idle watch has no task and no timer, and nothing polls it. A map from selectors to lists
//! of watches would allocate a `Vec` for each selector, and would search that of a client with
//! 100,000 streams for each stream that ends. Linked lists in one slab allocate nothing for an
//! entry and remove it in constant time.
//!
//! **Memory.** With eight selectors, of which the token shares three with others, a watch takes
//! less than 512 bytes, which a test checks. This is why the slabs grow by an eighth instead of
//! doubling. A shard without watches gives its memory back.
//!
//! **The races.**
//!
//! 1. *A record comes while a watch starts.* The caller of [`Watchers::watch`] checks the index
//!    again afterwards. The writer of the record puts it into the index first and calls
//!    [`Watchers::is_empty`] then. A sequentially consistent fence on both sides makes sure that
//!    the writer sees the watch, or the caller sees the record, or both.
//! 2. *A record comes while a waker is registered.* [`Watch::poll_ended`] checks for the end again
//!    under the lock of the wakers, and [`State::end`] stores the end before it takes that lock.
//! 3. *A watch is dropped while a record comes.* A shard holds weak references. The writer upgrades
//!    them under the lock of the shard and wakes them without it, so it may hold the last reference
//!    of a `State`. So `State`, not `Watch`, leaves the shard when it is dropped, and it is never
//!    dropped under the lock of its shard.
//! 4. *Two ends come.* The first one stays.
//!
//! Wakers run other people's code, so they are cloned, woken and dropped without a lock. The tests
//! in `index/interleavings.rs` run races 1 to 3 in many orders.

mod end;
mod groups;
mod shard;
#[cfg(test)]
mod tests;

use std::{
    fmt, mem,
    sync::{Arc, PoisonError},
    task::{Context, Poll, Waker},
};

pub use self::end::End;
use self::{groups::NONE, shard::Shard};
use super::{
    sync::{AtomicU8, AtomicU32, AtomicUsize, Mutex, MutexGuard, Ordering, fence},
    tag::Tag,
};
use crate::log::NumericDate;

/// A record is looked up in every shard. That is cheap beside its fsync.
const SHARDS: usize = 16;

/// Everything that waits for the end of a token.
#[derive(Default)]
pub(crate) struct Watchers {
    shards: [Mutex<Shard>; SHARDS],
    next_shard: AtomicUsize,
    len: AtomicUsize,
}

impl Watchers {
    /// Starts to wait for the end of a token. **Check the index again afterwards**, and
    /// [end](Watch::end) the watch if a record covers the token: it may have come in between.
    pub(crate) fn watch(
        self: &Arc<Self>,
        tags: impl Iterator<Item = Tag>,
        iat: Option<NumericDate>,
        exp: Option<NumericDate>,
    ) -> Watch {
        let tags: Vec<Tag> = tags.collect();
        let shard = self.next_shard.fetch_add(1, Ordering::Relaxed) % SHARDS;
        self.len.fetch_add(1, Ordering::Relaxed);
        let state = Arc::new(State {
            watchers: self.clone(),
            shard,
            seat: AtomicU32::new(NONE),
            end: AtomicU8::new(0),
            wakers: Mutex::default(),
        });
        let seat = lock(&self.shards[shard]).enter(
            &Arc::downgrade(&state),
            &tags,
            // Every record covers a token that was issued at an unknown time.
            iat.unwrap_or(NumericDate::new(0)),
            exp.unwrap_or(NumericDate::FOREVER),
        );
        state.seat.store(seat, Ordering::Relaxed);
        // Race 1. The other fence is in `is_empty`.
        fence(Ordering::SeqCst);
        Watch { state, slot: None }
    }

    /// Whether there are no watches. **Call this once the record is in the index**, not before.
    pub(crate) fn is_empty(&self) -> bool {
        fence(Ordering::SeqCst);
        self.len.load(Ordering::Relaxed) == 0
    }

    /// Ends and wakes every watch whose token a new record covers. The index must have the record.
    pub(crate) fn revoked(&self, tag: Tag, not_before: NumericDate) {
        for shard in &self.shards {
            let mut states = Vec::new();
            lock(shard).revoked(tag, not_before, &mut states);
            for state in states {
                state.end(End::Revoked(Some(tag.class())));
            }
        }
    }

    /// Ends and wakes every watch whose token has expired by `now`, once.
    pub(crate) fn expired(&self, now: NumericDate) {
        for shard in &self.shards {
            let mut states = Vec::new();
            lock(shard).expired(now, &mut states);
            for state in states {
                state.end(End::Expired);
            }
        }
    }

    /// The number of watches.
    pub(crate) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Watchers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchers")
            .field("len", &self.len())
            .finish()
    }
}

/// Waits for the end of one token. The watch ends when the last clone is dropped.
///
/// Each clone may be polled by a task of its own.
pub(crate) struct Watch {
    state: Arc<State>,
    /// Where the waker of this clone is.
    slot: Option<usize>,
}

struct State {
    watchers: Arc<Watchers>,
    shard: usize,
    seat: AtomicU32,
    end: AtomicU8,
    wakers: Mutex<Vec<Option<Waker>>>,
}

impl Watch {
    /// Why the token has ended, if it has.
    pub(crate) fn ended(&self) -> Option<End> {
        self.state.ended()
    }

    /// Waits for the end of the token.
    pub(crate) fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        if let Some(end) = self.ended() {
            return Poll::Ready(end);
        }
        let waker = cx.waker().clone();
        let mut wakers = lock(&self.state.wakers);
        // Race 2.
        if let Some(end) = self.ended() {
            drop(wakers);
            return Poll::Ready(end);
        }
        let slot = self.slot.unwrap_or_else(|| free(&mut wakers));
        self.slot = Some(slot);
        let former = wakers[slot].replace(waker);
        drop(wakers);
        drop(former);
        Poll::Pending
    }

    /// Ends the watch, unless it has ended already.
    pub(crate) fn end(&self, end: End) {
        self.state.end(end);
    }
}

impl Clone for Watch {
    fn clone(&self) -> Self {
        Self {
            state: self.state.clone(),
            slot: None,
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(slot) = self.slot {
            let waker = lock(&self.state.wakers)
                .get_mut(slot)
                .and_then(Option::take);
            drop(waker);
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watch").field(&self.ended()).finish()
    }
}

impl State {
    fn ended(&self) -> Option<End> {
        End::from_byte(self.end.load(Ordering::Acquire))
    }

    fn end(&self, end: End) {
        let byte = end.to_byte();
        let first = self
            .end
            .compare_exchange(0, byte, Ordering::AcqRel, Ordering::Relaxed);
        if first.is_ok() {
            let wakers = mem::take(&mut *lock(&self.wakers));
            wakers.into_iter().flatten().for_each(Waker::wake);
        }
    }
}

/// Not in `Watch`: see race 3.
impl Drop for State {
    fn drop(&mut self) {
        let seat = self.seat.load(Ordering::Relaxed);
        lock(&self.watchers.shards[self.shard]).leave(seat);
        self.watchers.len.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A slot that no clone uses.
fn free(wakers: &mut Vec<Option<Waker>>) -> usize {
    wakers.iter().position(Option::is_none).unwrap_or_else(|| {
        // Usually there are one or two clones.
        wakers.reserve_exact(1);
        wakers.push(None);
        wakers.len() - 1
    })
}

/// Nothing panics while it holds one of these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
