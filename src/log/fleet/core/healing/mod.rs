//! Did the log lose records that this node has, and has the node given them back?

mod memory;

use std::{collections::HashMap, mem};

use super::{
    super::{
        super::{NumericDate, Revocation, Selector},
        engine::{Cursor, History, Incarnation},
        kept::{Found, Recalled},
    },
    messages::Action,
    queue::RECORDS,
    recall::Recall,
    trail::Trail,
    window::Window,
};

/// What a node does after the log may have lost its end, until the log has everything again that the
/// node remembers.
#[derive(Clone, Debug)]
pub(super) struct Healing {
    stage: Stage,
    trail: Trail,
    window: Window,
    /// Whether the node has a copy of the log on its disk, and what of it is needed.
    has_copy: bool,
    recall: Recall,
    /// Whether the copy may have something that neither the node nor the log has, and is to be compared
    /// in another incarnation.
    is_doubted: bool,
    /// The latest expiry of the records that the log has removed.
    forgotten: NumericDate,
    /// What the log may have lost.
    held: HashMap<Selector, Revocation>,
    /// What this node has appended and has not read since, and how many polls had been sent.
    unread: HashMap<Selector, (Revocation, u64)>,
    /// What the node had read when a new reader made it read everything again.
    left_off: Cursor,
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
            has_copy: false,
            recall: Recall::default(),
            is_doubted: false,
            forgotten: NumericDate::new(0),
            held: HashMap::new(),
            unread: HashMap::new(),
            left_off: Cursor::default(),
            healed: Incarnation(0),
        }
    }

    /// The node has a copy of the log on its disk.
    pub(super) fn resume(&mut self, found: Found) {
        self.has_copy = true;
        self.window.forget_up_to(match found.cursor {
            Some(cursor) => cursor.sequence,
            None if found.is_new => 0,
            // It is unknown how much of it the log has.
            None => u64::MAX,
        });
    }

    /// The copy may have something that neither the node nor the log has. It is compared with the log
    /// before the node has healed.
    pub(super) fn doubt(&mut self) {
        self.window.forget_up_to(u64::MAX);
        if self.stage == Stage::Whole {
            // Others have renewed their leases since. Another incarnation makes them wait.
            self.is_doubted = true;
        } else {
            self.stage = Stage::Finding;
        }
    }

    #[cfg(test)]
    pub(super) fn remember_at_most(&mut self, records: usize) {
        self.window.limit = records;
    }

    /// The incarnation of which the node has everything, and which has everything of the node.
    pub(super) fn whole(&self) -> Option<Incarnation> {
        let is_whole = self.stage == Stage::Whole && !self.is_doubted;
        is_whole.then_some(self.healed)
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
            // What the node remembers is not all that the log may have lost. It reads the whole log, to
            // compare it with the copy.
            (Stage::Finding, History::Same)
                if after != Cursor::default() && self.needs_copy(after) =>
            {
                Verdict::GoBack(Cursor::default())
            }
            (Stage::Finding, History::Same) => self.read_on_from(after),
            // What is missing may have been lost or swept.
            (Stage::Whole | Stage::Reading | Stage::Giving, History::Swept) => {
                self.read_on_from(Cursor::default())
            }
        }
    }

    /// The node has read up to here, and begins again.
    pub(super) fn read_again(&mut self, from: Cursor) {
        if self.stage != Stage::Finding && from.sequence > self.left_off.sequence {
            self.left_off = from;
        }
    }

    /// The node has read up to the end. Returns where to go on if it began again and the log may lack
    /// what the node had before.
    pub(super) fn left_off(&mut self, end: Cursor) -> Option<Cursor> {
        let left_off = mem::take(&mut self.left_off);
        (left_off.sequence > 0 && left_off != end).then_some(left_off)
    }

    /// The node has every record up to here.
    fn has(&mut self, cursor: Cursor) {
        self.trail.push(cursor);
    }

    /// The log of the current incarnation has these records.
    fn saw(&mut self, records: &[Revocation]) {
        self.recall.saw(records);
    }

    /// Asks for a piece of the copy, if there is room for it.
    pub(super) fn recall(&mut self) -> Option<Action> {
        let has_room = self.stage == Stage::Giving && self.held.len() < RECORDS;
        let after = has_room.then(|| self.recall.ask())?;
        after.map(Action::Recall)
    }

    /// A piece of the copy. `None` if the copy cannot be read. Then the node gives back what it has,
    /// and needs the copy again after the next loss.
    pub(super) fn recalled(&mut self, recalled: Option<Recalled>) {
        let Some(recalled) = recalled else {
            self.recall.failed();
            return;
        };
        let mut missing = self.recall.answered(recalled.records, recalled.next);
        missing.retain(|record| record.expires() > self.forgotten);
        self.hold(missing);
    }

    /// The node has everything that the log has. Returns whether the log had everything that the
    /// node remembers, before the last poll.
    pub(super) fn at_the_end(&mut self, incarnation: Incarnation, forgotten: NumericDate) -> bool {
        self.forgotten = self.forgotten.max(forgotten);
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
        if self.stage == Stage::Giving && self.held.is_empty() && self.recall.is_over() {
            self.stage = Stage::Whole;
            self.healed = incarnation;
            if self.recall.has_ended() {
                // The log has everything of the copy.
                self.window.forgot_only_up_to(self.trail.newest().sequence);
            }
        }
    }

    /// Whether the copy has records that the log may have lost if it has the same up to a cursor.
    fn needs_copy(&self, fork: Cursor) -> bool {
        self.has_copy && self.window.forgot_beyond(fork.sequence)
    }

    fn read_on_from(&mut self, fork: Cursor) -> Verdict {
        self.stage = Stage::Reading;
        self.is_doubted = false;
        // All that the node remembers from behind the fork is compared.
        self.left_off = Cursor::default();
        self.trail.cut(fork);
        let unread = mem::take(&mut self.unread);
        let unread = unread.into_values().map(|(record, _)| record);
        let lost = self.window.take_beyond(fork.sequence);
        self.hold(lost.into_iter().chain(unread));
        if self.needs_copy(fork) {
            self.recall.begin();
        } else {
            self.recall.stop();
        }
        Verdict::GoOn
    }
}
