//! Did the log lose records that this node has, and has the node given them back?

use std::{collections::HashMap, mem};

use super::{
    super::{
        super::{NumericDate, Revocation, Selector},
        engine::{Cursor, History, Incarnation},
    },
    queue::RECORDS,
    trail::Trail,
    window::{self, Window},
};

/// What a node does after the log may have lost its end, until the log has everything again that the
/// node remembers.
#[derive(Debug)]
pub(super) struct Healing {
    stage: Stage,
    trail: Trail,
    window: Window,
    /// What the log may have lost.
    held: HashMap<Selector, Revocation>,
    /// What this node has appended and has not read since, and how many polls had been sent.
    unread: HashMap<Selector, (Revocation, u64)>,
    /// The last incarnation in which the node has given back what it remembers.
    pub(super) healed: Incarnation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The log has everything.
    Whole,
    /// Which was the last record before the histories part?
    Finding,
    /// The node reads what comes after it.
    Reading,
    /// The node gives back what the log lacks.
    Giving,
}

/// What a page says about the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The records of the page follow on those that the node has.
    GoOn,
    /// The histories part before the cursor. The next page is asked for from this one.
    GoBack(Cursor),
    /// The log has lost its end, and another incarnation has not begun yet.
    Lost,
}

impl Healing {
    pub(super) fn new() -> Self {
        Self {
            stage: Stage::Finding,
            trail: Trail::default(),
            window: Window::default(),
            held: HashMap::new(),
            unread: HashMap::new(),
            healed: Incarnation(0),
        }
    }

    /// Another incarnation has begun.
    pub(super) fn begin(&mut self) {
        self.stage = Stage::Finding;
    }

    /// A page of the current incarnation came, after this cursor.
    pub(super) fn page(&mut self, after: Cursor, history: History) -> Verdict {
        match (self.stage, history) {
            (Stage::Whole | Stage::Reading | Stage::Giving, History::Same) => Verdict::GoOn,
            (Stage::Whole | Stage::Reading | Stage::Giving, History::Other) => Verdict::Lost,
            (Stage::Finding, History::Swept | History::Other) => match self.trail.before(after) {
                Some(older) => Verdict::GoBack(older),
                None => self.read_on_from(Cursor::default()),
            },
            (Stage::Finding, History::Same) => self.read_on_from(after),
            // What is missing may have been lost or swept.
            (Stage::Whole | Stage::Reading | Stage::Giving, History::Swept) => {
                self.read_on_from(Cursor::default())
            }
        }
    }

    /// The node has every record up to here.
    pub(super) fn has(&mut self, cursor: Cursor) {
        self.trail.push(cursor);
    }

    /// The log has records, the last of them at this place or before.
    pub(super) fn remember(&mut self, records: &[Revocation], place: u64) {
        for record in records {
            self.window.put(*record, place);
            if let Some(held) = self.held.get(&record.selector()) {
                if held.beyond(Some(*record)).is_none() {
                    self.held.remove(&record.selector());
                }
            }
        }
    }

    /// The log gave these records to the node.
    pub(super) fn read(&mut self, records: &[Revocation], place: u64) {
        for record in records {
            let unread = self.unread.get(&record.selector());
            if unread.is_some_and(|(unread, _)| unread.beyond(Some(*record)).is_none()) {
                self.unread.remove(&record.selector());
            }
        }
        self.remember(records, place);
    }

    /// The node has appended records whose selectors were all new, after this number of polls. It must
    /// read them once: its cursor does not show that the log has lost them.
    pub(super) fn appended(&mut self, records: &[Revocation], polls: u64) {
        for record in records {
            if self.unread.len() < window::REMEMBERED {
                self.unread.insert(record.selector(), (*record, polls));
            }
        }
    }

    /// The node has read up to the end of the log, as of this poll. Returns whether the log lacks what
    /// the node has appended.
    pub(super) fn lacks(&mut self, poll: u64, forgotten: NumericDate) -> bool {
        self.unread
            .retain(|_, (record, _)| record.expires() > forgotten);
        self.unread.values().any(|(_, polls)| poll > *polls)
    }

    /// The node has everything that the log has. Returns whether the log had everything that the
    /// node remembers, before the last poll.
    pub(super) fn at_the_end(&mut self, incarnation: Incarnation, forgotten: NumericDate) -> bool {
        // What has expired may have been removed.
        self.held.retain(|_, record| record.expires() > forgotten);
        let was_whole = self.stage == Stage::Whole;
        if !was_whole {
            self.stage = Stage::Giving;
            self.given(incarnation);
        }
        was_whole
    }

    /// Returns some records that the log lacks. Empty if there is nothing to give back now.
    pub(super) fn gives(&self) -> Vec<Revocation> {
        if self.stage != Stage::Giving {
            return Vec::new();
        }
        self.held.values().take(RECORDS).copied().collect()
    }

    /// Everything that was given back is in the log of this incarnation.
    pub(super) fn given(&mut self, incarnation: Incarnation) {
        if self.stage == Stage::Giving && self.held.is_empty() {
            self.stage = Stage::Whole;
            self.healed = incarnation;
        }
    }

    fn read_on_from(&mut self, fork: Cursor) -> Verdict {
        self.stage = Stage::Reading;
        self.trail.cut(fork);
        let unread = mem::take(&mut self.unread);
        let unread = unread.into_values().map(|(record, _)| record);
        for record in self
            .window
            .take_beyond(fork.sequence)
            .into_iter()
            .chain(unread)
        {
            let held = self.held.entry(record.selector()).or_insert(record);
            *held = held.merge(record);
        }
        Verdict::GoOn
    }
}
