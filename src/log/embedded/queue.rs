//! What waits for the thread that writes, and how much of it may be of one client.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    time::Duration,
};

use super::{
    super::{LogError, LogErrorKind, Position, Selector},
    fault::Fault,
    store::Store,
    work::Work,
};

/// So many tasks may wait. Beyond it they are refused: a caller that is told so can try again
/// elsewhere.
const QUEUE: usize = 16 * 1024;
/// So many of them may be of one client.
pub(super) const QUOTA: usize = QUEUE / 16;

/// What the thread that writes does.
pub(super) enum Task {
    /// Takes part in the next commit.
    Part(Job),
    /// Is done between two commits.
    Between(Between),
    /// Is done again and again from now on, in place of what had the same name.
    Chore(&'static str, Chore),
}

/// Does its part of a commit, and returns what to do once it is known how the commit ended, and
/// what has to make the commit fail. Instead of a commit it may be given the reason why there is
/// none.
pub(super) type Job =
    Box<dyn FnOnce(Result<&mut Work<'_>, LogError>) -> (Answer, Option<Fault>) + Send>;
pub(super) type Answer = Box<dyn FnOnce(Result<(), LogError>) + Send>;

/// Is given the store, and the last position that readers have been told.
pub(super) type Between = Box<dyn FnOnce(&Store, Position) + Send>;

/// What is done once in a period, in steps that each are part of a commit.
pub(super) struct Chore {
    pub(super) period: Duration,
    /// Returns whether there is more to do.
    pub(super) step: ChoreStep,
}

pub(super) type ChoreStep = Box<dyn FnMut(&mut Work<'_>) -> Result<bool, Fault> + Send>;

#[derive(Debug)]
pub(super) struct Queue {
    tasks: SyncSender<Task>,
    /// How many tasks of each client wait.
    waiting: Arc<Mutex<HashMap<Selector, usize>>>,
}

impl Queue {
    pub(super) fn new() -> (Self, Receiver<Task>) {
        let (tasks, received) = sync_channel(QUEUE);
        let waiting = Arc::default();
        (Self { tasks, waiting }, received)
    }

    /// Queues a task.
    pub(super) fn put(&self, task: Task) -> Result<(), LogErrorKind> {
        self.tasks.try_send(task).map_err(|refused| match refused {
            TrySendError::Full(_) => LogErrorKind::QueueFull,
            TrySendError::Disconnected(_) => LogErrorKind::Closed,
        })
    }

    /// Queues a task, and waits for room.
    pub(super) fn put_patiently(&self, task: Task) {
        // If the thread has gone, so has what the task is for.
        let _ = self.tasks.send(task);
    }

    /// A place in the queue, if the client's quota has one.
    pub(super) fn admit(&self, client: Selector) -> Result<Place, LogErrorKind> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.entry(client).or_default();
        if *count >= QUOTA {
            return Err(LogErrorKind::QueueFull);
        }
        *count += 1;
        Ok(Place {
            client,
            waiting: self.waiting.clone(),
        })
    }
}

/// A client's place in the queue, until it is dropped.
pub(super) struct Place {
    client: Selector,
    waiting: Arc<Mutex<HashMap<Selector, usize>>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = waiting.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                waiting.remove(&self.client);
            }
        }
    }
}
