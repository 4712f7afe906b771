//! What operators read about refused callers. Without the feature `tracing`, nothing.

use super::problem::Refusal;

/// A request was refused because of who sends it. Orders that are carried out are events of
/// [`Administration`](crate::revoke::Administration).
pub(super) fn refused(refusal: &Refusal, caller: Option<&str>) {
    let reason = match refusal {
        Refusal::Unauthenticated => "unauthenticated",
        Refusal::Forbidden(_) => "role",
        Refusal::Foreign(_) => "origin",
        Refusal::TooMany(_) => "rate",
        _ => return,
    };
    #[cfg(feature = "tracing")]
    tracing::warn!(
        target: crate::observe::TARGET,
        reason,
        actor = caller,
        "an administrative request was refused"
    );
    let _ = (reason, caller);
}

/// An operator has signed in to the pages.
#[cfg(feature = "pages")]
pub(super) fn signed_in(caller: &str) {
    #[cfg(feature = "tracing")]
    tracing::info!(
        target: crate::observe::TARGET,
        actor = caller,
        "an operator has signed in"
    );
    let _ = caller;
}

/// A token was inspected.
pub(super) fn inspected(caller: &str, verdict: &str) {
    #[cfg(feature = "tracing")]
    tracing::info!(
        target: crate::observe::TARGET,
        actor = caller,
        verdict,
        "a token was inspected"
    );
    let _ = (caller, verdict);
}
