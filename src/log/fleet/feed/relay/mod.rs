//! What a node knows for those that follow it.
//!
//! The driver of the node hands over each page of the engine, before the core gets it, and the moment
//! as of which the node is complete. Everything that the node demands of an answer before it renews
//! its own lease is in that moment, so those that follow rely on nothing else.

mod answer;
mod leaves;
mod ring;
mod shares;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep_until},
};

pub(super) use self::{answer::Busy, shares::Credential};
use self::{leaves::Leaves, ring::Ring, shares::Shares};
use super::{
    super::{
        core::NodeSettings,
        downstream::Downstream,
        driver::Clock,
        engine::{Cursor, Engine, Incarnation, Page},
    },
    question::Applied,
};
use crate::log::{LogError, Moment, NumericDate, Position};

/// At most this many questions go to the engine at once. Half of them can have the same credential.
const PASSING: usize = 16;

/// The answers that are being sent have at most this many bytes. Half of them can be for the same
/// credential.
const ANSWERS: usize = 128 * 1024 * 1024;

/// Asks the engine for the records after a cursor.
type Read = dyn Fn(Cursor) -> BoxFuture<'static, Result<Page, LogError>> + Send + Sync;

/// The part of a node that answers those that follow it.
pub(in crate::log::fleet) struct Relay {
    read: Box<Read>,
    clock: Clock,
    lease: Duration,
    /// How old what the engine says may be while nothing fails.
    delay: Box<dyn Fn() -> Duration + Send + Sync>,
    /// How long the engine has to answer.
    patience: Duration,
    /// Whether anybody may ask.
    is_on: AtomicBool,
    state: Arc<Mutex<State>>,
    /// There is something new.
    changed: watch::Sender<()>,
    passing: Shares,
    answers: Shares,
    /// One of those that follow had no more than was reported, and has more now.
    risen: Arc<Notify>,
}

#[derive(Debug)]
struct State {
    ring: Ring,
    leaves: Leaves,
    /// As of when the node is complete, and up to where.
    complete: Option<(Position, Moment)>,
    /// The latest expiry of the records that the log has removed.
    forgotten: NumericDate,
    /// Whether some member's appends wait for all members.
    report_wanted: bool,
    /// Up to which record all that follow had everything, as last reported.
    reported: Applied,
}

impl Relay {
    pub(in crate::log::fleet) fn new<E: Engine>(
        engine: Arc<E>,
        clock: Clock,
        settings: &NodeSettings,
    ) -> Self {
        let state = State {
            ring: Ring::default(),
            leaves: Leaves::default(),
            complete: None,
            forgotten: NumericDate::new(0),
            report_wanted: false,
            reported: Applied {
                incarnation: Incarnation(0),
                sequence: 0,
            },
        };
        let reading = engine.clone();
        Self {
            read: Box::new(move |after| {
                let engine = reading.clone();
                Box::pin(async move { engine.read(after).await })
            }),
            clock,
            lease: settings.lease,
            delay: Box::new(move || engine.delay()),
            patience: settings.poll_timeout(),
            is_on: AtomicBool::new(false),
            state: Arc::new(Mutex::new(state)),
            changed: watch::Sender::new(()),
            passing: Shares::new(PASSING),
            answers: Shares::new(ANSWERS),
            risen: Arc::default(),
        }
    }

    /// From now on others may follow. Without this, nothing is kept for them.
    pub(super) fn turn_on(&self) {
        self.is_on.store(true, Ordering::Release);
    }

    fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Acquire)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// How often it was looked for what all that follow have.
    #[cfg(test)]
    pub(super) fn counts(&self) -> usize {
        self.state().leaves.counts
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Downstream for Relay {
    fn polled(&self, after: Cursor, page: &Page) {
        if !self.is_on() {
            return;
        }
        let mut state = self.state();
        let before = (state.ring.head(), state.ring.incarnation());
        if state.ring.take(after, page) {
            state.complete = None;
        }
        state.forgotten = state.forgotten.max(page.forgotten);
        state.report_wanted = page.membership.report_wanted;
        let is_new = before != (state.ring.head(), state.ring.incarnation());
        drop(state);
        if is_new {
            self.changed.send_replace(());
        }
    }

    fn complete(&self, position: Position, asked: Moment) {
        if !self.is_on() {
            return;
        }
        let before = self.state().complete.replace((position, asked));
        // Who waits during a barrier is told when it has ended.
        if before.is_none_or(|(before, _)| before != position) {
            self.changed.send_replace(());
        }
    }

    fn applied(&self, of: Incarnation, own: u64) -> u64 {
        let mut state = self.state();
        let leaves = state.leaves.applied(of, Instant::now());
        let all = leaves.map_or(own, |leaves| leaves.min(own));
        state.reported = Applied {
            incarnation: of,
            sequence: all,
        };
        all
    }

    fn grown(&self) -> BoxFuture<'static, ()> {
        let (risen, state) = (self.risen.clone(), self.state.clone());
        Box::pin(async move {
            loop {
                risen.notified().await;
                // Who rises meanwhile is counted too.
                let next = lock(&state).leaves.next_count();
                if let Some(next) = next {
                    sleep_until(next).await;
                }
                let mut state = lock(&state);
                let Applied {
                    incarnation,
                    sequence,
                } = state.reported;
                let all = state.leaves.applied(incarnation, Instant::now());
                if all.is_some_and(|all| all > sequence) {
                    return;
                }
            }
        })
    }

    fn end(&self) -> bool {
        let mut state = self.state();
        state.complete = None;
        state.leaves.any(Instant::now())
    }
}
