//! What does the writing thread do when the store fails?
//!
//! After a failed commit the content of the disk is unknown. The thread pauses, longer with every
//! attempt, reads the disk again, hands readers the records that they have not seen, and continues.
//!
//! After a failed `fsync` the system's cache can contain data that is not on the disk, and the
//! thread reads it as if it were. That does no harm: after a failure, the header refers to the last
//! durable commit again (see [`backend`](super::backend)), and the next commit overwrites the rest.

use std::time::{Duration, Instant};

use super::{
    super::Revocation,
    fault::Fault,
    tables::{self, Expected, State},
    thread::{CHECK_PERIOD, Stage, Thread},
};

/// The longest pause between two attempts to recover.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

impl Thread {
    /// Stops writing. With `reopen`, the store is opened again, so that it can be read until the
    /// log recovers. A store that works and is only not at its path stays open.
    pub(super) fn fail(&mut self, fault: &Fault, reopen: bool) {
        let pause = self.pause.next;
        self.pause.next = (2 * pause).min(LONGEST_PAUSE);
        self.stage = Stage::Failed {
            next_attempt: Instant::now() + pause,
            reopen: reopen && !fault.is_about_the_path(),
        };
        self.health.fail(fault.clone().into(), pause);
    }

    /// Checks the store, or tries to recover. The thread calls it after every task.
    pub(super) fn maintain(&mut self) {
        match &mut self.stage {
            Stage::Writing(_) => {
                if let Err(fault) = self.check_store() {
                    self.fail(&fault, true);
                }
            }
            Stage::Failed { next_attempt, .. } => {
                let is_due = Instant::now() >= *next_attempt;
                self.make_readable();
                if is_due {
                    self.recover();
                }
            }
        }
    }

    /// Opens the store again after a failure, so that it can be read until the log recovers.
    pub(super) fn make_readable(&mut self) {
        if let Stage::Failed { reopen, .. } = &mut self.stage
            && std::mem::take(reopen)
        {
            // If this fails, the next attempt fails as well and reports the cause.
            let _ = self.store.close_and_open(self.seen);
        }
    }

    /// Fails if the store cannot be read, or is no longer at its path.
    fn check_store(&mut self) -> Result<(), Fault> {
        if let Some(fault) = self.store.take_fault() {
            return Err(fault);
        }
        if self.checked.elapsed() < CHECK_PERIOD {
            return Ok(());
        }
        self.checked = Instant::now();
        self.health.observe();
        self.store.check()
    }

    /// Reads the disk again, hands readers what they have not seen, and continues to write.
    fn recover(&mut self) {
        let opened = match self.store.take_fault() {
            Some(_) => self.store.close_and_open(self.seen),
            None => self.store.reopen(self.seen),
        };
        if let Err(fault) = opened {
            return self.fail(&fault, false);
        }
        match self.read_again() {
            Ok(state) => {
                self.seen = state.position;
                self.stage = Stage::Writing(state);
                self.health.recover();
            }
            Err(fault) => self.fail(&fault, true),
        }
    }

    fn read_again(&self) -> Result<State, Fault> {
        let state = self.store.with(|database| {
            let state = tables::begin(database, Expected::Containing(self.seen))?;
            let (key, seen) = (state.masks.key(), state.position.sequence);
            let piece = |records: &[Revocation]| self.readers().read(records);
            if !tables::after(database, key, self.seen, seen, piece)? {
                // The failed commit has removed some of the records. More records do no harm.
                tables::everything(database, key, |_| {}, piece)?;
            }
            Ok(state)
        })?;
        self.readers().complete(state.position);
        Ok(state)
    }
}
