//! What the operator reads about reloads. Without the feature `tracing`, nothing.

use super::ReloadError;

/// New clients are in use.
pub(super) fn reloaded(clients: usize) {
    #[cfg(feature = "tracing")]
    tracing::info!(
        target: crate::observe::TARGET,
        clients,
        "the client registry was reloaded"
    );
    let _ = clients;
}

/// The file could not be read or is invalid. The error never has a secret.
pub(super) fn failed(error: &ReloadError) {
    #[cfg(feature = "tracing")]
    tracing::error!(
        target: crate::observe::TARGET,
        cause = tracing::field::display(crate::observe::Causes(error)),
        "the client registry was not reloaded; the last valid one stays in use"
    );
    let _ = error;
}
