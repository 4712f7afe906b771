//! What is an operator told of keys that were not refreshed?

use super::RemoteError;

/// The last good keys of this URI are served, because of this error.
#[cfg(feature = "tracing")]
pub(super) fn stale(uri: &str, error: &RemoteError) {
    // A query may hold what is nobody's business.
    let uri = uri.split('?').next();
    let mut cause = error.to_string();
    let mut link = std::error::Error::source(error);
    while let Some(error) = link {
        cause = format!("{cause}: {error}");
        link = error.source();
    }
    // The peer has its part in these words, and one event is one line.
    let cause = cause.replace(char::is_control, "?");
    tracing::warn!(
        target: "tower_revocation",
        jwks_uri = uri,
        cause,
        "keys not refreshed, the last good ones hold"
    );
}

/// Nobody is told.
#[cfg(not(feature = "tracing"))]
pub(super) fn stale(_: &str, _: &RemoteError) {}
