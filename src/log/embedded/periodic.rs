//! The periodic tasks of the writing thread.

use std::time::Instant;

use super::{super::observe, queue::PeriodicTask, thread::Thread};

#[derive(Default)]
pub(super) struct PeriodicTasks(Vec<Scheduled>);

struct Scheduled {
    name: &'static str,
    task: PeriodicTask,
    due: Instant,
}

impl PeriodicTasks {
    /// Adds a task, and removes the task of the same name.
    pub(super) fn add(&mut self, name: &'static str, task: PeriodicTask) {
        self.0.retain(|known| known.name != name);
        let due = Instant::now() + task.period;
        self.0.push(Scheduled { name, task, due });
    }

    /// Returns when the next task is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.0.iter().map(|scheduled| scheduled.due).min()
    }

    /// Runs one step of every task that is due, each in a commit of its own.
    pub(super) fn run_steps(&mut self, thread: &mut Thread) {
        let now = Instant::now();
        for scheduled in self.0.iter_mut().filter(|scheduled| scheduled.due <= now) {
            // A task that fails runs again in the next period.
            scheduled.due = now + scheduled.task.period;
            let step = &mut scheduled.task.step;
            let stepped = thread.transact(|work| match step(work) {
                Err(fault) if fault.keeps_the_commit() => Ok(Err(fault)),
                stepped => stepped.map(Ok),
            });
            match stepped.map(|committed| committed.value) {
                Ok(Ok(true)) => scheduled.due = now,
                Ok(Ok(false)) => {}
                Ok(Err(fault)) => observe::periodic_task_failed(scheduled.name, &fault.into()),
                Err(fault) => return thread.fail(&fault, true),
            }
        }
    }
}
