//! Which appends wait, and what becomes of them?

use std::time::Duration;

use super::{
    super::{
        super::{Appended, LogError, LogErrorKind, Moment, Position, Revocation},
        engine::{Append, Batch, Committed, Done, Incarnation, stamped},
    },
    contact::Contact,
    incarnations::Seen,
    messages::Action,
    polls::OVER,
    queue::{Queue, Waiting},
    random::Random,
    state::State,
    timer::Timer,
};

#[derive(Debug)]
pub(super) struct Appends {
    timeout: Duration,
    queue: Queue,
    in_flight: Option<Sent>,
    /// Whether the node was listed the last time.
    may_send: bool,
    /// Whether there is something to give back.
    gives: bool,
    pub(super) contact: Contact,
}

/// The request in flight.
#[derive(Debug)]
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
    pub(super) fn new(timeout: Duration, longest_pause: Duration) -> Self {
        Self {
            timeout,
            queue: Queue::default(),
            in_flight: None,
            may_send: false,
            gives: false,
            contact: Contact::new(longest_pause),
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

    /// The answer to the request in flight. Returns what it says about the incarnation.
    pub(super) fn committed(
        &mut self,
        now: Moment,
        committed: &Committed,
        state: &mut State,
        actions: &mut Vec<Action>,
    ) -> Option<Seen> {
        let sent = self.in_flight.take()?;
        // An answer to a request from before the last loss says nothing about the log of today.
        let seen = if sent.breaks == state.incarnations.breaks() {
            let seen = state.incarnations.see(committed.incarnation);
            if seen == Seen::Over {
                actions.push(Action::Reconnect);
            }
            seen
        } else {
            Seen::Over
        };
        if seen == Seen::Over || committed.batches.len() != sent.batches() {
            let cause = if seen == Seen::Over { OVER } else { MISCOUNTED };
            let error = LogError::new(LogErrorKind::Unavailable).caused_by(cause);
            self.send_again(now, sent, error, &mut state.random);
            return Some(seen);
        }
        self.contact.succeeded(now);
        if let (false, [Done::Appended { sequence, .. }]) =
            (sent.given.is_empty(), &committed.batches[..])
        {
            state.healing.remember(&sent.given, *sequence);
            state.healing.given(committed.incarnation);
            return Some(seen);
        }
        let mut records = Vec::new();
        let mut answers = Vec::new();
        for (index, (caller, done)) in sent.callers.iter().zip(&committed.batches).enumerate() {
            if let Done::Appended { sequence, .. } = done {
                let given = caller.batch.records.iter();
                let first = records.len();
                records.extend(given.map(|record| stamped(*record, committed.at)));
                state.healing.remember(&records[first..], *sequence);
            }
            if index >= sent.expired {
                self.queue.leave(caller);
                answers.push(Action::Answer {
                    id: caller.id,
                    result: result(*done, committed.incarnation),
                });
            }
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
            .put_back(sent.callers.into_iter().skip(sent.expired));
    }

    /// Answers those who have waited long enough.
    pub(super) fn expire(&mut self, now: Moment, actions: &mut Vec<Action>) {
        let is_over =
            |caller: &Waiting, timeout| Timer::new(caller.since, timeout).left(now).is_zero();
        while let Some(sent) = &mut self.in_flight {
            let Some(caller) = sent.callers.get(sent.expired) else {
                break;
            };
            if !is_over(caller, self.timeout) {
                // Those in the queue came later.
                return;
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
        let first = sent
            .and_then(|sent| sent.callers.get(sent.expired))
            .or_else(|| self.queue.front());
        let deadline = first.map(|first| Timer::new(first.since, self.timeout).left(now));
        deadline.into_iter().chain(self.pause(now)).min()
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

const MISCOUNTED: &str = "the engine answered for another number of batches";
