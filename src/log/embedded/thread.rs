//! The one thread that writes. Whoever waits while it commits shares the next commit.
//!
//! A commit that fails leaves open what is on the disk. The thread then reads the disk anew, after a
//! pause that grows with every attempt, tells readers what they have not heard, and goes on.

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
    fault::Fault,
    health::Health,
    queue::{Chore, Job, Task},
    store::Store,
    tables::{self, Expected, State},
    work::Work,
};

/// So many jobs share one commit at the most, which bounds how long the first of them waits.
const GROUP: usize = 1024;
/// How often it is looked whether the file is still there while nobody writes.
const LOOK: Duration = Duration::from_secs(1);
/// The longest pause between two attempts to recover.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

pub(super) struct Thread {
    store: Arc<Store>,
    stage: Stage,
    /// The last position that readers have been told.
    told: Position,
    readers: Arc<Mutex<Readers>>,
    health: Arc<Health>,
    pause: Pause,
    looked: Instant,
    chores: Vec<Due>,
}

enum Stage {
    Writing(State),
    Failed {
        next_attempt: Instant,
        /// Whether the store is to be opened anew, so that it can be read meanwhile.
        reopen: bool,
    },
}

/// How long to wait after a failure.
struct Pause {
    first: Duration,
    next: Duration,
}

/// A chore, and when it is due.
struct Due {
    name: &'static str,
    chore: Chore,
    at: Instant,
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
                let next_attempt = now + pause;
                let reopen = false;
                (
                    told,
                    Stage::Failed {
                        next_attempt,
                        reopen,
                    },
                )
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
            chores: Vec::new(),
        }
    }

    /// Runs until there is no handle any more, and nothing in the queue.
    pub(super) fn run(mut self, tasks: &Receiver<Task>) {
        observe::writable(&self.health.get());
        // A job or a reader that panics is as bad as a disk that fails, and no worse.
        while catch_unwind(AssertUnwindSafe(|| self.work(tasks))).is_err() {
            self.fail(&Fault::panicked(), true);
        }
    }

    fn work(&mut self, tasks: &Receiver<Task>) {
        let mut next = None;
        loop {
            let task = match next.take() {
                Some(task) => Ok(task),
                None => tasks.recv_timeout(self.patience()),
            };
            match task {
                Ok(Task::Part(job)) => next = self.group(job, tasks),
                Ok(Task::Between(job)) => job(&self.store, self.told),
                Ok(Task::Chore(name, chore)) => self.adopt(name, chore),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.tend();
        }
    }

    /// One commit for all jobs that wait. Everybody hears how it ended, and readers hear of it
    /// before. Returns the task that ended their line.
    fn group(&mut self, first: Job, tasks: &Receiver<Task>) -> Option<Task> {
        if !matches!(self.stage, Stage::Writing(_)) {
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
    fn transact<T>(
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
            lock(&self.readers).tell(position, &news);
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

    /// From now on nothing is written. The store may have to be opened anew, so that it can be read
    /// meanwhile; one that works, and is only not at its path, need not.
    fn fail(&mut self, fault: &Fault, reopen: bool) {
        let pause = self.pause.next;
        self.pause.next = (2 * pause).min(LONGEST_PAUSE);
        self.stage = Stage::Failed {
            next_attempt: Instant::now() + pause,
            reopen: reopen && !fault.is_about_the_path(),
        };
        self.health.fail(fault.clone().into(), pause);
    }

    /// What is to be done beside the tasks.
    fn tend(&mut self) {
        match &mut self.stage {
            Stage::Writing(_) => {
                if let Err(fault) = self.look() {
                    self.fail(&fault, true);
                } else {
                    self.do_chores();
                }
            }
            Stage::Failed {
                next_attempt,
                reopen,
            } => {
                let is_time = Instant::now() >= *next_attempt;
                if std::mem::take(reopen) {
                    self.store.close();
                    // If it fails, so does the next attempt, which says why.
                    let _ = self.store.renew(self.told);
                }
                if is_time {
                    self.attempt();
                }
            }
        }
    }

    /// Whether what is open is still there, and can be read.
    fn look(&mut self) -> Result<(), Fault> {
        if let Some(fault) = self.store.suspicion() {
            return Err(fault);
        }
        if self.looked.elapsed() < LOOK {
            return Ok(());
        }
        self.looked = Instant::now();
        observe::writable(&self.health.get());
        self.store.check()
    }

    /// Reads the disk anew, and tells readers what they have not heard.
    fn attempt(&mut self) {
        if self.store.suspicion().is_some() {
            self.store.close();
        }
        if let Err(fault) = self.store.renew(self.told) {
            return self.fail(&fault, false);
        }
        match self.resume() {
            Ok(state) => {
                self.told = state.position;
                self.stage = Stage::Writing(state);
                self.health.recover();
            }
            Err(fault) => self.fail(&fault, true),
        }
    }

    fn resume(&self) -> Result<State, Fault> {
        let (state, missed) = self.store.with(|database| {
            let state = tables::begin(database, Expected::Told(self.told))?;
            let missed = match tables::after(database, self.told, state.position.sequence) {
                Ok(missed) => missed,
                // Some of it was forgotten in the commit that failed. More does no harm.
                Err(fault) if fault.is_a_gap() => tables::snapshot(database)?.records,
                Err(fault) => return Err(fault),
            };
            Ok((state, missed))
        })?;
        lock(&self.readers).tell(state.position, &missed);
        Ok(state)
    }

    fn adopt(&mut self, name: &'static str, chore: Chore) {
        self.chores.retain(|known| known.name != name);
        let at = Instant::now() + chore.period;
        self.chores.push(Due { name, chore, at });
    }

    /// One step of every chore that is due.
    fn do_chores(&mut self) {
        let mut chores = std::mem::take(&mut self.chores);
        let now = Instant::now();
        for due in chores.iter_mut().filter(|due| due.at <= now) {
            let step = &mut due.chore.step;
            let stepped = self.transact(|work| match step(work) {
                Err(fault) if fault.is_about_rows() => Ok(Err(fault)),
                stepped => stepped.map(Ok),
            });
            match stepped {
                Ok(Ok(true)) => continue,
                Ok(Ok(false)) => {}
                Ok(Err(fault)) => observe::chore_failed(due.name, &fault.into()),
                Err(fault) => self.fail(&fault, true),
            }
            due.at = now + due.chore.period;
        }
        self.chores = chores;
    }

    /// How long to wait for a task.
    fn patience(&self) -> Duration {
        let now = Instant::now();
        let due = match &self.stage {
            Stage::Writing(_) => {
                let chores = self.chores.iter().map(|due| due.at);
                chores.fold(self.looked + LOOK, Instant::min)
            }
            Stage::Failed { next_attempt, .. } => *next_attempt,
        };
        due.saturating_duration_since(now)
    }
}

fn lock(readers: &Mutex<Readers>) -> MutexGuard<'_, Readers> {
    readers.lock().unwrap_or_else(PoisonError::into_inner)
}
