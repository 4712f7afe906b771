//! How many writes wait, and how long does each take?

use std::time::Instant;

/// One write, from the queue to its answer.
#[derive(Debug)]
pub(super) struct Pending {
    begun: Instant,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Waits,
    IsWritten,
    HasEnded,
}

impl Pending {
    /// Another write waits for the thread.
    pub(super) fn enter() -> Self {
        // Not set: two threads that set it would do so in any order.
        metrics::gauge!("tower_revocation_log_queued_writes").increment(1.0);
        Self {
            begun: Instant::now(),
            stage: Stage::Waits,
        }
    }

    /// The thread has taken it up.
    pub(super) fn begin(&mut self) {
        self.stage = Stage::IsWritten;
        leave();
    }

    /// It is durable, or has failed.
    pub(super) fn end(mut self, is_durable: bool) {
        self.stage = Stage::HasEnded;
        self.record(if is_durable { "durable" } else { "failed" });
    }

    fn record(&self, result: &'static str) {
        metrics::histogram!("tower_revocation_log_write_duration_seconds", "result" => result)
            .record(self.begun.elapsed());
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        match self.stage {
            // There was no room for it.
            Stage::Waits => leave(),
            // The thread has panicked.
            Stage::IsWritten => self.record("failed"),
            Stage::HasEnded => {}
        }
    }
}

fn leave() {
    metrics::gauge!("tower_revocation_log_queued_writes").decrement(1.0);
}
