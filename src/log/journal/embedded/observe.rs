//! What operators see of damaged entries. Without the features `metrics` and `tracing`, nothing.

/// An entry was skipped because it cannot be read.
pub(super) fn damaged() {
    #[cfg(feature = "metrics")]
    metrics::counter!("tower_revocation_journal_damaged_total").increment(1);
    #[cfg(feature = "tracing")]
    tracing::error!(
        target: crate::observe::TARGET,
        "an entry of the journal in the file is damaged; it is skipped"
    );
}
