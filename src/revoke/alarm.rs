//! The alarm: what is to be revoked finds no room.

/// A revocation was refused, at the log's `ceiling` or at a client's `share` of it.
pub(super) fn raise(reason: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!("tower_revocation_appends_refused_total", "reason" => reason).increment(1);
    #[cfg(feature = "tracing")]
    tracing::error!(
        target: "tower_revocation",
        reason,
        "a revocation was refused, as there is no room for its record"
    );
}
