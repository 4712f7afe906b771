//! What a node knows for those that follow it.
//!
//! The driver of the node hands over each page of the engine, before the core gets it, and the moment
//! as of which the node is complete. Everything that the node demands of an answer before it renews
//! its own lease is in that moment, so those that follow rely on nothing else.

mod leaves;
mod ring;

use std::{
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::future::BoxFuture;
use tokio::{
    sync::{Notify, Semaphore, watch},
    time::{Instant, timeout, timeout_at},
};

use self::{
    leaves::{Leaves, Listing},
    ring::Ring,
};
use super::{
    super::{
        core::NodeSettings,
        downstream::Downstream,
        driver::Clock,
        engine::{Ask, Cursor, Engine, History, Incarnation, Membership, Page},
    },
    codec::{LONGEST_PAGE, Packed, encode, pack},
    question::Question,
};
use crate::log::{LogError, Moment, NumericDate, Position};

/// At most this many questions go to the engine at once.
const PASSING: usize = 8;

/// Asks the engine for the records after a cursor.
type Poll = dyn Fn(Cursor) -> BoxFuture<'static, Result<Page, LogError>> + Send + Sync;

/// The part of a node that answers those that follow it.
pub(in crate::log::fleet) struct Relay {
    poll: Box<Poll>,
    clock: Clock,
    lease: Duration,
    /// How long the engine has to answer.
    patience: Duration,
    /// Whether anybody may ask.
    is_on: AtomicBool,
    state: Mutex<State>,
    /// There is something new.
    changed: watch::Sender<()>,
    passing: Semaphore,
    /// All that follow have more than was reported.
    grown: Arc<Notify>,
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
    reported: u64,
}

/// Why a question gets no answer now.
#[derive(Debug)]
pub(super) enum Busy {
    /// Too many leaves follow.
    Leaves,
    /// Too many ask for what is not in memory.
    Snapshots,
    Engine,
}

/// What the memory of a relay says to a question.
enum Look {
    Found(Page, Vec<Packed>),
    /// The leaf has more than the relay, which is usual after it has asked another relay.
    Ahead,
    Unknown,
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
            reported: 0,
        };
        Self {
            poll: Box::new(move |after| {
                let engine = engine.clone();
                let ask = Ask {
                    after,
                    member: 0,
                    report: None,
                    silent: Vec::new(),
                };
                Box::pin(async move { engine.poll(ask).await })
            }),
            clock,
            lease: settings.lease,
            patience: settings.poll_timeout(),
            is_on: AtomicBool::new(false),
            state: Mutex::new(state),
            changed: watch::Sender::new(()),
            passing: Semaphore::new(PASSING),
            grown: Arc::default(),
        }
    }

    /// From now on others may follow. Without this, nothing is kept for them.
    pub(super) fn turn_on(&self) {
        self.is_on.store(true, Ordering::Release);
    }

    fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Acquire)
    }

    /// Answers a question, at once if there is something new, and otherwise after its wait.
    pub(super) async fn answer(&self, question: &Question) -> Result<Bytes, Busy> {
        let mut changed = self.changed.subscribe();
        let now = Instant::now();
        let is_listed = self.hear(question, now)?;
        let deadline = now + question.wait.min(self.lease / 5);
        let (mut barrier, mut is_over) = (None, false);
        loop {
            match self.look(question, is_listed) {
                Look::Found(page, records) => {
                    let had_barrier = *barrier.get_or_insert(page.membership.barrier);
                    let is_news = !records.is_empty()
                        || !is_listed
                        || had_barrier && !page.membership.barrier
                        || question.after.map(|after| after.0) != Some(page.incarnation);
                    if is_news || is_over {
                        return Ok(encode(&page, self.lease, &records));
                    }
                }
                Look::Ahead if !is_over => {}
                Look::Ahead | Look::Unknown => return self.pass(question, is_listed).await,
            }
            let changed = pin!(changed.changed());
            is_over = timeout_at(deadline, changed).await.is_err();
        }
    }

    /// Takes down what the leaf says of itself. Returns whether it was listed before.
    fn hear(&self, question: &Question, now: Instant) -> Result<bool, Busy> {
        // Its lease counts from before now, by a clock that may be slower.
        let lease = self.lease.mul_f64(1.02);
        let Question {
            member, applied, ..
        } = *question;
        let mut state = self.state();
        let listing = state.leaves.heard(member, applied, now, lease);
        if let (Some(applied), true) = (applied, state.report_wanted) {
            let all = state.leaves.applied(applied.incarnation, now);
            if all.is_some_and(|all| all > state.reported) {
                self.grown.notify_one();
            }
        }
        match listing {
            Listing::Before => Ok(true),
            Listing::New => Ok(false),
            Listing::Full => Err(Busy::Leaves),
        }
    }

    fn look(&self, question: &Question, listed: bool) -> Look {
        let state = self.state();
        let (Some(incarnation), Some(head)) = (state.ring.incarnation(), state.ring.head()) else {
            return Look::Unknown;
        };
        let after = question.after.map(|(_, after)| after).unwrap_or_default();
        let Some(tail) = state.ring.after(after) else {
            let is_ahead = question
                .after
                .is_some_and(|(of, after)| of == incarnation && after.sequence > head.sequence);
            return if is_ahead { Look::Ahead } else { Look::Unknown };
        };
        // The ring has everything that the node had at that moment, or else it says nothing.
        let complete = state.complete.filter(|(position, _)| {
            position.epoch == incarnation.0 && position.sequence <= head.sequence
        });
        let age = complete.map(|(_, asked)| (self.clock)().since(asked));
        let page = Page {
            incarnation,
            history: History::Same,
            upto: tail.upto,
            records: Vec::new(),
            more: tail.more,
            forgotten: state.forgotten,
            membership: Membership {
                was_listed: listed,
                barrier: age.is_none(),
                report_wanted: state.report_wanted,
                members: Vec::new(),
            },
            age: age.unwrap_or(Duration::MAX),
            engine_now: None,
        };
        Look::Found(page, tail.records)
    }

    /// Asks the engine.
    async fn pass(&self, question: &Question, listed: bool) -> Result<Bytes, Busy> {
        let _ticket = self.passing.try_acquire().map_err(|_| Busy::Snapshots)?;
        let after = question.after.map(|(_, after)| after).unwrap_or_default();
        let asked = timeout(self.patience, (self.poll)(after)).await;
        let mut page = asked.map_err(|_| Busy::Engine)?.map_err(|_| Busy::Engine)?;
        if page.records.len() > LONGEST_PAGE {
            return Err(Busy::Engine);
        }
        page.membership.was_listed = listed;
        // An old engine may not know that it has been replaced. The node knows.
        page.membership.barrier |= self.state().ring.incarnation() != Some(page.incarnation);
        let records: Vec<_> = page.records.iter().map(pack).collect();
        Ok(encode(&page, self.lease, &records))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
        state.reported = all;
        all
    }

    fn grown(&self) -> BoxFuture<'static, ()> {
        let grown = self.grown.clone();
        Box::pin(async move { grown.notified().await })
    }

    fn any(&self) -> bool {
        self.state().leaves.any(Instant::now())
    }
}
