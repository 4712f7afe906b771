//! A node, with shortcuts to the states in which tests begin.

use std::time::Duration;

use super::{
    super::{Action, Core, Event},
    LEASE, append, at, completes, page, polls, settings, unlisted,
};
use crate::log::Moment;

/// A node with a clock of its own.
pub(super) struct Node {
    pub(super) core: Core,
    pub(super) now: Moment,
}

impl Node {
    /// A node that has sent its first poll.
    pub(super) fn new() -> Self {
        Self::with(1, false).polling()
    }

    /// The same, and its appends wait for all members.
    pub(super) fn waiting() -> Self {
        Self::with(1, true).polling()
    }

    pub(super) fn polling(self) -> Self {
        let mut node = self;
        assert_eq!(polls(&node.on(Event::Timer)), [at(0)]);
        node
    }

    pub(super) fn seeded(seed: u64) -> Self {
        Self::with(seed, false)
    }

    pub(super) fn with(seed: u64, waits: bool) -> Self {
        let now = Moment::now();
        let core = Core::new(&settings(seed, waits), now);
        Self { core, now }
    }

    /// A node that is complete, with the first record of the log.
    pub(super) fn complete() -> Self {
        Self::new().completed()
    }

    pub(super) fn completed(self) -> Self {
        let mut node = self;
        // The first page says which incarnation it is, and the second that the node was not listed.
        for _ in 0..2 {
            let actions = node.on(Event::Polled(Ok(unlisted(page(1, 1)))));
            assert!(completes(&actions).is_empty());
            assert_eq!(polls(&actions), [at(1)]);
        }
        let actions = node.on(Event::Polled(Ok(page(1, 1))));
        assert_eq!(completes(&actions), [node.now]);
        node
    }

    /// The incarnation has lasted for so long that no lease is left from before.
    pub(super) fn settled(self) -> Self {
        let mut node = self;
        for _ in 0..6 {
            assert_eq!(polls(&node.after(LEASE / 5, Event::Timer)).len(), 1);
            node.on(Event::Polled(Ok(page(1, 1))));
        }
        node
    }

    pub(super) fn on(&mut self, event: Event) -> Vec<Action> {
        self.core.on_event(self.now, event)
    }

    pub(super) fn after(&mut self, time: Duration, event: Event) -> Vec<Action> {
        self.now = self.now + time;
        self.on(event)
    }

    /// Waits as long as the core says.
    pub(super) fn sleep(&mut self) -> Vec<Action> {
        let wait = self.wait().expect("something is due");
        self.after(wait, Event::Timer)
    }

    pub(super) fn wait(&self) -> Option<Duration> {
        Some(self.core.wake_at()?.since(self.now))
    }

    pub(super) fn append(&mut self, id: u64, records: usize) -> Vec<Action> {
        self.on(append(id, records))
    }
}
