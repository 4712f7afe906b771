//! The events and series of a node.

use std::time::{Duration, Instant};

use super::{
    super::{LogError, LogErrorKind, observe},
    FleetMember,
    core::{ClockOffset, Progress},
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
        "the server of the log has started again, or is another one, or has lost its newest records"
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

/// The clock of this node, as of the last poll.
pub(super) fn clock(offset: ClockOffset) {
    #[cfg(feature = "metrics")]
    metrics::gauge!("tower_revocation_fleet_clock_offset_seconds").set(offset.seconds());
    let _ = offset;
}

/// The clock of this node is further off than it may be, or not any more.
pub(super) fn clock_changed(is_off: bool, offset: ClockOffset) {
    #[cfg(feature = "tracing")]
    if is_off {
        tracing::warn!(
            target: crate::observe::TARGET,
            at_least = offset.by.as_secs_f64(),
            is_ahead = offset.is_ahead,
            "not ready: the clocks of this machine and of the log's server differ"
        );
    } else {
        tracing::warn!(
            target: crate::observe::TARGET,
            "the clocks of this machine and of the log's server agree again"
        );
    }
    let _ = (is_off, offset);
}

/// A page was read.
pub(super) fn read(records: u64) {
    #[cfg(feature = "metrics")]
    metrics::counter!("tower_revocation_fleet_read_records_total").increment(records);
    let _ = records;
}

/// The node reads a part of the log that has several pages.
pub(super) fn reads(progress: Progress) {
    #[cfg(feature = "metrics")]
    {
        let set = |gauge: metrics::Gauge, count: u64| {
            gauge.set(u32::try_from(count).unwrap_or(u32::MAX));
        };
        set(
            metrics::gauge!("tower_revocation_fleet_loading_records"),
            progress.records,
        );
        let bytes = metrics::gauge!("tower_revocation_fleet_loading_bytes");
        // A double has 53 bits.
        #[expect(clippy::cast_precision_loss, reason = "a size, for people")]
        bytes.set(progress.bytes() as f64);
        set(
            metrics::gauge!("tower_revocation_fleet_loading_expected_records"),
            progress.expected.unwrap_or(0),
        );
    }
    let _ = progress;
}

pub(super) fn reading_began(progress: Progress) {
    reads(progress);
    #[cfg(feature = "tracing")]
    tracing::info!(
        target: crate::observe::TARGET,
        expected = progress.expected,
        "began to read the log of the fleet"
    );
}

pub(super) fn still_reading(progress: Progress) {
    #[cfg(feature = "tracing")]
    tracing::info!(
        target: crate::observe::TARGET,
        records = progress.records,
        bytes = progress.bytes(),
        expected = progress.expected,
        "reading the log of the fleet"
    );
    let _ = progress;
}

/// The last page was read.
pub(super) fn reading_ended(progress: Progress, took: Duration) {
    reads(Progress::default());
    #[cfg(feature = "tracing")]
    tracing::info!(
        target: crate::observe::TARGET,
        records = progress.records,
        bytes = progress.bytes(),
        seconds = took.as_secs_f64(),
        "read the log of the fleet"
    );
    let _ = (progress, took);
}

/// How many records the copy on the disk lacks.
#[cfg(feature = "embedded")]
pub(super) fn mirror_lag(records: u64) {
    #[cfg(feature = "metrics")]
    metrics::gauge!("tower_revocation_fleet_mirror_lag")
        .set(u32::try_from(records).unwrap_or(u32::MAX));
    let _ = records;
}

/// The copy on the disk cannot be written.
#[cfg(feature = "embedded")]
pub(super) fn mirror_failed(error: &LogError) {
    #[cfg(feature = "tracing")]
    tracing::error!(
        target: crate::observe::TARGET,
        cause = tracing::field::display(crate::observe::Causes(error)),
        "the mirror of the log cannot be written"
    );
    let _ = error;
}

/// The copy on the disk cannot be compared with the log, which may have lost records.
#[cfg(feature = "embedded")]
pub(super) fn mirror_unread(error: &LogError) {
    #[cfg(feature = "tracing")]
    tracing::error!(
        target: crate::observe::TARGET,
        cause = tracing::field::display(crate::observe::Causes(error)),
        "the mirror cannot be read: the log may lack what only the mirror has"
    );
    let _ = error;
}

#[cfg(feature = "embedded")]
pub(super) fn mirror_recovered() {
    #[cfg(feature = "tracing")]
    tracing::warn!(
        target: crate::observe::TARGET,
        "the mirror of the log can be written again"
    );
}

/// The replica from which the whole log was to be read cannot be used. The primary serves all.
#[cfg(feature = "postgres")]
pub(super) fn replica_failed(error: &LogError) {
    #[cfg(feature = "tracing")]
    tracing::warn!(
        target: crate::observe::TARGET,
        cause = tracing::field::display(crate::observe::Causes(error)),
        "the log is read from the primary, and not from `snapshot_from`"
    );
    let _ = error;
}
