//! Who waits for the end of a token.

mod groups;
mod shard;
#[cfg(test)]
mod tests;

use std::{
    fmt, mem,
    sync::{Arc, PoisonError},
    task::{Context, Poll, Waker},
};

use self::{groups::NONE, shard::Shard};
use super::{
    sync::{AtomicU8, AtomicU32, AtomicUsize, Mutex, MutexGuard, Ordering, fence},
    tag::Tag,
};
use crate::log::{NumericDate, SelectorClass};

/// A watch goes to one of them, in turn. A record asks them all, which is cheap beside its fsync.
const SHARDS: usize = 16;

/// Why a token is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum End {
    /// A record about a selector of this class covers it. `None` if there is no record, and its
    /// introspection says that it is [revoked](crate::introspect::Claims::revoked).
    Revoked(Option<SelectorClass>),
    /// Its time is over.
    Expired,
}

impl End {
    const EXPIRED: u8 = u8::MAX;
    const REVOKED: u8 = u8::MAX - 1;

    /// None of them is 0, which is the life of a token.
    fn to_octet(self) -> u8 {
        match self {
            Self::Revoked(Some(class)) => class as u8,
            Self::Revoked(None) => Self::REVOKED,
            Self::Expired => Self::EXPIRED,
        }
    }

    fn from_octet(octet: u8) -> Option<Self> {
        match octet {
            Self::EXPIRED => return Some(Self::Expired),
            Self::REVOKED => return Some(Self::Revoked(None)),
            _ => {}
        }
        let class = SelectorClass::ALL
            .iter()
            .find(|class| **class as u8 == octet);
        class.copied().map(|class| Self::Revoked(Some(class)))
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Revoked(_) => "the token was revoked",
            Self::Expired => "the token has expired",
        })
    }
}

/// A body that was cut ends with it as its error.
impl std::error::Error for End {}

/// Everybody who waits for the end of a token: woken when it comes, and silent until then.
///
/// An idle watch is memory and nothing else: no task, no timer, and nobody asks about it. With
/// eight selectors, of which others have three as well, it is 381 octets; a test keeps it below
/// 512.
#[derive(Default)]
pub(crate) struct Watchers {
    shards: [Mutex<Shard>; SHARDS],
    turn: AtomicUsize,
    len: AtomicUsize,
}

impl Watchers {
    /// Waits for the end of a token. **Ask the index once more afterwards**, and
    /// [`end`](Watch::end) the watch if it says so: the record may have come in between.
    pub(crate) fn watch(
        self: &Arc<Self>,
        tags: impl Iterator<Item = Tag>,
        iat: Option<NumericDate>,
        exp: Option<NumericDate>,
    ) -> Watch {
        let tags: Vec<Tag> = tags.collect();
        let shard = self.turn.fetch_add(1, Ordering::Relaxed) % SHARDS;
        self.len.fetch_add(1, Ordering::Relaxed);
        let state = Arc::new(State {
            watchers: self.clone(),
            shard,
            seat: AtomicU32::new(NONE),
            end: AtomicU8::new(0),
            waiting: Mutex::default(),
        });
        let seat = lock(&self.shards[shard]).enter(
            &Arc::downgrade(&state),
            &tags,
            // Any record covers what does not say when it was issued.
            iat.unwrap_or(NumericDate::new(0)),
            exp.unwrap_or(NumericDate::FOREVER),
        );
        state.seat.store(seat, Ordering::Relaxed);
        // Either the record's writer sees that somebody is here, or the index that is asked next
        // has the record. The other half is in `is_empty`.
        fence(Ordering::SeqCst);
        Watch { state, slot: None }
    }

    /// Whether nobody waits. **Ask once the record is in the index**, not before.
    pub(crate) fn is_empty(&self) -> bool {
        fence(Ordering::SeqCst);
        self.len.load(Ordering::Relaxed) == 0
    }

    /// A record has come, and the index has it: everybody whose token it covers is woken.
    pub(crate) fn revoked(&self, tag: Tag, not_before: NumericDate) {
        for shard in &self.shards {
            let mut those = Vec::new();
            lock(shard).revoked(tag, not_before, &mut those);
            for state in those {
                state.end(End::Revoked(Some(tag.class())));
            }
        }
    }

    /// Everybody whose token is over by now is woken, once.
    pub(crate) fn expired(&self, now: NumericDate) {
        for shard in &self.shards {
            let mut those = Vec::new();
            lock(shard).expired(now, &mut those);
            for state in those {
                state.end(End::Expired);
            }
        }
    }

    /// How many tokens are watched.
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

/// Waits for the end of one token. It is over when the last clone is dropped.
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
    waiting: Mutex<Vec<Option<Waker>>>,
}

impl Watch {
    /// Why the token is over, if it is.
    pub(crate) fn ended(&self) -> Option<End> {
        self.state.ended()
    }

    /// Waits for that.
    pub(crate) fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        if let Some(end) = self.ended() {
            return Poll::Ready(end);
        }
        // Wakers are other people's code: they are cloned and dropped outside of the lock.
        let waker = cx.waker().clone();
        let mut waiting = lock(&self.state.waiting);
        if let Some(end) = self.ended() {
            drop(waiting);
            return Poll::Ready(end);
        }
        let slot = self.slot.unwrap_or_else(|| free(&mut waiting));
        self.slot = Some(slot);
        let former = waiting[slot].replace(waker);
        drop(waiting);
        drop(former);
        Poll::Pending
    }

    /// The token is over, as somebody else has found out. The first reason stays.
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
            let waker = lock(&self.state.waiting)
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
        End::from_octet(self.end.load(Ordering::Acquire))
    }

    fn end(&self, end: End) {
        let octet = end.to_octet();
        let first = self
            .end
            .compare_exchange(0, octet, Ordering::AcqRel, Ordering::Relaxed);
        if first.is_ok() {
            let waiting = mem::take(&mut *lock(&self.waiting));
            waiting.into_iter().flatten().for_each(Waker::wake);
        }
    }
}

/// Here, and not in `Watch`: a record that comes at this moment may hold the last clone.
impl Drop for State {
    fn drop(&mut self) {
        let seat = *self.seat.get_mut();
        lock(&self.watchers.shards[self.shard]).leave(seat);
        self.watchers.len.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A slot that no clone has.
fn free(waiting: &mut Vec<Option<Waker>>) -> usize {
    waiting.iter().position(Option::is_none).unwrap_or_else(|| {
        // There is one clone, or two.
        waiting.reserve_exact(1);
        waiting.push(None);
        waiting.len() - 1
    })
}

/// Nothing here panics half way.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
