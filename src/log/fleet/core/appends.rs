//! Which appends wait, and what becomes of them?

use std::{collections::VecDeque, time::Duration};

use super::{
    super::{
        super::{Appended, LogError, LogErrorKind, Moment, Position, Revocation},
        engine::{Append, Batch, Committed, Done, Incarnation, stamped},
    },
    acks::{Acks, Unconfirmed},
    contact::Contact,
    incarnations::Seen,
    messages::{Action, NodeSettings},
    polls::OVER,
    queue::{Queue, Waiting},
    random::Random,
    state::State,
    timer::Timer,
};

#[derive(Clone, Debug)]
pub(super) struct Appends {
    /// How long a caller waits.
    timeout: Duration,
    /// Whether a caller waits for all members.
    waits: bool,
    pub(super) acks: Acks,
    queue: Queue,
    in_flight: Option<Sent>,
    /// Whether the node was listed the last time.
    may_send: bool,
    /// Whether there is something to give back.
    gives: bool,
    pub(super) contact: Contact,
}

/// The request in flight.
#[derive(Clone, Debug)]
struct Sent {
    /// How often the log had lost its end when the request was sent.
    breaks: u64,
    callers: Vec<Waiting>,
    /// What the node gives back. There are no callers then.
    given: Vec<Revocation>,
    /// How many of them, from the first, have their answer already.
    expired: usize,
}

impl Sent {
    fn batches(&self) -> usize {
        if self.given.is_empty() {
            self.callers.len()
        } else {
            1
        }
    }
}

impl Appends {
    pub(super) fn new(settings: &NodeSettings) -> Self {
        Self {
            timeout: settings.caller_timeout(),
            waits: settings.waits,
            acks: Acks::new(settings),
            queue: Queue::default(),
            in_flight: None,
            may_send: false,
            gives: false,
            contact: Contact::new(settings.lease),
        }
    }

    pub(super) fn put(&mut self, caller: Waiting, actions: &mut Vec<Action>) {
        let id = caller.id;
        if let Err(error) = self.queue.put(caller) {
            actions.push(Action::Answer {
                id,
                result: Err(error),
            });
        }
    }

    /// The answer to the request in flight. Returns what it says about the incarnation. The node has
    /// read up to the record `read`.
    pub(super) fn committed(
        &mut self,
        now: Moment,
        committed: &Committed,
        read: u64,
        state: &mut State,
        actions: &mut Vec<Action>,
    ) -> Option<Seen> {
        let sent = self.in_flight.take()?;
        // An answer to a request from before the last loss says nothing about the log of today.
        let is_late = sent.breaks != state.incarnations.breaks();
        let seen = state
            .incarnations
            .see(now, committed.incarnation, sent.breaks);
        if seen == Seen::Over {
            actions.push(Action::Reconnect);
        }
        // A caller who waits for all members waits within one incarnation.
        let counts = matches!(seen, Seen::Current | Seen::New);
        let is_over = is_late || !counts || self.waits && seen == Seen::New;
        if is_over || committed.batches.len() != sent.batches() {
            let cause = if is_over { OVER } else { MISCOUNTED };
            let error = LogError::new(LogErrorKind::Unavailable).caused_by(cause);
            self.send_again(now, sent, error, &mut state.random);
            return Some(seen);
        }
        self.contact.succeeded(now);
        // A poll can be answered before the append whose records it has read. They never come again, and
        // the cursor shows if they are lost.
        let was_read = |sequence| seen == Seen::Current && sequence <= read;
        if let (false, [Done::Appended { sequence, added }]) =
            (sent.given.is_empty(), &committed.batches[..])
        {
            if seen == Seen::Current {
                if *added == sent.given.len() && !was_read(*sequence) {
                    state.healing.must_read(&sent.given, state.polls);
                }
                state.healing.remember(&sent.given, *sequence);
                state.healing.given(committed.incarnation);
            }
            return Some(seen);
        }
        let mut records = Vec::new();
        let mut answers = Vec::new();
        let mut unconfirmed = VecDeque::new();
        let expired = sent.expired;
        for (index, (caller, done)) in sent.callers.into_iter().zip(&committed.batches).enumerate()
        {
            if let Done::Appended { sequence, added } = done {
                let given = caller.batch.records.iter();
                let first = records.len();
                records.extend(given.map(|record| stamped(*record, committed.at)));
                let own = &records[first..];
                if !was_read(*sequence) {
                    if *added == own.len() {
                        state.healing.must_read(own, state.polls);
                    } else {
                        let new: Vec<_> = state.healing.new_ones(own).collect();
                        state.healing.must_read(&new, state.polls);
                    }
                }
                state.healing.remember(own, *sequence);
            }
            if index < expired {
                continue;
            }
            match result(*done, committed.incarnation) {
                Ok(Some(appended)) if self.waits => unconfirmed.push_back((caller, appended)),
                result => self.answer(&caller, result, &mut answers),
            }
        }
        if !unconfirmed.is_empty() {
            self.acks.put(Unconfirmed {
                callers: unconfirmed,
                breaks: state.incarnations.breaks(),
                since: now,
                after: state.polls,
            });
        }
        // The callers' own readers have the records first.
        if !records.is_empty() {
            actions.push(Action::Read(records));
        }
        actions.append(&mut answers);
        Some(seen)
    }

    /// The request in flight has failed.
    pub(super) fn failed(
        &mut self,
        now: Moment,
        error: LogError,
        random: &mut Random,
        actions: &mut Vec<Action>,
    ) {
        let Some(sent) = self.in_flight.take() else {
            return;
        };
        if error.kind() == LogErrorKind::Unavailable {
            self.send_again(now, sent, error, random);
            return;
        }
        // The engine answered, and another attempt would get the same answer.
        for caller in sent.callers.iter().skip(sent.expired) {
            self.answer(caller, Err(error.clone()), actions);
        }
        self.contact.failed(now, error, random);
    }

    /// What became of the batches is unknown. To append them again does no harm.
    fn send_again(&mut self, now: Moment, sent: Sent, error: LogError, random: &mut Random) {
        self.contact.failed(now, error, random);
        self.queue
            .put_back(now, sent.callers.into_iter().skip(sent.expired));
    }

    /// Answers those whose records all members have. If the log may have lost them, they are appended
    /// again.
    pub(super) fn check(&mut self, now: Moment, state: &State, actions: &mut Vec<Action>) {
        let checked = self.acks.check(now, state);
        for (caller, appended) in checked.confirmed {
            self.answer(&caller, Ok(Some(appended)), actions);
        }
        if !checked.lost.is_empty() {
            self.queue.put_back(now, checked.lost);
        }
    }

    /// Answers those who have waited long enough.
    pub(super) fn expire(&mut self, now: Moment, actions: &mut Vec<Action>) {
        while let Some(caller) = self.acks.pop_expired(now, self.timeout) {
            let error = LogError::new(LogErrorKind::Unavailable).caused_by(UNCONFIRMED);
            self.answer(&caller, Err(error), actions);
        }
        let is_over =
            |caller: &Waiting, timeout| Timer::new(caller.since, timeout).left(now).is_zero();
        while let Some(sent) = &mut self.in_flight {
            let Some(caller) = sent.callers.get(sent.expired) else {
                break;
            };
            if !is_over(caller, self.timeout) {
                break;
            }
            sent.expired += 1;
            self.queue.leave(caller);
            actions.push(Action::Answer {
                id: caller.id,
                result: Err(self.contact.unavailable()),
            });
        }
        while self
            .queue
            .front()
            .is_some_and(|caller| is_over(caller, self.timeout))
        {
            if let Some(caller) = self.queue.pop() {
                let error = self.contact.unavailable();
                self.answer(&caller, Err(error), actions);
            }
        }
    }

    /// Sends what waits, if nothing is in flight. Not before the node is listed: if the log loses its
    /// end, the others wait for it to give back what it has appended.
    pub(super) fn ask(&mut self, now: Moment, state: &mut State, actions: &mut Vec<Action>) {
        self.may_send = state.members.is_listed;
        let given = state.healing.gives();
        self.gives = !given.is_empty();
        if self.pause(now) != Some(Duration::ZERO) {
            return;
        }
        let (callers, batches) = if self.gives {
            let batch = Batch {
                records: given.clone(),
                new: usize::MAX,
            };
            (Vec::new(), vec![batch])
        } else {
            let callers = if self.may_send {
                self.queue.take()
            } else {
                Vec::new()
            };
            let batches = callers.iter().map(|caller| caller.batch.clone());
            let batches = batches.collect();
            (callers, batches)
        };
        actions.push(Action::Append(Append {
            mark: state.random.number(),
            batches,
            as_given: self.gives,
        }));
        self.in_flight = Some(Sent {
            breaks: state.incarnations.breaks(),
            callers,
            given,
            expired: 0,
        });
    }

    /// The time until something has to be done.
    pub(super) fn wait(&self, now: Moment) -> Option<Duration> {
        let sent = self.in_flight.as_ref();
        let first = sent.and_then(|sent| sent.callers.get(sent.expired));
        let deadline = first.map(|first| Timer::new(first.since, self.timeout).left(now));
        let queued = self.queue.front();
        let queued = queued.map(|first| Timer::new(first.since, self.timeout).left(now));
        let acks = self.acks.wait(now, self.timeout);
        let pause = self.pause(now);
        [deadline, queued, acks, pause].into_iter().flatten().min()
    }

    /// An answer to a poll has shown that the engine can be reached. It does not show that appends
    /// work.
    pub(super) fn engine_answers(&mut self) {
        self.contact.end_pause();
    }

    pub(super) fn callers(&self) -> usize {
        self.queue.callers()
    }

    /// The time until the next request. `None` if nothing can be sent.
    ///
    /// Once appends have failed, an empty one is sent if no caller waits: only an append shows that
    /// the next one will not fail.
    fn pause(&self, now: Moment) -> Option<Duration> {
        let waits = self.may_send && !self.queue.is_empty();
        let has_work = self.gives || waits || self.contact.fails();
        let is_idle = self.in_flight.is_some() || !has_work;
        (!is_idle).then(|| self.contact.pause(now).unwrap_or_default())
    }

    fn answer(
        &mut self,
        caller: &Waiting,
        result: Result<Option<Appended>, LogError>,
        actions: &mut Vec<Action>,
    ) {
        self.queue.leave(caller);
        actions.push(Action::Answer {
            id: caller.id,
            result,
        });
    }
}

fn result(done: Done, incarnation: Incarnation) -> Result<Option<Appended>, LogError> {
    match done {
        Done::Appended { sequence, added } => {
            let epoch = incarnation.0;
            Ok(Some(Appended::new(Position { epoch, sequence }, added)))
        }
        Done::TooMany => Ok(None),
        Done::Full => Err(LogError::new(LogErrorKind::Full)),
    }
}

const UNCONFIRMED: &str =
    "the log has the record, but this process could not find out whether every other one has it";
const MISCOUNTED: &str = "the engine answered for another number of batches";
