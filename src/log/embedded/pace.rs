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
        look_until(begun + self.wait(jobs), tasks)
    }

    /// Returns how long after its beginning a commit with a number of jobs waits for another.
    fn wait(&self, jobs: usize) -> Duration {
        if jobs < self.jobs {
            (self.took / PART).min(LONGEST_WAIT)
        } else {
            Duration::ZERO
        }
    }
}

/// Returns the task that arrives right after a commit, if there is one.
pub(super) fn right_after(ended: Instant, tasks: &Receiver<Task>) -> Option<Task> {
    look_until(ended + AWAKE, tasks)
}

/// Returns the next task that arrives before `end`. Yields to other threads while it waits.
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    fn task() -> Task {
        Task::BetweenCommits(Box::new(|_, _| {}))
    }

    #[test]
    fn commit_waits_only_while_it_has_fewer_jobs_than_the_last() {
        let micros = Duration::from_micros;
        let wait = |jobs, took, now| Pace::of(jobs, took).wait(now);
        assert_eq!(Pace::default().wait(1), micros(0));
        assert_eq!(wait(1, micros(800), 1), micros(0));
        assert_eq!(wait(64, micros(800), 64), micros(0));
        assert_eq!(wait(64, micros(800), 63), micros(100));
        assert_eq!(wait(64, micros(80_000), 1), LONGEST_WAIT);
    }

    #[test]
    fn task_in_the_queue_is_taken_without_a_wait() {
        let (sender, tasks) = sync_channel(1);
        let (pace, now) = (Pace::of(1, Duration::MAX), Instant::now());
        sender.send(task()).unwrap();
        assert!(pace.another(1, now, &tasks).is_some());
        assert!(pace.another(1, now, &tasks).is_none());
        sender.send(task()).unwrap();
        assert!(right_after(now, &tasks).is_some());
        drop(sender);
        // The thread ends without looking on.
        assert!(look_until(now + Duration::from_secs(60 * 60), &tasks).is_none());
    }

    #[test]
    fn task_that_arrives_meanwhile_is_taken() {
        let (sender, tasks) = sync_channel(1);
        let end = Instant::now() + Duration::from_secs(60);
        let sending = thread::spawn(move || sender.send(task()));
        assert!(look_until(end, &tasks).is_some());
        sending.join().unwrap().unwrap();
    }
}
