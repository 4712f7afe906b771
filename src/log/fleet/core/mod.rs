//! What one node of a fleet does, without any IO.
//!
//! The driver of a node carries out what the core asks for, and tells it what happened. The core
//! reads no clock and draws no random numbers, so a test can try every order of events.
//!
//! * Only the answer to a poll says that a node knows everything, and as of the moment at which the
//!   poll was sent. Records alone say nothing: they may be old.
//! * After a loss the node reads everything again and keeps what it knows. Readers only merge.
//! * An append is sent again until its outcome is known, or until its callers have waited long
//!   enough.

mod acks;
mod appends;
mod clock;
mod contact;
mod healing;
mod hints;
mod incarnations;
mod members;
mod messages;
mod missed;
mod polls;
mod progress;
mod queue;
mod random;
mod recall;
mod state;
#[cfg(test)]
pub(super) mod tests;
mod timer;
mod trail;
mod watch;
mod window;

use self::{appends::Appends, incarnations::Seen, polls::Polls, queue::Waiting, state::State};
pub(crate) use self::{
    clock::ClockOffset,
    members::with_drift,
    messages::{Action, Event, NodeSettings, Status},
    progress::Progress,
};
use super::{
    super::{Moment, Selector},
    engine::{Batch, Cursor, Incarnation},
    kept::Found,
};

#[derive(Clone, Debug)]
pub(crate) struct Core {
    /// The time of the last event.
    now: Moment,
    polls: Polls,
    appends: Appends,
    state: State,
}

impl Core {
    /// Makes the core of a node that knows nothing. It polls at the first event.
    pub(crate) fn new(settings: &NodeSettings, now: Moment) -> Self {
        Self {
            now,
            polls: Polls::new(now, settings),
            appends: Appends::new(settings),
            state: State::new(settings),
        }
    }

    /// The node has a copy of the log on its disk.
    pub(crate) fn resume(&mut self, found: Found) {
        self.polls.resume(found.cursor.unwrap_or_default());
        self.state.healing.resume(found);
    }

    #[cfg(test)]
    pub(crate) fn remember_at_most(&mut self, records: usize) {
        self.state.healing.remember_at_most(records);
    }

    /// The incarnation in which the log has everything that this node remembers. `None` while it may
    /// lack something.
    pub(crate) fn whole(&self) -> Option<Incarnation> {
        self.state.healing.whole()
    }

    /// How many polls were sent.
    pub(crate) fn polls(&self) -> u64 {
        self.state.polls
    }

    /// The number of the last poll whose answer has shown the end of the log.
    pub(crate) fn looked(&self) -> u64 {
        self.polls.looked
    }

    /// The node has every record up to here.
    pub(crate) fn cursor(&self) -> Cursor {
        self.polls.cursor
    }

    /// Whether the node may go on from a cursor of this incarnation. One that starts asks whether the
    /// log has it.
    pub(crate) fn knows(&self, incarnation: Incarnation) -> bool {
        self.state.incarnations.may_be_current(incarnation)
    }

    /// The number of this node among the members.
    pub(crate) fn member(&self) -> u64 {
        self.state.members.me
    }

    /// An append that goes with the one of the next [`Event::Append`].
    pub(crate) fn put(
        &mut self,
        now: Moment,
        id: u64,
        client: Option<Selector>,
        batch: Batch,
    ) -> Vec<Action> {
        let mut actions = Vec::new();
        let caller = Waiting {
            id,
            client,
            batch,
            since: now,
        };
        self.appends.put(caller, &mut actions);
        actions
    }

    /// Returns what to do, in this order. After [`Event::Committed`], another event has to follow soon.
    pub(crate) fn on_event(&mut self, now: Moment, event: Event) -> Vec<Action> {
        self.now = now;
        let Self {
            polls,
            appends,
            state,
            ..
        } = self;
        let mut actions = Vec::new();
        match event {
            Event::Timer => {}
            Event::Hint => polls.hint(),
            Event::Report => {
                state.members.report_again();
                polls.at_once();
            }
            Event::Follow => polls.follow(state),
            Event::FollowAfter(cursor) => polls.follow_after(cursor, state),
            Event::Recalled(recalled) => {
                state.healing.recalled(recalled);
                polls.at_once();
            }
            Event::Doubt => {
                state.healing.doubt();
                polls.at_once();
            }
            Event::Polled(Ok(page)) => {
                if polls.answered(now, page, state, &mut actions) {
                    appends.engine_answers();
                }
            }
            Event::Polled(Err(error)) => polls.failed(now, error, state),
            Event::Begun(result) => polls.begun(now, result, state),
            Event::Append { id, client, batch } => {
                let since = now;
                let caller = Waiting {
                    id,
                    client,
                    batch,
                    since,
                };
                appends.put(caller, &mut actions);
            }
            Event::Committed(Ok(committed)) => {
                let whole = state.healing.whole();
                match appends.committed(now, &committed, polls.read(), state, &mut actions) {
                    Some(Seen::New) => {
                        state.healing.begin();
                        polls.incarnation_began();
                        polls.append_counts();
                    }
                    Some(Seen::Current) => polls.append_counts(),
                    Some(Seen::Late | Seen::Over) | None => {}
                }
                if state.healing.whole() != whole {
                    // The others wait until the engine knows.
                    polls.at_once();
                }
            }
            Event::Committed(Err(error)) => {
                appends.failed(now, error, &mut state.random, &mut actions);
            }
        }
        appends.check(now, state, &mut actions);
        appends.expire(now, &mut actions);
        state.members.awaits_reports = appends.acks.awaits_reports();
        polls.hurry(appends.acks.gap(polls.sent(), state));
        polls.ask(now, state, &mut actions);
        appends.ask(now, state, &mut actions);
        actions.extend(state.healing.recall());
        actions
    }

    /// When to call again with [`Event::Timer`], if nothing else happens before. `None` if only an
    /// answer of the engine or a caller can change something.
    pub(crate) fn wake_at(&self) -> Option<Moment> {
        let waits = [self.polls.wait(self.now), self.appends.wait(self.now)];
        Some(self.now + waits.into_iter().flatten().min()?)
    }

    pub(crate) fn status(&self, now: Moment) -> Status {
        let appends = self.appends.contact.failing(now);
        Status {
            reachable_for: self.polls.contact.succeeding_for(now),
            failing: appends.or_else(|| self.polls.contact.failing(now)),
            complete_for: self.polls.complete_for(now),
            queued: self.appends.callers(),
            clock_offset: self.polls.clock_offset,
            reading: self.polls.reading,
            members: self.state.members.list.clone(),
        }
    }
}
