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

mod appends;
mod contact;
mod incarnations;
mod messages;
mod polls;
mod queue;
mod random;
#[cfg(test)]
mod tests;
mod timer;

pub(crate) use self::messages::{Action, Event, Settings, Status};
use self::{
    appends::Appends,
    incarnations::{Incarnations, Seen},
    polls::Polls,
    queue::Waiting,
    random::Random,
};
use super::super::Moment;

#[derive(Debug)]
pub(crate) struct Core {
    /// The time of the last event.
    now: Moment,
    incarnations: Incarnations,
    polls: Polls,
    appends: Appends,
    random: Random,
}

impl Core {
    /// Makes the core of a node that knows nothing. It polls at the first event.
    pub(crate) fn new(settings: Settings, now: Moment) -> Self {
        let Settings {
            lease,
            append_timeout,
            seed,
        } = settings;
        Self {
            now,
            incarnations: Incarnations::new(),
            polls: Polls::new(now, lease),
            appends: Appends::new(append_timeout, lease),
            random: Random::new(seed),
        }
    }

    /// Returns what to do, in this order.
    pub(crate) fn on_event(&mut self, now: Moment, event: Event) -> Vec<Action> {
        self.now = now;
        let mut actions = Vec::new();
        match event {
            Event::Timer => {}
            Event::Hint => self.polls.hint(),
            Event::Follow => self.polls.follow(),
            Event::Polled(Ok(page)) => {
                let Self {
                    incarnations,
                    polls,
                    random,
                    ..
                } = self;
                if polls.answered(now, page, incarnations, random, &mut actions) {
                    self.appends.engine_answers();
                }
            }
            Event::Polled(Err(error)) => self.polls.failed(now, error, &mut self.random),
            Event::Append { id, client, batch } => {
                let since = now;
                let caller = Waiting {
                    id,
                    client,
                    batch,
                    since,
                };
                self.appends.put(caller, &mut actions);
            }
            Event::Committed(Ok(committed)) => {
                let Self {
                    incarnations,
                    appends,
                    random,
                    ..
                } = self;
                match appends.committed(now, &committed, incarnations, random, &mut actions) {
                    Some(Seen::New) => {
                        self.polls.begin_again();
                        self.polls.contact.end_pause();
                    }
                    Some(Seen::Current) => self.polls.contact.end_pause(),
                    Some(Seen::Over) | None => {}
                }
            }
            Event::Committed(Err(error)) => {
                self.appends
                    .failed(now, error, &mut self.random, &mut actions);
            }
        }
        self.appends.expire(now, &mut actions);
        self.polls.ask(now, &mut actions);
        let breaks = self.incarnations.breaks();
        self.appends
            .ask(now, breaks, &mut self.random, &mut actions);
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
        }
    }
}
