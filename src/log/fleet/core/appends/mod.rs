//! Which appends wait, and what becomes of them?

mod answers;

use std::time::Duration;

use super::{
    super::{
        super::{Appended, LogError, LogErrorKind, Moment, Revocation},
        engine::{Append, Batch},
    },
    acks::Acks,
    contact::Contact,
    messages::{Action, NodeSettings},
    queue::{Queue, Waiting},
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
        if self.queue.take_hold() || self.pause(now) != Some(Duration::ZERO) {
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

const UNCONFIRMED: &str =
    "the log has the record, but this process could not find out whether every other one has it";
