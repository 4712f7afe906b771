//! What happens to calls beside the endpoint, which reports all others.

#[cfg(feature = "tracing")]
use crate::observe::{Causes, TARGET};
use crate::{error::Error, token::Outcome};

/// A profile has carried out a call by itself.
pub(super) fn done(outcome: Outcome) {
    #[cfg(feature = "metrics")]
    metrics::counter!(
        "tower_revocation_requests_total",
        "outcome" => outcome.as_str(), "error" => "none", "reason" => "none"
    )
    .increment(1);
    #[cfg(feature = "tracing")]
    tracing::info!(target: TARGET, outcome = outcome.as_str(), "call of a profile");
    let _ = outcome;
}

/// The endpoint has responded, and counted the request. What should have followed has failed.
pub(super) fn defect(error: &Error) {
    #[cfg(feature = "tracing")]
    tracing::error!(
        target: TARGET,
        error = error.kind().as_str(),
        cause = %Causes(error),
        "call of a profile"
    );
    let _ = error;
}
