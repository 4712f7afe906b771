//! Which records does this node lack, and as of when does it lack none?

use std::time::Duration;

use super::{
    super::{
        super::{LogError, LogErrorKind, Moment, NumericDate, Position},
        engine::{Cursor, Page},
    },
    contact::Contact,
    incarnations::{Incarnations, Seen},
    messages::Action,
    random::Random,
    timer::Timer,
};

#[derive(Debug)]
pub(super) struct Polls {
    /// The time from one poll to the next, if there is nothing new.
    interval: Duration,
    cursor: Cursor,
    in_flight: Option<Poll>,
    next: Timer,
    /// Whether there may be something to read now.
    soon: bool,
    pub(super) contact: Contact,
    /// The latest expiry that readers were told of.
    told: NumericDate,
    complete: Option<Moment>,
}

#[derive(Debug)]
struct Poll {
    /// Whether it asks for everything.
    from_beginning: bool,
    sent: Moment,
    /// Whether reading has begun again since.
    is_outdated: bool,
}

impl Polls {
    pub(super) fn new(now: Moment, lease: Duration) -> Self {
        Self {
            interval: lease / 5,
            cursor: Cursor::default(),
            in_flight: None,
            next: Timer::new(now, Duration::ZERO),
            soon: true,
            contact: Contact::new(lease),
            told: NumericDate::new(0),
            complete: None,
        }
    }

    pub(super) fn hint(&mut self) {
        // A poll in flight may have been answered before there was something new.
        self.soon = true;
    }

    /// Reads everything again. The answer to a poll in flight makes no reader complete.
    pub(super) fn begin_again(&mut self) {
        self.cursor = Cursor::default();
        self.soon = true;
        if let Some(poll) = &mut self.in_flight {
            poll.is_outdated = true;
        }
    }

    /// A reader was added.
    pub(super) fn follow(&mut self) {
        self.told = NumericDate::new(0);
        self.begin_again();
    }

    /// The answer to the poll in flight. Returns whether it counts as an answer.
    pub(super) fn answered(
        &mut self,
        now: Moment,
        page: Page,
        incarnations: &mut Incarnations,
        random: &mut Random,
        actions: &mut Vec<Action>,
    ) -> bool {
        // Also from an old engine: each of its records was appended by somebody.
        if !page.records.is_empty() {
            actions.push(Action::Read(page.records));
        }
        if page.forgotten > self.told {
            self.told = page.forgotten;
            actions.push(Action::Forgotten(page.forgotten));
        }
        let Some(poll) = self.in_flight.take() else {
            return false;
        };
        if poll.is_outdated {
            self.contact.succeeded(now);
            return true;
        }
        let seen = incarnations.see(page.incarnation);
        if seen == Seen::Over {
            let error = LogError::new(LogErrorKind::Unavailable).caused_by(OVER);
            self.soon = true;
            self.contact.failed(now, error, random);
            return false;
        }
        self.contact.succeeded(now);
        if seen == Seen::New && page.same_history && !poll.from_beginning {
            self.begin_again();
            return true;
        }
        self.cursor = page.upto;
        if !page.same_history {
            // These are the first records of the log, and not the next ones.
            incarnations.broke();
        }
        if page.more || !page.same_history {
            self.soon = true;
            return true;
        }
        self.complete = Some(poll.sent);
        actions.push(Action::Complete {
            position: Position {
                epoch: page.incarnation.0,
                sequence: page.upto.sequence,
            },
            // Not now: the answer may have been on its way for long.
            asked: poll.sent,
        });
        true
    }

    /// The poll in flight has failed.
    pub(super) fn failed(&mut self, now: Moment, error: LogError, random: &mut Random) {
        if self.in_flight.take().is_some() {
            self.soon = true;
            self.contact.failed(now, error, random);
        }
    }

    /// Polls, if it is time.
    pub(super) fn ask(&mut self, now: Moment, actions: &mut Vec<Action>) {
        if self.wait(now) != Some(Duration::ZERO) {
            return;
        }
        self.soon = false;
        self.next = Timer::new(now, self.interval);
        self.in_flight = Some(Poll {
            from_beginning: self.cursor == Cursor::default(),
            sent: now,
            is_outdated: false,
        });
        actions.push(Action::Poll(self.cursor));
    }

    /// The time until the next poll. `None` while one is in flight.
    pub(super) fn wait(&self, now: Moment) -> Option<Duration> {
        if self.in_flight.is_some() {
            return None;
        }
        // A hint does not end a pause: every node gets it.
        let pause = self.contact.pause(now);
        Some(pause.unwrap_or_else(|| {
            if self.soon {
                Duration::ZERO
            } else {
                self.next.left(now)
            }
        }))
    }

    pub(super) fn complete_for(&self, now: Moment) -> Option<Duration> {
        self.complete.map(|asked| now.since(asked))
    }
}

/// Why an answer did not count.
pub(super) const OVER: &str = "the engine that answered has been replaced by another one";
