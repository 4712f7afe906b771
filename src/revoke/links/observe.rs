//! What operators see of the links. Without the features `metrics` and `tracing`, nothing.

/// Counts a token response, a refused request, or a row.
pub(super) fn count(result: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!("tower_revocation_links_total", "result" => result).increment(1);
    let _ = result;
}

/// A row was skipped because it cannot be read.
pub(super) fn damaged() {
    count("damaged");
    #[cfg(feature = "tracing")]
    tracing::error!(
        target: crate::observe::TARGET,
        "a link in the file is damaged; its refresh tokens are unknown"
    );
}
