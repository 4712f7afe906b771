//! The queue of the writing thread, and the part of it that one client can use.

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

/// At most this many tasks can wait. Further tasks are refused, so that their callers can try again
/// elsewhere.
const QUEUE: usize = 16 * 1024;
/// At most this many of them can belong to one client.
pub(super) const QUOTA: usize = QUEUE / 16;

/// A task of the writing thread.
pub(super) enum Task {
    /// Is a part of the next commit.
    Write(Job),
    /// Runs between two commits.
    BetweenCommits(BetweenCommits),
    /// Runs periodically from now on, and replaces the task of the same name.
    Periodic(&'static str, PeriodicTask),
}

/// Does its part of a commit. Returns the function that replies to the caller after the commit, and
/// the fault that must make the commit fail, if there is one. If there is no commit, the job gets
/// the reason instead.
pub(super) type Job =
    Box<dyn FnOnce(Result<&mut Work<'_>, LogError>) -> (Reply, Option<Fault>) + Send>;
/// Replies to the caller, given the result of the commit.
pub(super) type Reply = Box<dyn FnOnce(Result<(), LogError>) + Send>;

/// Gets the store, and the last position that readers have seen.
pub(super) type BetweenCommits = Box<dyn FnOnce(&Store, Position) + Send>;

/// A task that runs once in a period, in steps. Each step is a commit of its own.
pub(super) struct PeriodicTask {
    pub(super) period: Duration,
    /// Returns whether there is more to do.
    pub(super) step: PeriodicStep,
}

pub(super) type PeriodicStep = Box<dyn FnMut(&mut Work<'_>) -> Result<bool, Fault> + Send>;

#[derive(Debug)]
pub(super) struct Queue {
    tasks: SyncSender<Task>,
    /// The number of waiting tasks of each client.
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

    /// Queues a task, and waits until the queue has room.
    pub(super) fn put_blocking(&self, task: Task) {
        // If the thread has ended, the task has no purpose any more.
        let _ = self.tasks.send(task);
    }

    /// Takes a slot of the client's quota.
    pub(super) fn take_slot(&self, client: Selector) -> Result<Slot, LogErrorKind> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.entry(client).or_default();
        if *count >= QUOTA {
            return Err(LogErrorKind::QueueFull);
        }
        *count += 1;
        Ok(Slot {
            client,
            waiting: self.waiting.clone(),
        })
    }
}

/// A slot of a client's quota, which is free again when this is dropped.
pub(super) struct Slot {
    client: Selector,
    waiting: Arc<Mutex<HashMap<Selector, usize>>>,
}

impl Drop for Slot {
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
