//! How many writes wait, and how long does each take?

#[cfg(feature = "metrics")]
use std::time::Instant;

/// One write, from the queue to its reply. It measures nothing unless `metrics` is on.
#[derive(Debug)]
pub(super) struct Pending {
    #[cfg(feature = "metrics")]
    queued: Instant,
    stage: Stage,
    is_silent: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Queued,
    Writing,
    Ended,
}

impl Pending {
    /// A write is queued.
    pub(super) fn queue(is_silent: bool) -> Self {
        let pending = Self {
            #[cfg(feature = "metrics")]
            queued: Instant::now(),
            stage: Stage::Queued,
            is_silent,
        };
        pending.change_queued(1.0);
        pending
    }

    /// The thread has taken the write from the queue.
    pub(super) fn begin(&mut self) {
        self.stage = Stage::Writing;
        self.change_queued(-1.0);
    }

    /// The write is durable, or has failed.
    pub(super) fn end(mut self, is_durable: bool) {
        self.stage = Stage::Ended;
        self.record(if is_durable { "durable" } else { "failed" });
    }

    fn record(&self, result: &'static str) {
        if self.is_silent {
            return;
        }
        #[cfg(feature = "metrics")]
        metrics::histogram!("tower_revocation_log_write_duration_seconds", "result" => result)
            .record(self.queued.elapsed());
        let _ = (self.stage, result);
    }

    /// Changes the number of queued writes.
    ///
    /// The gauge is changed and not set: two threads that set it could do so in the wrong order.
    fn change_queued(&self, by: f64) {
        #[cfg(feature = "metrics")]
        if !self.is_silent {
            metrics::gauge!("tower_revocation_log_queued_writes").increment(by);
        }
        let _ = (self.is_silent, by);
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        match self.stage {
            // The queue was full.
            Stage::Queued => self.change_queued(-1.0),
            // The thread has panicked.
            Stage::Writing => self.record("failed"),
            Stage::Ended => {}
        }
    }
}
