//! The one thread that writes. Whoever waits while it commits shares the next commit.
//!
//! What it does when a commit fails stands in [`recovery`](super::recovery).

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use super::{
    super::{LogError, LogErrorKind, Position, observe, readers::Readers},
    chores::Chores,
    fault::Fault,
    health::Health,
    queue::{Job, Task},
    store::Store,
    tables::State,
    work::Work,
};

/// So many jobs share one commit at the most, which bounds how long the first of them waits.
const GROUP: usize = 1024;
/// How often it is looked whether the file is still there while nobody writes.
pub(super) const LOOK: Duration = Duration::from_secs(1);

pub(super) struct Thread {
    pub(super) store: Arc<Store>,
    pub(super) stage: Stage,
    /// The last position that readers have been told.
    pub(super) told: Position,
    readers: Arc<Mutex<Readers>>,
    pub(super) health: Arc<Health>,
    pub(super) pause: Pause,
    pub(super) looked: Instant,
}

pub(super) enum Stage {
    Writing(State),
    Failed {
        next_attempt: Instant,
        /// Whether the store is to be opened anew, so that it can be read meanwhile.
        reopen: bool,
    },
}

/// How long to wait after a failure.
pub(super) struct Pause {
    pub(super) first: Duration,
    pub(super) next: Duration,
}

/// How a log begins.
pub(super) enum Begun {
    Writing(State),
    /// It can be read alone, from this position on.
    Failed {
        told: Position,
        fault: Fault,
    },
}

impl Thread {
    pub(super) fn new(
        store: Arc<Store>,
        begun: Begun,
        readers: Arc<Mutex<Readers>>,
        health: Arc<Health>,
        pause: Duration,
    ) -> Self {
        let now = Instant::now();
        let (told, stage) = match begun {
            Begun::Writing(state) => (state.position, Stage::Writing(state)),
            Begun::Failed { told, fault } => {
                health.fail(fault.into(), pause);
                let stage = Stage::Failed {
                    next_attempt: now + pause,
                    reopen: false,
                };
                (told, stage)
            }
        };
        Self {
            store,
            told,
            stage,
            readers,
            health,
            pause: Pause {
                first: pause,
                next: pause,
            },
            looked: now,
        }
    }

    /// Runs until there is no handle any more, and nothing in the queue.
    pub(super) fn run(mut self, tasks: &Receiver<Task>) {
        observe::writable(&self.health.get());
        let mut chores = Chores::default();
        // A job or a reader that panics is as bad as a disk that fails, and no worse.
        while catch_unwind(AssertUnwindSafe(|| self.work(tasks, &mut chores))).is_err() {
            // Nor may whoever is told of it end the thread.
            let _ = catch_unwind(AssertUnwindSafe(|| self.fail(&Fault::panicked(), true)));
        }
    }

    fn work(&mut self, tasks: &Receiver<Task>, chores: &mut Chores) {
        let mut next = None;
        loop {
            let task = match next.take() {
                Some(task) => Ok(task),
                None => tasks.recv_timeout(self.patience(chores)),
            };
            match task {
                Ok(Task::Part(job)) => next = self.group(job, tasks),
                Ok(Task::Between(job)) => job(&self.store, self.told),
                Ok(Task::Chore(name, chore)) => chores.adopt(name, chore),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.tend();
            if self.is_writing() {
                chores.take_a_step(self);
            }
        }
    }

    pub(super) fn is_writing(&self) -> bool {
        matches!(self.stage, Stage::Writing(_))
    }

    /// One commit for all jobs that wait. Everybody hears how it ended, and readers hear of it
    /// before. Returns the task that ended their line.
    fn group(&mut self, first: Job, tasks: &Receiver<Task>) -> Option<Task> {
        if !self.is_writing() {
            self.refuse(first);
            return None;
        }
        let mut answers = Vec::new();
        let mut next = Some(Task::Part(first));
        let committed = self.transact(|work| {
            while let Some(Task::Part(job)) = next.take_if(|next| matches!(next, Task::Part(_))) {
                let (answer, fault) = job(Ok(work));
                answers.push(answer);
                fault.map_or(Ok(()), Err)?;
                if answers.len() < GROUP {
                    // Whoever came while the first were at it takes part as well.
                    next = tasks.try_recv().ok();
                }
            }
            Ok(())
        });
        let ended = committed.map_err(|fault| {
            self.fail(&fault, true);
            self.health.failure()
        });
        for answer in answers {
            answer(ended.clone());
        }
        next
    }

    /// One commit, and readers hear of it.
    pub(super) fn transact<T>(
        &mut self,
        job: impl FnOnce(&mut Work<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let Stage::Writing(state) = &mut self.stage else {
            return Err(Fault::new(LogErrorKind::Closed));
        };
        let (value, news, dirty) = self.store.with(|database| {
            let mut transaction = database.begin_write()?;
            // Names and notes in the file are chosen by peers, and one who also makes us crash must
            // not be able to pass off half a commit as a whole one.
            transaction.set_two_phase_commit(true);
            let mut work = Work::begin(&transaction, state)?;
            let value = job(&mut work)?;
            let (news, dirty) = (std::mem::take(&mut work.news), work.dirty);
            drop(work);
            if dirty {
                transaction.commit()?;
            } else {
                transaction.abort()?;
            }
            Ok((value, news, dirty))
        })?;
        // Not before the commit: whoever took the file away before the answer is seen. Also if there
        // was nothing to write, as what covers it has to be there.
        self.store.check()?;
        if dirty {
            self.pause.next = self.pause.first;
        }
        let position = state.position;
        if !news.is_empty() {
            self.readers().tell(position, &news);
        }
        self.told = position;
        Ok(value)
    }

    fn refuse(&self, job: Job) {
        let refusal = self.health.refusal();
        let refusal = refusal.unwrap_or_else(|| LogError::new(LogErrorKind::Closed));
        // It has nothing to do its part of.
        let _ = job(Err(refusal));
    }

    /// How long to wait for a task.
    fn patience(&self, chores: &Chores) -> Duration {
        let now = Instant::now();
        let due = match &self.stage {
            Stage::Writing(_) => chores
                .due()
                .map_or(self.looked + LOOK, |due| due.min(self.looked + LOOK)),
            Stage::Failed { next_attempt, .. } => *next_attempt,
        };
        due.saturating_duration_since(now)
    }

    pub(super) fn readers(&self) -> MutexGuard<'_, Readers> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
