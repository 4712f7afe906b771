//! Which records does this node lack, and as of when does it lack none?

mod answers;

use std::time::Duration;

pub(super) use self::answers::OVER;
use super::{
    super::{
        super::{Moment, NumericDate},
        engine::{Ask, Cursor, Incarnation},
    },
    clock::ClockOffset,
    contact::Contact,
    hints::Hints,
    messages::{Action, NodeSettings},
    progress::Progress,
    state::State,
    timer::Timer,
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
    /// The number of the last poll whose answer has shown the end of the log.
    pub(super) looked: u64,
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
            looked: 0,
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
