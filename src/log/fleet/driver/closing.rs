//! When may a node go that is to end?

use std::time::Duration;

use futures::channel::oneshot;
use tokio::time::Instant;

use super::super::super::LogError;

/// A node looks at the log once more before it goes, and gives back what the log has lost. Else the
/// others would take the log for whole, and only this node would have known better.
#[derive(Default)]
pub(super) struct Closing {
    callers: Vec<oneshot::Sender<Result<(), LogError>>>,
    since: Option<Instant>,
    look: Look,
}

#[derive(Default)]
enum Look {
    #[default]
    Due,
    /// The number of the poll.
    Asked(u64),
    Answered,
    Failed(LogError),
}

impl Closing {
    pub(super) fn begin(&mut self, caller: oneshot::Sender<Result<(), LogError>>) {
        self.callers.push(caller);
        self.since.get_or_insert_with(Instant::now);
    }

    pub(super) fn has_begun(&self) -> bool {
        self.since.is_some()
    }

    /// A poll with this number is sent.
    pub(super) fn asked(&mut self, number: u64) {
        if self.has_begun() && matches!(self.look, Look::Due) {
            self.look = Look::Asked(number);
        }
    }

    /// A poll has ended. `looked` is the number of the last one whose answer has shown the end of the
    /// log. Others show nothing: the answer of an engine that has been replaced, for example.
    pub(super) fn answered(&mut self, error: Option<LogError>, looked: u64) {
        if let Look::Asked(number) = self.look {
            match error {
                Some(error) => self.look = Look::Failed(error),
                None if looked >= number => self.look = Look::Answered,
                None => {}
            }
        }
    }

    /// Whether nothing is left to do. `is_whole` says that the log has everything that this node
    /// remembers. After `limit`, the others do not rely on this node any more.
    pub(super) fn is_done(&self, is_whole: bool, limit: Duration) -> bool {
        let is_over = self.since.is_some_and(|since| since.elapsed() >= limit);
        is_over
            || match self.look {
                Look::Due | Look::Asked(_) => false,
                Look::Answered => is_whole,
                Look::Failed(_) => true,
            }
    }

    /// Why the node could not look at the log.
    pub(super) fn failed(&self) -> Option<&LogError> {
        match &self.look {
            Look::Failed(error) => Some(error),
            _ => None,
        }
    }

    /// Tells the callers what has come of it.
    pub(super) fn end(self, result: &Result<(), LogError>) {
        for caller in self.callers {
            // The caller may have dropped the future.
            let _ = caller.send(result.clone());
        }
    }
}
