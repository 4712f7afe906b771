//! The appends that wait, and the part of the queue that one client can use.

use std::{
    cmp::Reverse,
    collections::{HashMap, VecDeque},
    mem,
};

use super::super::{
    super::{LogError, LogErrorKind, Moment, Selector},
    engine::Batch,
};

/// At most this many callers can wait. Further ones are refused, so that they can try elsewhere.
pub(super) const QUEUE: usize = 16 * 1024;
/// At most this many of them can belong to one client.
pub(super) const QUOTA: usize = QUEUE / 16;
/// At most this many records are in one request, unless they are of one batch.
pub(super) const RECORDS: usize = 1024;

/// One caller.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) id: u64,
    pub(super) client: Option<Selector>,
    pub(super) batch: Batch,
    pub(super) since: Moment,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Waiting>,
    /// How many callers wait for their answer, those in flight included.
    callers: usize,
    clients: HashMap<Selector, usize>,
    /// Callers have just been answered. If they append again, they go with those that wait, at the next
    /// event. Else the two halves of them would wait for each other in turn.
    is_held: bool,
}

impl Queue {
    pub(super) fn put(&mut self, caller: Waiting) -> Result<(), LogError> {
        let used = caller.client.and_then(|client| self.clients.get(&client));
        if self.callers >= QUEUE || used.is_some_and(|used| *used >= QUOTA) {
            return Err(LogError::new(LogErrorKind::QueueFull));
        }
        if let Some(client) = caller.client {
            *self.clients.entry(client).or_default() += 1;
        }
        self.callers += 1;
        self.waiting.push_back(caller);
        Ok(())
    }

    /// Takes what goes with the next request. They still count as waiting.
    pub(super) fn take(&mut self) -> Vec<Waiting> {
        let mut records = 0;
        let mut count = 0;
        for caller in &self.waiting {
            // An empty batch is work, too.
            records += caller.batch.records.len().max(1);
            if count > 0 && records > RECORDS {
                break;
            }
            count += 1;
        }
        self.waiting.drain(..count).collect()
    }

    /// Puts callers back in front of those who came later.
    pub(super) fn put_back(&mut self, now: Moment, callers: impl IntoIterator<Item = Waiting>) {
        for caller in callers.into_iter().collect::<Vec<_>>().into_iter().rev() {
            self.waiting.push_front(caller);
        }
        let waiting = self.waiting.make_contiguous();
        waiting.sort_by_key(|caller| Reverse(now.since(caller.since)));
    }

    pub(super) fn front(&self) -> Option<&Waiting> {
        self.waiting.front()
    }

    pub(super) fn pop(&mut self) -> Option<Waiting> {
        self.waiting.pop_front()
    }

    /// A caller gets its answer.
    pub(super) fn leave(&mut self, caller: &Waiting) {
        self.callers -= 1;
        let Some(client) = caller.client else {
            return;
        };
        if let Some(used) = self.clients.get_mut(&client) {
            *used -= 1;
            if *used == 0 {
                self.clients.remove(&client);
            }
        }
    }

    /// Nothing is sent at this event.
    pub(super) fn hold_back(&mut self) {
        self.is_held = true;
    }

    /// Returns whether nothing is to be sent at this event. The next one sends.
    pub(super) fn take_hold(&mut self) -> bool {
        mem::take(&mut self.is_held)
    }

    pub(super) fn callers(&self) -> usize {
        self.callers
    }

    /// Whether nothing waits to be sent.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}
