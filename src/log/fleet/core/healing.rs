//! Did the log lose records that this node has, and has the node given them back?

use super::{
    super::engine::{Cursor, History, Incarnation},
    trail::Trail,
};

/// What a node does after the log may have lost its end, until the log has everything again that the
/// node remembers.
#[derive(Debug)]
pub(super) struct Healing {
    stage: Stage,
    trail: Trail,
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
}

/// What a page says about the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The records of the page follow on those that the node has.
    GoOn,
    /// The histories part before the cursor. The next page is asked for from this one.
    GoBack(Cursor),
    /// The log has lost its end, and nobody has begun another incarnation.
    Lost,
}

impl Healing {
    pub(super) fn new() -> Self {
        Self {
            stage: Stage::Finding,
            trail: Trail::default(),
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
            (Stage::Whole | Stage::Reading, History::Same) => Verdict::GoOn,
            (Stage::Whole | Stage::Reading, History::Other) => Verdict::Lost,
            (Stage::Finding, History::Swept | History::Other) => match self.trail.before(after) {
                Some(older) => Verdict::GoBack(older),
                None => self.read_on_from(Cursor::default()),
            },
            (Stage::Finding, History::Same) => self.read_on_from(after),
            // What is missing may have been lost or swept.
            (Stage::Whole | Stage::Reading, History::Swept) => self.read_on_from(Cursor::default()),
        }
    }

    /// The node has every record up to here.
    pub(super) fn has(&mut self, cursor: Cursor) {
        self.trail.push(cursor);
    }

    /// The node has everything that the log has. Returns whether the log had everything that the
    /// node remembers, before the last poll.
    pub(super) fn at_the_end(&mut self, incarnation: Incarnation) -> bool {
        let was_whole = self.stage == Stage::Whole;
        self.stage = Stage::Whole;
        self.healed = incarnation;
        was_whole
    }

    fn read_on_from(&mut self, fork: Cursor) -> Verdict {
        self.stage = Stage::Reading;
        self.trail.cut(fork);
        Verdict::GoOn
    }
}
