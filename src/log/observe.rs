//! The events and counters of a log.

use std::time::Duration;

#[cfg(any(feature = "embedded", feature = "fleet"))]
use super::{LogError, LogHealth};

/// Sweeping is refused, because the clock is ahead of the time that has passed.
pub(super) fn clock_jumped(ahead: Duration) {
    #[cfg(feature = "tracing")]
    tracing::warn!(
        target: crate::observe::TARGET,
        ahead = ahead.as_secs(),
        "sweeping is paused: the clock is ahead of the time that has passed"
    );
    #[cfg(not(feature = "tracing"))]
    let _ = ahead;
}

/// The log refuses appends, after a failed append or a failed attempt to recover.
#[cfg(any(feature = "embedded", feature = "fleet"))]
pub(super) fn failed(health: &LogHealth) {
    failing(health, "written");
}

/// A log that can only be read has lost contact.
#[cfg(feature = "fleet")]
pub(super) fn lost_contact(health: &LogHealth) {
    failing(health, "followed");
}

#[cfg(any(feature = "embedded", feature = "fleet"))]
fn failing(health: &LogHealth, what: &'static str) {
    #[cfg(feature = "metrics")]
    {
        let kind = health.cause().map_or("none", |cause| cause.kind().as_str());
        metrics::counter!("tower_revocation_log_failures_total", "kind" => kind).increment(1);
    }
    #[cfg(feature = "tracing")]
    if let (Some(cause), Some(delay)) = (health.cause(), health.retry_delay()) {
        tracing::error!(
            target: crate::observe::TARGET,
            cause = tracing::field::display(crate::observe::Causes(cause)),
            retry_after = delay.as_secs_f64(),
            "the log of revocations cannot be {what}"
        );
    }
    let _ = what;
    writable(health);
}

/// A write was refused before it was tried.
#[cfg(any(feature = "embedded", feature = "fleet"))]
pub(super) fn refused(reason: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!("tower_revocation_log_refused_writes_total", "reason" => reason).increment(1);
    let _ = reason;
}

/// The log accepts appends again.
#[cfg(any(feature = "embedded", feature = "fleet"))]
pub(super) fn recovered(failed: &LogHealth) {
    back(failed, "written");
}

/// A log that can only be read has contact again.
#[cfg(feature = "fleet")]
pub(super) fn found_contact(failed: &LogHealth) {
    back(failed, "followed");
}

#[cfg(any(feature = "embedded", feature = "fleet"))]
fn back(failed: &LogHealth, what: &'static str) {
    #[cfg(feature = "tracing")]
    tracing::warn!(
        target: crate::observe::TARGET,
        after = failed.failing_for().map(|time| time.as_secs_f64()),
        "the log of revocations can be {what} again"
    );
    let _ = (failed, what);
    writable(&LogHealth::writable());
}

/// Sets the gauge that says whether the log accepts appends.
#[cfg(any(feature = "embedded", feature = "fleet"))]
pub(super) fn writable(health: &LogHealth) {
    #[cfg(feature = "metrics")]
    metrics::gauge!("tower_revocation_log_writable").set(if health.is_writable() {
        1.0
    } else {
        0.0
    });
    let _ = health;
}

/// A periodic task failed.
#[cfg(any(feature = "embedded", feature = "fleet"))]
pub(super) fn periodic_task_failed(name: &'static str, error: &LogError) {
    #[cfg(feature = "tracing")]
    tracing::error!(
        target: crate::observe::TARGET,
        cause = tracing::field::display(crate::observe::Causes(error)),
        "{name} failed"
    );
    let _ = (name, error);
}

/// The URL of a log vouches for a setting of its server, which is not checked then.
#[cfg(feature = "redis")]
pub(super) fn assumed(setting: &'static str) {
    #[cfg(feature = "tracing")]
    tracing::warn!(
        target: crate::observe::TARGET,
        setting,
        "a setting of the log's server is assumed and not checked"
    );
    let _ = setting;
}
