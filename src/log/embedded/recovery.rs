//! What the thread that writes does when the store fails.
//!
//! A commit that fails leaves open what is on the disk. The thread then reads the disk anew, after a
//! pause that grows with every attempt, tells readers what they have not heard, and goes on.
//!
//! That what a failed `fsync` left in the cache of the system is read as if it were on the disk does
//! no harm. The pages of a commit are synced before the page that points to them is written, and the
//! commit that begins an epoch writes that page again.

use std::time::{Duration, Instant};

use super::{
    super::observe,
    fault::Fault,
    tables::{self, Expected, State},
    thread::{LOOK, Stage, Thread},
};

/// The longest pause between two attempts to recover.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

impl Thread {
    /// From now on nothing is written. The store may have to be opened anew, so that it can be read
    /// meanwhile; one that works, and is only not at its path, need not.
    pub(super) fn fail(&mut self, fault: &Fault, reopen: bool) {
        let pause = self.pause.next;
        self.pause.next = (2 * pause).min(LONGEST_PAUSE);
        self.stage = Stage::Failed {
            next_attempt: Instant::now() + pause,
            reopen: reopen && !fault.is_about_the_path(),
        };
        self.health.fail(fault.clone().into(), pause);
    }

    /// What is to be done beside the tasks.
    pub(super) fn tend(&mut self) {
        match &mut self.stage {
            Stage::Writing(_) => {
                if let Err(fault) = self.look() {
                    self.fail(&fault, true);
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
        self.readers().tell(state.position, &missed);
        Ok(state)
    }
}
