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
    /// The number of batches in flight.
    append: Option<usize>,
    marks: HashSet<u64>,
    /// The records that readers have, and those that they must have.
    read: HashSet<Revocation>,
    owed: HashSet<Revocation>,
    /// Those who wait, and when they came.
    callers: HashMap<u64, Moment>,
    /// The incarnation in which each cursor was given.
    cursors: HashMap<Cursor, u64>,
    /// The incarnations of which the node may know.
    incarnations: HashSet<u64>,
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
            append: None,
            marks: HashSet::new(),
            read: HashSet::new(),
            owed: HashSet::new(),
            callers: HashMap::new(),
            cursors: HashMap::new(),
            incarnations: HashSet::new(),
            is_outdated: false,
            sequence: 0,
            next_caller: 0,
        }
    }

    /// Carries out the actions. `may_complete` says as of when readers may be complete now. Returns
    /// whether an append has succeeded.
    fn event(&mut self, event: Event, may_complete: Option<Moment>) -> bool {
        let now = self.node.now;
        let mut has_succeeded = false;
        for action in self.node.on(event) {
            match action {
                Action::Poll(cursor) => {
                    assert!(self.poll.is_none(), "two polls are in flight");
                    self.poll = Some((cursor, now));
                    self.is_outdated = false;
                }
                Action::Append(append) => {
                    assert!(self.append.is_none(), "two appends are in flight");
                    assert!(self.marks.insert(append.mark), "a mark was used twice");
                    let lengths = append.batches.iter().map(|batch| batch.records.len());
                    let records: usize = lengths.sum();
                    let batches = append.batches.len();
                    assert!(batches > 0 && (records <= 1024 || batches == 1));
                    self.append = Some(batches);
                }
                Action::Read(records) => self.read.extend(records),
                Action::Complete { asked, .. } => {
                    assert_eq!(Some(asked), may_complete, "a reader is not complete");
                    assert!(self.owed.is_subset(&self.read), "records come first");
                }
                Action::Answer { id, result } => {
                    has_succeeded |= result.is_ok();
                    assert!(
                        self.callers.remove(&id).is_some(),
                        "no caller has this number"
                    );
                }
                Action::Forgotten(_) => {}
            }
        }
        assert!(self.owed.is_subset(&self.read), "a record was dropped");
        for since in self.callers.values() {
            assert!(now.since(*since) < TIMEOUT, "a caller waits for too long");
        }
        if self.poll.is_none() || !self.callers.is_empty() {
            assert!(self.node.wait().is_some(), "the node sleeps for ever");
        }
        has_succeeded
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
                same_history,
                more,
                records,
            } => self.page(incarnation, same_history, more, records),
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
        let is_new = self.incarnations.insert(incarnation);
        let has_succeeded = self.event(committed(incarnation, batches), None);
        // Then the node knows that the other incarnation is over.
        self.is_outdated |= is_polling && is_new && has_succeeded;
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

    fn page(&mut self, incarnation: u64, same_history: bool, more: bool, records: u64) {
        let Some((after, sent)) = self.poll.take() else {
            return;
        };
        let is_beginning = after == at(0);
        let same_history = same_history || is_beginning;
        let first = self.sequence;
        // No two pages have the same end.
        self.sequence += records + 1;
        let records: Vec<_> = (first..first + records).map(record).collect();
        self.owed.extend(&records);
        let upto = at(self.sequence);
        let page = Page {
            incarnation: Incarnation(incarnation),
            same_history,
            upto,
            records,
            more,
            forgotten: NumericDate::new(0),
        };
        let goes_on = is_beginning || self.cursors[&after] == incarnation;
        let may_complete = !more && same_history && goes_on && !self.is_outdated;
        self.cursors.insert(upto, incarnation);
        self.incarnations.insert(incarnation);
        self.event(Event::Polled(Ok(page)), may_complete.then_some(sent));
    }

    /// The engine answers everything from now on, in an incarnation that is not over.
    fn settle(&mut self) {
        for _ in 0..60 {
            self.page(9, true, false, 0);
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
