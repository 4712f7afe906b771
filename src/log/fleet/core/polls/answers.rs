//! What does an answer show?

use super::{
    super::{
        super::{
            super::{LogError, LogErrorKind, Moment},
            engine::{Incarnation, Page},
        },
        clock::ClockOffset,
        healing::Verdict,
        incarnations::Seen,
        members::{Members, with_drift},
        messages::Action,
        progress::Progress,
        state::State,
        timer,
    },
    Polls,
};
use crate::log::Position;

impl Polls {
    /// The answer to the poll in flight. Returns whether it counts as an answer.
    pub(in crate::log::fleet::core) fn answered(
        &mut self,
        now: Moment,
        mut page: Page,
        state: &mut State,
        actions: &mut Vec<Action>,
    ) -> bool {
        self.hints
            .answered(now, now.since(self.sent), page.records.is_empty());
        // Also from an old engine: each of its records was appended by somebody.
        let records = std::mem::take(&mut page.records);
        if !records.is_empty() {
            actions.push(Action::Read(records.clone()));
        }
        if page.forgotten > self.told {
            self.told = page.forgotten;
            actions.push(Action::Forgotten(page.forgotten));
        }
        let Some(mut poll) = self.in_flight.take() else {
            return false;
        };
        let seen = state.incarnations.see(now, page.incarnation, poll.breaks);
        match seen {
            Seen::Late => poll.is_outdated = true,
            Seen::Over if poll.is_outdated => {}
            Seen::Over => {
                // The engine that answered has been replaced by another one.
                actions.push(Action::Reconnect);
                let error = LogError::new(LogErrorKind::Unavailable).caused_by(OVER);
                self.soon = true;
                self.contact.failed(now, error, &mut state.random);
                return false;
            }
            Seen::New => state.healing.begin(),
            Seen::Current => {}
        }
        if poll.is_outdated {
            // Also what an old engine gave: it may be lost.
            state.healing.read(&records, page.upto.sequence, 0);
            self.contact.succeeded(now);
            self.soon = true;
            return true;
        }
        self.contact.succeeded(now);
        let is_older = state
            .members
            .answered(now, poll.number, poll.reported, &page);
        self.clock_offset = page.engine_now.map_or_else(ClockOffset::default, |engine| {
            ClockOffset::between(poll.sent, now, engine)
        });
        self.reading = Progress::after(self.reading, poll.after, &page, records.len());
        if is_older && seen == Seen::Current {
            state.incarnations.broke();
            self.begin(page.incarnation, actions);
            return true;
        }
        match state.healing.page(poll.after, page.history) {
            Verdict::GoOn => {}
            Verdict::GoBack(older) => {
                self.cursor = older;
                self.soon = true;
                return true;
            }
            Verdict::Lost => {
                state.incarnations.broke();
                self.begin(page.incarnation, actions);
                return true;
            }
        }
        self.cursor = page.upto;
        state.healing.read_page(&page, &records);
        if page.more {
            self.soon = true;
            return true;
        }
        if let Some(unread) = state.healing.left_off(page.upto) {
            self.cursor = unread;
            self.soon = true;
            return true;
        }
        let is_short = Members::have_more_than(&page);
        if state.healing.lacks(poll.number, page.upto, page.forgotten) || is_short {
            state.incarnations.broke();
            self.begin(page.incarnation, actions);
            return true;
        }
        self.looked = poll.number;
        let is_whole = state.healing.at_the_end(page.incarnation, page.forgotten);
        // While the node gives back, a commit or a piece of the copy says when to go on.
        let has_healed = !is_whole && state.healing.whole().is_some();
        self.soon |= has_healed || !page.membership.was_listed || state.members.strikes();
        self.soon |= state.members.owes_report(page.upto.sequence);
        let barrier = page.membership.barrier || state.members.misses_somebody(now, &page);
        self.barrier = barrier.then(|| {
            let since = self.barrier.map_or(now, |(since, _)| since);
            (since, timer::gap(now.since(since), self.interval))
        });
        if is_whole && page.membership.was_listed && !barrier {
            // Not now: the answer may have been on its way for long.
            let asked = poll.sent - with_drift(page.age);
            self.complete = Some(asked);
            state.complete_by = poll.number;
            actions.push(Action::Complete {
                position: Position {
                    epoch: page.incarnation.0,
                    sequence: page.upto.sequence,
                },
                asked,
            });
        }
        true
    }

    fn begin(&mut self, after: Incarnation, actions: &mut Vec<Action>) {
        self.is_beginning = true;
        actions.push(Action::Begin(after));
    }

    /// Another incarnation has begun, or that has failed.
    pub(in crate::log::fleet::core) fn begun(
        &mut self,
        now: Moment,
        result: Result<(), LogError>,
        state: &mut State,
    ) {
        self.is_beginning = false;
        self.soon = true;
        if let Err(error) = result {
            self.contact.failed(now, error, &mut state.random);
        }
    }

    /// The poll in flight has failed.
    pub(in crate::log::fleet::core) fn failed(
        &mut self,
        now: Moment,
        error: LogError,
        state: &mut State,
    ) {
        if self.in_flight.take().is_some() {
            self.soon = true;
            state.members.failed();
            self.contact.failed(now, error, &mut state.random);
        }
    }
}

/// Why an answer did not count.
pub(in crate::log::fleet::core) const OVER: &str =
    "the engine that answered has been replaced by another one";
