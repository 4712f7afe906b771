//! Events and counters for revocations that cannot be recorded.
//!
//! Without `tracing` and `metrics` these functions do nothing.

#[cfg(feature = "tracing")]
const NO_ROOM: &str = "a revocation was refused, because there is no room for its record";

/// A revocation was refused, because the log has reached its ceiling.
pub(super) fn log_is_full() {
    count("ceiling");
    #[cfg(feature = "tracing")]
    tracing::error!(target: crate::observe::TARGET, reason = "ceiling", "{NO_ROOM}");
}

/// A revocation was refused, because its client has used up its quota. The level is `WARN`: the
/// client causes this itself, and no other client is affected.
pub(super) fn quota_is_used_up() {
    count("quota");
    #[cfg(feature = "tracing")]
    tracing::warn!(target: crate::observe::TARGET, reason = "quota", "{NO_ROOM}");
}

/// The other server has revoked a token, and the record of it could not be written here.
#[cfg(feature = "upstream")]
pub(super) fn record_is_lost() {
    #[cfg(feature = "tracing")]
    tracing::error!(
        target: crate::observe::TARGET,
        "gave up recording a revocation that was forwarded"
    );
}

fn count(reason: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!("tower_revocation_appends_refused_total", "reason" => reason).increment(1);
    let _ = reason;
}
