//! In which incarnation of the log did the engine answer?

use std::collections::VecDeque;

use super::super::engine::Incarnation;

/// This many incarnations that are over are remembered.
const REMEMBERED: usize = 16;

/// The incarnations of a log, as this node learned of them.
#[derive(Debug)]
pub(super) struct Incarnations {
    current: Option<Incarnation>,
    over: VecDeque<Incarnation>,
    /// How often the log lost its end, or may have.
    breaks: u64,
}

/// What an answer says about the incarnation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Current,
    /// Another one has begun. The one before is over.
    New,
    /// The answer is of one that is over.
    Over,
}

impl Incarnations {
    pub(super) fn new() -> Self {
        Self {
            current: None,
            over: VecDeque::new(),
            breaks: 0,
        }
    }

    /// How often the log may have lost its end. An append that was sent before the last time may
    /// have been lost.
    pub(super) fn breaks(&self) -> u64 {
        self.breaks
    }

    pub(super) fn is_current(&self, incarnation: Incarnation) -> bool {
        self.current == Some(incarnation)
    }

    /// The log lost its end within the same incarnation.
    pub(super) fn broke(&mut self) {
        self.breaks += 1;
    }

    pub(super) fn see(&mut self, incarnation: Incarnation) -> Seen {
        let is_over = self.over.contains(&incarnation);
        match self.current {
            Some(current) if current == incarnation => return Seen::Current,
            // An old engine that does not know yet. It never counts again: it could keep this process
            // fresh while others append elsewhere.
            Some(_) if is_over => return Seen::Over,
            Some(current) => {
                self.over.push_back(current);
                self.over
                    .drain(..self.over.len().saturating_sub(REMEMBERED));
                self.breaks += 1;
            }
            None => {}
        }
        self.current = Some(incarnation);
        Seen::New
    }
}
