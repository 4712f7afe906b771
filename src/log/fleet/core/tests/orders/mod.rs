//! The rules that hold in every order of events.

mod steps;

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use self::steps::{Step, steps};
use super::*;

/// What the driver of a node sees.
struct Seen {
    node: Node,
    /// The cursor of the poll in flight, and when it was sent.
    poll: Option<(Cursor, Moment)>,
    poll_breaks: u64,
    /// The number of batches in flight.
    append: Option<usize>,
    append_breaks: u64,
    /// How often the log has lost its end, as far as the node knows.
    breaks: u64,
    marks: HashSet<u64>,
    /// The records that readers have, and those that they must have.
    read: HashSet<Revocation>,
    owed: HashSet<Revocation>,
    /// Those who wait, and when they came.
    callers: HashMap<u64, Moment>,
    /// What is in flight, and what the log has, but the node has not read.
    sent: Vec<Revocation>,
    appended: Vec<Revocation>,
    /// The incarnation that the node takes for the current one, and those that are over.
    current: Option<u64>,
    over: HashSet<u64>,
    late: HashSet<u64>,
    /// Whether the node has seen the end of the log in the current incarnation.
    is_whole: bool,
    /// Whether another incarnation is being begun.
    is_beginning: bool,
    /// Whether a reader was added, or a commit told of a new incarnation, since the poll was sent.
    is_outdated: bool,
    sequence: u64,
    next_caller: u64,
}

impl Seen {
    fn new() -> Self {
        Self {
            node: Node::seeded(7),
            poll: None,
            poll_breaks: 0,
            append: None,
            append_breaks: 0,
            breaks: 0,
            marks: HashSet::new(),
            read: HashSet::new(),
            owed: HashSet::new(),
            callers: HashMap::new(),
            sent: Vec::new(),
            appended: Vec::new(),
            current: None,
            over: HashSet::new(),
            late: HashSet::new(),
            is_whole: false,
            is_beginning: false,
            is_outdated: false,
            sequence: 0,
            next_caller: 0,
        }
    }

    /// Carries out the actions. `may_complete` says as of when readers may be complete now.
    fn event(&mut self, event: Event, may_complete: Option<Moment>) {
        let now = self.node.now;
        for action in self.node.on(event) {
            match action {
                Action::Poll(ask) => {
                    assert!(self.poll.is_none(), "two polls are in flight");
                    assert!(!self.is_beginning, "another incarnation is being begun");
                    self.poll = Some((ask.after, now));
                    self.poll_breaks = self.breaks;
                    self.is_outdated = false;
                }
                Action::Append(append) => {
                    assert!(self.append.is_none(), "two appends are in flight");
                    assert!(self.marks.insert(append.mark), "a mark was used twice");
                    let lengths = append.batches.iter().map(|batch| batch.records.len());
                    let records: usize = lengths.sum();
                    let batches = append.batches.len();
                    assert!(records <= 1024 || batches == 1);
                    self.append = Some(batches);
                    self.append_breaks = self.breaks;
                    let batches = append.batches.into_iter();
                    self.sent = batches.flat_map(|batch| batch.records).collect();
                }
                Action::Read(records) => self.read.extend(records),
                Action::Complete { asked, .. } => {
                    assert_eq!(Some(asked), may_complete, "a reader is not complete");
                    assert!(self.owed.is_subset(&self.read), "records come first");
                }
                Action::Answer { id, .. } => {
                    assert!(
                        self.callers.remove(&id).is_some(),
                        "no caller has this number"
                    );
                }
                Action::Forgotten(_) | Action::Reconnect | Action::Recall(_) => {}
                Action::Begin(_) => {
                    self.is_beginning = true;
                    self.breaks += 1;
                }
            }
        }
        assert!(self.owed.is_subset(&self.read), "a record was dropped");
        for since in self.callers.values() {
            assert!(now.since(*since) < TIMEOUT, "a caller waits for too long");
        }
        let is_idle = self.poll.is_none() && !self.is_beginning;
        if is_idle || !self.callers.is_empty() {
            assert!(self.node.wait().is_some(), "the node sleeps for ever");
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Wait(time) => self.wait(millis(time)),
            Step::Hint => {
                self.event(Event::Hint, None);
            }
            Step::Follow => {
                self.is_outdated = true;
                self.event(Event::Follow, None);
            }
            Step::Page {
                incarnation,
                history,
                more,
                records,
            } => self.page(incarnation, history, more, records),
            Step::Begun => {
                if self.is_beginning {
                    self.is_beginning = false;
                    self.event(Event::Begun(Ok(())), None);
                }
            }
            Step::PollFails => {
                if self.poll.take().is_some() {
                    self.event(Event::Polled(Err(unavailable())), None);
                }
            }
            Step::Append(records) => {
                self.next_caller += 1;
                self.callers.insert(self.next_caller, self.node.now);
                self.event(append(self.next_caller, records), None);
            }
            Step::Commit(incarnation) => self.commit(incarnation),
            Step::AppendFails => {
                if self.append.take().is_some() {
                    self.event(Event::Committed(Err(unavailable())), None);
                }
            }
        }
    }

    fn commit(&mut self, incarnation: u64) {
        let Some(batches) = self.append.take() else {
            return;
        };
        let is_polling = self.poll.is_some();
        let (before, breaks) = (self.current, self.append_breaks);
        self.appended.append(&mut self.sent);
        let done = Done::Appended {
            sequence: 7,
            added: 0,
        };
        let counts = self.counts(incarnation, breaks);
        self.event(answered(incarnation, vec![done; batches]), None);
        if counts && before != Some(incarnation) {
            // The other one is over, and so may be the poll in flight.
            self.is_outdated |= is_polling;
        }
    }

    /// Whether an answer of an incarnation counts. If it is a new one, the other is over.
    /// Not if the request was sent before the node learned of the current one.
    fn counts(&mut self, incarnation: u64, breaks: u64) -> bool {
        if self.current == Some(incarnation) {
            return true;
        }
        if self.over.contains(&incarnation) {
            return false;
        }
        if breaks != self.breaks {
            self.breaks += u64::from(self.late.insert(incarnation));
            return false;
        }
        if let Some(over) = self.current.replace(incarnation) {
            self.over.insert(over);
            self.breaks += 1;
        }
        self.late.remove(&incarnation);
        self.over.extend(self.late.drain());
        self.is_whole = false;
        true
    }

    /// Wakes the node as often as it asks for.
    fn wait(&mut self, time: Duration) {
        let end = self.node.now + time;
        let mut wakes = 0;
        while let Some(wait) = self
            .node
            .wait()
            .filter(|wait| *wait <= end.since(self.node.now))
        {
            self.node.now = self.node.now + wait;
            self.event(Event::Timer, None);
            wakes += 1;
            assert!(wakes < 1000, "the node does not sleep");
        }
        self.node.now = end;
        self.event(Event::Timer, None);
    }

    fn page(&mut self, incarnation: u64, history: History, more: bool, records: u64) {
        let Some((after, sent)) = self.poll.take() else {
            return;
        };
        let is_same = history == History::Same || after == at(0);
        let first = self.sequence;
        // No two pages have the same end.
        self.sequence += records + 1;
        let mut records: Vec<_> = (first..first + records).map(record).collect();
        self.owed.extend(&records);
        records.extend(&self.appended);
        let page = Page {
            history: if is_same { History::Same } else { history },
            upto: at(self.sequence),
            records,
            more,
            ..page(incarnation, 0)
        };
        let mut may_complete = false;
        let counts = self.counts(incarnation, self.poll_breaks) && !self.is_outdated;
        if counts && is_same {
            self.appended.clear();
        }
        if counts {
            may_complete = is_same && !more && self.is_whole;
            if !more {
                self.is_whole = true;
            } else if history == History::Swept && !is_same {
                self.is_whole = false;
            }
        }
        self.event(Event::Polled(Ok(page)), may_complete.then_some(sent));
    }

    /// The engine answers everything from now on, in an incarnation that is not over.
    fn settle(&mut self) {
        for _ in 0..60 {
            self.step(Step::Begun);
            self.page(9, History::Same, false, 0);
            self.commit(9);
            self.wait(millis(500));
        }
        assert!(self.callers.is_empty());
        let status = self.node.core.status(self.node.now);
        assert!(status.complete_for.is_some_and(|age| age < LEASE));
        assert!(status.failing.is_none());
        assert_eq!(status.queued, 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn rules_hold_in_every_order(steps in steps()) {
        let mut seen = Seen::new();
        seen.event(Event::Timer, None);
        for step in steps {
            seen.step(step);
        }
        seen.settle();
    }
}
