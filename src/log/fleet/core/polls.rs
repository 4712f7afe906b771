//! Which records does this node lack, and as of when does it lack none?

use std::time::Duration;

use super::{
    super::{
        super::{LogError, LogErrorKind, Moment, NumericDate, Position},
        engine::{Ask, Cursor, Incarnation, Page},
    },
    clock::ClockOffset,
    contact::Contact,
    healing::Verdict,
    hints::Hints,
    incarnations::Seen,
    members::{Members, with_drift},
    messages::{Action, NodeSettings},
    progress::Progress,
    state::State,
    timer::{self, Timer},
};

#[derive(Clone, Debug)]
pub(super) struct Polls {
    /// The time from one poll to the next, if there is nothing new.
    interval: Duration,
    pub(super) cursor: Cursor,
    in_flight: Option<Poll>,
    next: Timer,
    /// Whether to poll at once, because of what the last answer was.
    soon: bool,
    hints: Hints,
    /// Whether another incarnation is being begun.
    is_beginning: bool,
    /// When the last poll was sent, and the time to the next one, if an append waits for it.
    sent: Moment,
    hurry: Option<Duration>,
    /// Since when others have not given back what they remember, and the time to the next poll.
    barrier: Option<(Moment, Duration)>,
    pub(super) contact: Contact,
    /// The latest expiry that readers were told of.
    told: NumericDate,
    complete: Option<Moment>,
    pub(super) clock_offset: ClockOffset,
    /// Set if more pages follow.
    pub(super) reading: Option<Progress>,
}

#[derive(Clone, Debug)]
struct Poll {
    number: u64,
    after: Cursor,
    sent: Moment,
    /// How often the log had lost its end.
    breaks: u64,
    /// What the report said, if there was one.
    reported: Option<Incarnation>,
    /// Whether reading has begun again since.
    is_outdated: bool,
}

impl Polls {
    pub(super) fn new(now: Moment, settings: &NodeSettings) -> Self {
        Self {
            interval: settings.poll_interval(),
            cursor: Cursor::default(),
            in_flight: None,
            next: Timer::new(now, Duration::ZERO),
            soon: true,
            hints: Hints::default(),
            is_beginning: false,
            sent: now,
            hurry: None,
            barrier: None,
            contact: Contact::new(settings.poll_timeout()),
            told: NumericDate::new(0),
            complete: None,
            clock_offset: ClockOffset::default(),
            reading: None,
        }
    }

    pub(super) fn hint(&mut self) {
        // A poll in flight may have been answered before there was something new.
        self.hints.hear();
    }

    /// An append waits for a poll this time after the last one.
    pub(super) fn hurry(&mut self, gap: Option<Duration>) {
        self.hurry = gap;
    }

    /// There is something to say.
    pub(super) fn at_once(&mut self) {
        self.soon = true;
    }

    /// A commit has shown that another incarnation has begun. The answer to a poll in flight may be of
    /// the one before.
    pub(super) fn incarnation_began(&mut self) {
        self.soon = true;
        if let Some(poll) = &mut self.in_flight {
            poll.is_outdated = true;
        }
    }

    /// An append has shown that the engine of the current incarnation can be reached.
    pub(super) fn append_counts(&mut self) {
        self.contact.end_pause();
    }

    /// A reader was added: everything is read again. The answer to a poll in flight makes no reader
    /// complete.
    pub(super) fn follow(&mut self, state: &mut State) {
        self.told = NumericDate::new(0);
        state.healing.read_again(self.cursor);
        self.cursor = Cursor::default();
        self.soon = true;
        if let Some(poll) = &mut self.in_flight {
            poll.is_outdated = true;
        }
    }

    /// A reader was added that has everything up to a cursor.
    pub(super) fn follow_after(&mut self, cursor: Cursor, state: &mut State) {
        let own = self.cursor;
        self.follow(state);
        self.cursor = if own.sequence < cursor.sequence {
            own
        } else {
            cursor
        };
    }

    /// The node has everything up to here, from its disk.
    pub(super) fn resume(&mut self, cursor: Cursor) {
        self.cursor = cursor;
    }

    /// The answer to the poll in flight. Returns whether it counts as an answer.
    pub(super) fn answered(
        &mut self,
        now: Moment,
        mut page: Page,
        state: &mut State,
        actions: &mut Vec<Action>,
    ) -> bool {
        self.hints.answered(now, page.records.is_empty());
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
            state.healing.read(&records, page.upto.sequence);
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
        state.healing.has(page.upto);
        state.healing.read(&records, page.upto.sequence);
        state.healing.saw(&records);
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
    pub(super) fn begun(&mut self, now: Moment, result: Result<(), LogError>, state: &mut State) {
        self.is_beginning = false;
        self.soon = true;
        if let Err(error) = result {
            self.contact.failed(now, error, &mut state.random);
        }
    }

    /// The poll in flight has failed.
    pub(super) fn failed(&mut self, now: Moment, error: LogError, state: &mut State) {
        if self.in_flight.take().is_some() {
            self.soon = true;
            state.members.failed();
            self.contact.failed(now, error, &mut state.random);
        }
    }

    /// Polls, if it is time.
    pub(super) fn ask(&mut self, now: Moment, state: &mut State, actions: &mut Vec<Action>) {
        if self.wait(now) != Some(Duration::ZERO) {
            return;
        }
        self.soon = false;
        self.hints.ask();
        self.sent = now;
        state.polls += 1;
        self.next = Timer::new(now, self.interval);
        let (applied, healed) = (self.cursor.sequence, state.healing.healed);
        let members = &mut state.members;
        let (report, silent) = if members.reports(now, applied, healed) {
            let (report, silent) = members.report(now, applied, healed);
            (Some(report), silent)
        } else {
            (None, Vec::new())
        };
        self.in_flight = Some(Poll {
            number: state.polls,
            after: self.cursor,
            sent: now,
            breaks: state.incarnations.breaks(),
            reported: report.as_ref().map(|report| report.healed),
            is_outdated: false,
        });
        actions.push(Action::Poll(Ask {
            after: self.cursor,
            member: members.me,
            report,
            silent,
        }));
    }

    /// The time until the next poll. `None` while one is in flight, or another
    /// incarnation is being begun.
    pub(super) fn wait(&self, now: Moment) -> Option<Duration> {
        if self.in_flight.is_some() || self.is_beginning {
            return None;
        }
        // A hint does not end a pause: every node gets it.
        let pause = self.contact.pause(now);
        Some(pause.unwrap_or_else(|| {
            if self.soon {
                Duration::ZERO
            } else {
                let barrier = self.barrier.map(|(_, gap)| gap);
                let hurry = self.hurry.into_iter().chain(barrier).min();
                let hurried = hurry.map(|gap| Timer::new(self.sent, gap).left(now));
                let waits = [Some(self.next.left(now)), self.hints.wait(now), hurried];
                waits.into_iter().flatten().min().unwrap_or_default()
            }
        }))
    }

    /// When the last poll was sent.
    pub(super) fn sent(&self) -> Moment {
        self.sent
    }

    /// The last record that the node has read.
    pub(super) fn read(&self) -> u64 {
        self.cursor.sequence
    }

    pub(super) fn complete_for(&self, now: Moment) -> Option<Duration> {
        self.complete.map(|asked| now.since(asked))
    }
}

/// Why an answer did not count.
pub(super) const OVER: &str = "the engine that answered has been replaced by another one";
