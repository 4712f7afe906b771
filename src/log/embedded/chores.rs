//! What the thread that writes does once in a while.

use std::time::Instant;

use super::{super::observe, queue::Chore, thread::Thread};

#[derive(Default)]
pub(super) struct Chores(Vec<Due>);

/// A chore, and when it is due.
struct Due {
    name: &'static str,
    chore: Chore,
    at: Instant,
}

impl Chores {
    /// Takes one in, in place of what had the same name.
    pub(super) fn adopt(&mut self, name: &'static str, chore: Chore) {
        self.0.retain(|known| known.name != name);
        let at = Instant::now() + chore.period;
        self.0.push(Due { name, chore, at });
    }

    /// When the next one is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.0.iter().map(|due| due.at).min()
    }

    /// One step of every one that is due, each in a commit of its own.
    pub(super) fn take_a_step(&mut self, thread: &mut Thread) {
        let now = Instant::now();
        for due in self.0.iter_mut().filter(|due| due.at <= now) {
            // Whatever becomes of this one, it comes up again.
            due.at = now + due.chore.period;
            let step = &mut due.chore.step;
            let stepped = thread.transact(|work| match step(work) {
                Err(fault) if fault.is_about_rows() => Ok(Err(fault)),
                stepped => stepped.map(Ok),
            });
            match stepped {
                Ok(Ok(true)) => due.at = now,
                Ok(Ok(false)) => {}
                Ok(Err(fault)) => observe::chore_failed(due.name, &fault.into()),
                Err(fault) => return thread.fail(&fault, true),
            }
        }
    }
}
