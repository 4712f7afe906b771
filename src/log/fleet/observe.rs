//! The events and series of a node.

use std::time::{Duration, Instant};

use super::{
    super::{LogError, LogErrorKind, observe},
    FleetMember,
};

/// A write waits for its answer. Dropped unanswered if the runtime ends.
#[derive(Debug)]
pub(super) struct Write(Instant);

impl Write {
    pub(super) fn begin() -> Self {
        change_queued(1.0);
        Self(Instant::now())
    }

    /// The write is durable, or has failed.
    pub(super) fn end<T>(self, result: &Result<T, LogError>) {
        let result = match result {
            Ok(_) => "durable",
            Err(error) if error.kind() == LogErrorKind::QueueFull => {
                return observe::refused("queue");
            }
            Err(_) => "failed",
        };
        #[cfg(feature = "metrics")]
        metrics::histogram!("tower_revocation_log_write_duration_seconds", "result" => result)
            .record(self.0.elapsed());
        let _ = (self.0, result);
    }
}

impl Drop for Write {
    fn drop(&mut self) {
        change_queued(-1.0);
    }
}

fn change_queued(by: f64) {
    #[cfg(feature = "metrics")]
    metrics::gauge!("tower_revocation_log_queued_writes").increment(by);
    let _ = by;
}

/// A poll was answered, or has failed.
pub(super) fn polled<T>(took: Duration, result: &Result<T, LogError>) {
    #[cfg(feature = "metrics")]
    {
        let result = if result.is_ok() { "answered" } else { "failed" };
        metrics::histogram!("tower_revocation_fleet_poll_duration_seconds", "result" => result)
            .record(took);
    }
    let _ = (took, result);
}

/// The members, as of the last report.
pub(super) fn members(members: &[FleetMember]) {
    #[cfg(feature = "metrics")]
    {
        let count = u32::try_from(members.len()).unwrap_or(u32::MAX);
        metrics::gauge!("tower_revocation_fleet_members").set(count);
        let lag = members.iter().map(FleetMember::lag).max().unwrap_or(0);
        let lag = u32::try_from(lag).unwrap_or(u32::MAX);
        metrics::gauge!("tower_revocation_fleet_largest_lag").set(lag);
    }
    let _ = members;
}

/// Another incarnation of the log has begun.
pub(super) fn incarnation_began() {
    #[cfg(feature = "metrics")]
    metrics::counter!("tower_revocation_fleet_incarnations_total").increment(1);
    #[cfg(feature = "tracing")]
    tracing::warn!(
        target: crate::observe::TARGET,
        "the log of the fleet was restored, moved to another server, or has lost its newest records"
    );
}

/// The log has records again that it had lost.
pub(super) fn gave_back(records: usize) {
    let records = u64::try_from(records).unwrap_or(u64::MAX);
    #[cfg(feature = "metrics")]
    metrics::counter!("tower_revocation_fleet_returned_records_total").increment(records);
    #[cfg(feature = "tracing")]
    tracing::warn!(
        target: crate::observe::TARGET,
        records,
        "gave records back that the log of the fleet may have lost"
    );
    let _ = records;
}
