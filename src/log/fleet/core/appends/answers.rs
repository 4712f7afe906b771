//! What has become of the appends of a request?

use std::collections::VecDeque;

use super::{
    super::{
        super::{
            super::{Appended, LogError, LogErrorKind, Moment, Position},
            engine::{Committed, Done, Incarnation, stamped},
        },
        acks::Unconfirmed,
        incarnations::Seen,
        messages::Action,
        polls::OVER,
        random::Random,
        state::State,
    },
    Appends, Sent,
};

impl Appends {
    /// The answer to the request in flight. Returns what it says about the incarnation. The node has
    /// read up to the record `read`.
    pub(in crate::log::fleet::core) fn committed(
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
        if !answers.is_empty() {
            self.queue.hold_back();
        }
        actions.append(&mut answers);
        Some(seen)
    }

    /// The request in flight has failed.
    pub(in crate::log::fleet::core) fn failed(
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
