//! What operators hear of a log.

use std::time::Duration;

#[cfg(feature = "embedded")]
use super::{LogError, LogHealth};

/// Sweeping is held, because the clock is ahead of the time that has passed.
pub(super) fn clock_jumped(ahead: Duration) {
    #[cfg(feature = "tracing")]
    tracing::warn!(
        target: crate::observe::TARGET,
        ahead = ahead.as_secs(),
        "the clock is ahead of the time that has passed: sweeping is held"
    );
    #[cfg(not(feature = "tracing"))]
    let _ = ahead;
}

/// The log takes no appends from now on, or again not after an attempt to recover.
#[cfg(feature = "embedded")]
pub(super) fn failed(health: &LogHealth) {
    #[cfg(feature = "metrics")]
    {
        let kind = health.cause().map_or("none", |cause| cause.kind().as_str());
        metrics::counter!("tower_revocation_log_failures_total", "kind" => kind).increment(1);
    }
    #[cfg(feature = "tracing")]
    if let (Some(cause), Some(again)) = (health.cause(), health.retry_after()) {
        tracing::error!(
            target: crate::observe::TARGET,
            cause = tracing::field::display(crate::observe::Causes(cause)),
            retry_after = again.as_secs_f64(),
            "the log of revocations cannot be written"
        );
    }
    writable(health);
}

/// A write was refused before it was tried, for this reason.
#[cfg(feature = "embedded")]
pub(super) fn refused(reason: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!("tower_revocation_log_refused_writes_total", "reason" => reason).increment(1);
    let _ = reason;
}

/// The log takes appends again.
#[cfg(feature = "embedded")]
pub(super) fn recovered(failed: &LogHealth) {
    #[cfg(feature = "tracing")]
    tracing::warn!(
        target: crate::observe::TARGET,
        after = failed.failing_for().map(|time| time.as_secs_f64()),
        "the log of revocations can be written again"
    );
    let _ = failed;
    writable(&LogHealth::writable());
}

/// Whether the log takes appends.
#[cfg(feature = "embedded")]
pub(super) fn writable(health: &LogHealth) {
    #[cfg(feature = "metrics")]
    metrics::gauge!("tower_revocation_log_writable").set(if health.is_writable() {
        1.0
    } else {
        0.0
    });
    let _ = health;
}

/// What is done once in a while could not be done this time.
#[cfg(feature = "embedded")]
pub(super) fn chore_failed(name: &'static str, error: &LogError) {
    #[cfg(feature = "tracing")]
    tracing::error!(
        target: crate::observe::TARGET,
        cause = tracing::field::display(crate::observe::Causes(error)),
        "{name} failed"
    );
    let _ = (name, error);
}
