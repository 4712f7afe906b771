//! The alarm: what is to be revoked finds no room.

#[cfg(feature = "tracing")]
const NO_ROOM: &str = "a revocation was refused, as there is no room for its record";

/// A revocation was refused, as the log is full.
pub(super) fn log_is_full() {
    count("ceiling");
    #[cfg(feature = "tracing")]
    tracing::error!(target: "tower_revocation", reason = "ceiling", "{NO_ROOM}");
}

/// A revocation was refused, as one client has as many records as it may have. It is a warning: a
/// client brings it about by itself, and nobody else is concerned.
pub(super) fn quota_is_used_up() {
    count("quota");
    #[cfg(feature = "tracing")]
    tracing::warn!(target: "tower_revocation", reason = "quota", "{NO_ROOM}");
}

/// A server that was forwarded to has revoked a token, and there is no record of it here.
#[cfg(feature = "upstream")]
pub(super) fn record_is_lost() {
    #[cfg(feature = "tracing")]
    tracing::error!(
        target: "tower_revocation",
        "a revocation that was forwarded could not be recorded, and is given up"
    );
}

#[cfg(feature = "metrics")]
fn count(reason: &'static str) {
    metrics::counter!("tower_revocation_appends_refused_total", "reason" => reason).increment(1);
}

#[cfg(not(feature = "metrics"))]
fn count(_: &'static str) {}
