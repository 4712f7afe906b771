//! The writing thread. Jobs that are queued during a commit share the next commit.
//!
//! For failed commits see [`recovery`](super::recovery).

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use redb::ReadableDatabase as _;

use super::{
    super::{LogError, LogErrorKind, Position, readers::Readers},
    fault::Fault,
    health::Health,
    pace::{self, Pace},
    periodic::PeriodicTasks,
    queue::{Job, Task},
    store::Store,
    tables::State,
    work::Work,
};

/// At most this many jobs share one commit, which limits how long the first of them waits.
const MAX_JOBS: usize = 1024;
/// How often the thread checks that the file is still there while nothing is written.
pub(super) const CHECK_PERIOD: Duration = Duration::from_secs(1);

pub(super) struct Thread {
    pub(super) store: Arc<Store>,
    pub(super) stage: Stage,
    /// The last position that readers have seen.
    pub(super) seen: Position,
    readers: Arc<Mutex<Readers>>,
    pub(super) health: Arc<Health>,
    pub(super) pause: Pause,
    /// When the store was last checked.
    pub(super) checked: Instant,
    pace: Pace,
}

pub(super) enum Stage {
    Writing(State),
    Failed {
        next_attempt: Instant,
        /// Whether to open the store again now, so that it can be read until the next attempt.
        reopen: bool,
    },
}

/// A commit that succeeded.
pub(super) struct Committed<T> {
    pub(super) value: T,
    /// Whether there was anything to write.
    wrote: bool,
}

/// How long the thread waits after a failure.
pub(super) struct Pause {
    pub(super) first: Duration,
    pub(super) next: Duration,
}

/// The state of a log when it is opened.
pub(super) enum Start {
    Writable(State),
    /// The log can be read up to `seen`, and not written.
    ReadOnly {
        seen: Position,
        fault: Fault,
    },
}

impl Thread {
    pub(super) fn new(
        store: Arc<Store>,
        start: Start,
        readers: Arc<Mutex<Readers>>,
        health: Arc<Health>,
        pause: Duration,
    ) -> Self {
        let now = Instant::now();
        let (seen, stage) = match start {
            Start::Writable(state) => (state.position, Stage::Writing(state)),
            Start::ReadOnly { seen, fault } => {
                health.fail(fault.into(), pause);
                let stage = Stage::Failed {
                    next_attempt: now + pause,
                    reopen: false,
                };
                (seen, stage)
            }
        };
        Self {
            store,
            seen,
            stage,
            readers,
            health,
            pause: Pause {
                first: pause,
                next: pause,
            },
            checked: now,
            pace: Pace::default(),
        }
    }

    /// Runs until the last handle is dropped and the queue is empty.
    pub(super) fn run(mut self, tasks: &Receiver<Task>) {
        self.health.observe();
        let mut periodic = PeriodicTasks::default();
        // A job or a reader that panics has the same effect as a disk that fails.
        while catch_unwind(AssertUnwindSafe(|| self.work(tasks, &mut periodic))).is_err() {
            // A subscriber that panics while the failure is reported must not end the thread.
            let _ = catch_unwind(AssertUnwindSafe(|| self.fail(&Fault::panicked(), true)));
        }
    }

    fn work(&mut self, tasks: &Receiver<Task>, periodic: &mut PeriodicTasks) {
        let mut next = None;
        loop {
            let task = match next.take() {
                Some(task) => Ok(task),
                None => tasks.recv_timeout(self.wait_time(periodic)),
            };
            match task {
                Ok(Task::Write(job)) => next = self.commit(job, tasks),
                Ok(Task::BetweenCommits(job)) => job(&self.store, self.seen),
                Ok(Task::Periodic(name, task)) => periodic.add(name, task),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.maintain();
            if self.is_writing() {
                periodic.run_steps(self);
            }
        }
    }

    pub(super) fn is_writing(&self) -> bool {
        matches!(self.stage, Stage::Writing(_))
    }

    /// Makes one commit of all jobs that wait. Notifies readers, and then replies to each caller.
    /// Returns the first task that is not part of the commit, if it was taken from the queue.
    pub(super) fn commit(&mut self, first: Job, tasks: &Receiver<Task>) -> Option<Task> {
        if !self.is_writing() {
            self.refuse(first);
            return None;
        }
        let (begun, pace) = (Instant::now(), self.pace);
        let mut replies = Vec::new();
        let mut next = Some(Task::Write(first));
        let committed = self.transact(|work| {
            while let Some(Task::Write(job)) = next.take_if(|next| matches!(next, Task::Write(_))) {
                let (reply, fault) = job(Ok(work));
                replies.push(reply);
                fault.map_or(Ok(()), Err)?;
                if replies.len() < MAX_JOBS {
                    // Jobs that were queued while the first jobs ran join the commit.
                    next = pace.another(replies.len(), begun, tasks);
                }
            }
            Ok(())
        });
        let wrote = matches!(committed, Ok(Committed { wrote: true, .. }));
        let ended = committed.map(drop).map_err(|fault| {
            self.fail(&fault, true);
            // A caller that gets the failure can read the store.
            self.make_readable();
            self.health.failure()
        });
        self.pace = Pace::of(replies.len(), begun.elapsed());
        for reply in replies {
            reply(ended.clone());
        }
        // Callers that wrote nothing, or whose commit failed, are not worth a busy processor.
        if wrote && next.is_none() {
            next = pace::right_after(Instant::now(), tasks);
        }
        next
    }

    /// Makes one commit and notifies readers. Aborts it if the job has changed nothing.
    pub(super) fn transact<T>(
        &mut self,
        job: impl FnOnce(&mut Work<'_>) -> Result<T, Fault>,
    ) -> Result<Committed<T>, Fault> {
        let Stage::Writing(state) = &mut self.stage else {
            return Err(Fault::new(LogErrorKind::Closed));
        };
        let (value, appended, wrote) = self.store.with(|database| {
            // One phase, and thus one `fsync`. Half a commit is recognised by its checksums, which
            // is safe because peers choose no bytes in the file: see `mask`.
            //
            // While this reader is open, the store keeps the pages that the commit replaces. The
            // next commit frees them. Otherwise the store frees them at once, in a second
            // transaction, and the next commit has another page to write.
            let _reader = database.begin_read()?;
            let transaction = database.begin_write()?;
            let mut work = Work::begin(&transaction, state);
            let value = job(&mut work)?;
            let (appended, dirty) = work.end()?;
            if dirty {
                transaction.commit()?;
            } else {
                transaction.abort()?;
            }
            Ok((value, appended, dirty))
        })?;
        // The check follows the commit, so that it finds a file that was removed before the reply.
        // It also runs if nothing was written, because the covering record has to be in the file.
        self.store.check()?;
        if wrote {
            self.pause.next = self.pause.first;
        }
        let position = state.position;
        if !appended.is_empty() {
            let mut readers = self.readers();
            readers.read(&appended);
            readers.complete(position);
        }
        self.seen = position;
        Ok(Committed { value, wrote })
    }

    fn refuse(&self, job: Job) {
        let refusal = self.health.refusal();
        let refusal = refusal.unwrap_or_else(|| LogError::new(LogErrorKind::Closed));
        // Without a commit there is nothing to reply to later.
        let _ = job(Err(refusal));
    }

    /// Returns how long to wait for a task before the next check, attempt or periodic task.
    fn wait_time(&self, periodic: &PeriodicTasks) -> Duration {
        let now = Instant::now();
        let due = match &self.stage {
            Stage::Writing(_) => {
                let check = self.checked + CHECK_PERIOD;
                periodic.due().map_or(check, |due| due.min(check))
            }
            Stage::Failed { reopen: true, .. } => now,
            Stage::Failed { next_attempt, .. } => *next_attempt,
        };
        due.saturating_duration_since(now)
    }

    pub(super) fn readers(&self) -> MutexGuard<'_, Readers> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
