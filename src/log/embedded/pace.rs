//! How long does the writing thread look for tasks before it sleeps or commits?
//!
//! To wake a thread takes tens of microseconds, about as long as a fast disk needs for an `fsync`.
//! A caller that revokes again at once finds the thread awake. And callers that got their replies
//! together revoke again together: the next commit waits for a moment, so that it is one commit of
//! all of them, and not one of the first and another one of the rest.

use std::{
    sync::mpsc::{Receiver, TryRecvError},
    thread,
    time::{Duration, Instant},
};

use super::queue::Task;

/// How long the thread looks for a task after a commit before it sleeps.
const AWAKE: Duration = Duration::from_micros(50);
/// A commit waits at most this long for as many jobs as the last one had.
const LONGEST_WAIT: Duration = Duration::from_micros(500);
/// It waits at most for this part of the time that the last one took.
const PART: u32 = 8;

/// What the last commit was like.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    jobs: usize,
    took: Duration,
}

impl Pace {
    pub(super) fn of(jobs: usize, took: Duration) -> Self {
        Self { jobs, took }
    }

    /// Returns the next task for a commit that has a number of jobs and has begun at some time.
    pub(super) fn another(
        &self,
        jobs: usize,
        begun: Instant,
        tasks: &Receiver<Task>,
    ) -> Option<Task> {
        let wait = if jobs < self.jobs {
            (self.took / PART).min(LONGEST_WAIT)
        } else {
            Duration::ZERO
        };
        look_until(begun + wait, tasks)
    }
}

/// Returns the task that comes right after a commit, if there is one.
pub(super) fn right_after(ended: Instant, tasks: &Receiver<Task>) -> Option<Task> {
    look_until(ended + AWAKE, tasks)
}

/// Returns the next task that comes until then. Other threads get the processor in between.
fn look_until(end: Instant, tasks: &Receiver<Task>) -> Option<Task> {
    loop {
        match tasks.try_recv() {
            Ok(task) => return Some(task),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) if Instant::now() >= end => return None,
            Err(TryRecvError::Empty) => thread::yield_now(),
        }
    }
}
