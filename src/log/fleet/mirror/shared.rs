//! What do the mirror, its copying and its node tell each other?

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use super::super::{
    super::LogError,
    engine::Incarnation,
    kept::{KeptUpTo, Recalled},
    observe,
};

/// What a node has said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) whole: Option<Incarnation>,
    pub(super) sequence: u64,
}

#[derive(Debug, Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// The copy may have records that neither the node nor the log has.
    pub(super) doubted: Notify,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// `None` while the file has something that the log may lack.
    pub(super) up_to: Option<KeptUpTo>,
    pub(super) doubt: Doubt,
    pub(super) problem: Option<Arc<str>>,
    /// Why the file could not be compared with the log the last time. The log may lack what it has.
    pub(super) unread: Option<Arc<str>>,
}

/// Whether the file may have records that neither the node nor the log has, so that the node has to
/// compare them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Doubt {
    /// There is none, or the node knows it and is not whole until it has compared the file.
    #[default]
    None,
    Raised,
    /// The node is being told.
    Told,
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The node has to compare the file with the log.
    pub(super) fn doubt(&self) {
        self.state().doubt = Doubt::Raised;
        self.doubted.notify_one();
    }

    /// Whether the node is to be told that it has to compare the file.
    pub(super) fn tell(&self) -> bool {
        let mut state = self.state();
        let is_raised = state.doubt == Doubt::Raised;
        if is_raised {
            state.doubt = Doubt::Told;
        }
        is_raised
    }

    /// What the node has said last. It has heard of each doubt.
    pub(super) fn heard(&self, node: &mut watch::Receiver<Seen>) -> Seen {
        // Under the lock: the node takes back what it said when it hears of a doubt.
        let state = self.state();
        let mut seen = *node.borrow_and_update();
        seen.whole = seen.whole.filter(|_| state.doubt == Doubt::None);
        seen
    }

    /// The file cannot be written, or can be again.
    pub(super) fn set_problem(&self, error: Option<&LogError>) {
        let had_one = self.state().problem.is_some();
        match (error, had_one) {
            (Some(error), false) => observe::mirror_failed(error),
            (None, true) => observe::mirror_recovered(),
            _ => {}
        }
        self.state().problem = error.map(|error| problem("the mirror is behind", error));
    }

    /// A piece of the file was read for the node, or cannot be.
    pub(super) fn recalled(&self, piece: &Result<Recalled, LogError>) {
        match piece {
            Err(error) => {
                observe::mirror_unread(error);
                let what = "the mirror cannot be read, and the log may lack what only it has";
                self.state().unread = Some(problem(what, error));
            }
            // A node asks for the next one only after the ones before.
            Ok(piece) if piece.next.is_none() => self.state().unread = None,
            Ok(_) => {}
        }
    }
}

/// For people: the first cause says what happened to the file.
fn problem(what: &str, error: &LogError) -> Arc<str> {
    let mut first: &dyn std::error::Error = error;
    while let Some(cause) = first.source() {
        first = cause;
    }
    format!("{what}: {first}").into()
}
