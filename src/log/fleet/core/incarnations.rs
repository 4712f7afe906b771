//! In which incarnation of the log did the engine answer?

use std::collections::VecDeque;

use super::super::{super::Moment, engine::Incarnation};

/// This many incarnations that are over are remembered.
const REMEMBERED: usize = 16;

/// The incarnations of a log, as this node learned of them.
#[derive(Clone, Debug)]
pub(super) struct Incarnations {
    current: Option<Incarnation>,
    over: VecDeque<Incarnation>,
    /// Those of late answers. They are older or newer than the current one.
    late: Vec<Incarnation>,
    /// How often the log lost its end, or may have.
    breaks: u64,
    /// When this node learned of the last one.
    pub(super) since: Option<Moment>,
}

/// What an answer says about the incarnation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Current,
    /// Another one has begun. The one before is over.
    New,
    /// The answer was on its way while another one told of an incarnation. It is not known which one
    /// is newer. The next answer says.
    Late,
    /// The answer is of one that is over.
    Over,
}

impl Incarnations {
    pub(super) fn new() -> Self {
        Self {
            current: None,
            over: VecDeque::new(),
            late: Vec::new(),
            breaks: 0,
            since: None,
        }
    }

    /// How often the log may have lost its end. An append that was sent before the last time may
    /// have been lost.
    pub(super) fn breaks(&self) -> u64 {
        self.breaks
    }

    /// `true` of each one before the first answer.
    pub(super) fn may_be_current(&self, incarnation: Incarnation) -> bool {
        self.current.is_none_or(|current| current == incarnation)
    }

    #[cfg(test)]
    pub(super) fn is_over(&self, incarnation: Incarnation) -> bool {
        self.over.contains(&incarnation)
    }

    /// The log lost its end within the same incarnation.
    pub(super) fn broke(&mut self) {
        self.breaks += 1;
    }

    /// The engine has answered in this incarnation. `breaks` is the count of breaks when the request was
    /// sent.
    pub(super) fn see(&mut self, now: Moment, incarnation: Incarnation, breaks: u64) -> Seen {
        if self.current == Some(incarnation) {
            return Seen::Current;
        }
        if self.over.contains(&incarnation) {
            // An old engine that does not know yet. It never counts again: it could keep this process
            // fresh while others append elsewhere.
            return Seen::Over;
        }
        if breaks != self.breaks {
            if !self.late.contains(&incarnation) {
                self.late.push(incarnation);
                self.breaks += 1;
            }
            return Seen::Late;
        }
        if let Some(current) = self.current {
            self.over.push_back(current);
            self.breaks += 1;
        }
        self.late.retain(|late| *late != incarnation);
        self.over.extend(self.late.drain(..));
        self.over
            .drain(..self.over.len().saturating_sub(REMEMBERED));
        self.current = Some(incarnation);
        self.since = Some(now);
        Seen::New
    }
}
