//! One event and one count for a call that does not reach the endpoint. The endpoint reports all
//! others.

use crate::error::Error;
#[cfg(feature = "tracing")]
use crate::observe::{Causes, TARGET};

pub(super) fn refused(error: &Error) {
    let outcome = if error.kind().is_fault() {
        "failed"
    } else {
        "refused"
    };
    let reason = error
        .refusal()
        .map_or("none", crate::refusal::Refusal::as_str);
    #[cfg(feature = "metrics")]
    metrics::counter!(
        "tower_revocation_requests_total",
        "outcome" => outcome, "error" => error.kind().as_str(), "reason" => reason
    )
    .increment(1);
    #[cfg(feature = "tracing")]
    {
        macro_rules! event {
            ($level:ident) => {
                tracing::$level!(
                    target: TARGET,
                    outcome,
                    error = error.kind().as_str(),
                    reason,
                    cause = %Causes(error),
                    "call of a profile"
                )
            };
        }
        if outcome == "failed" {
            event!(error);
        } else {
            event!(info);
        }
    }
    let _ = (outcome, reason);
}
