//! What is an operator told of keys that were fetched, or were not?

use super::{KeySource, RemoteError};
use crate::jose::KeySet;

/// The last good keys of this URI are served, because of this error.
#[cfg(feature = "tracing")]
pub(super) fn stale(source: &KeySource, error: &RemoteError) {
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
        jwks_uri = without_query(source),
        cause,
        "keys not refreshed, the last good ones hold"
    );
}

/// Keys of this set cannot be used, and tokens may be signed with them.
#[cfg(feature = "tracing")]
pub(super) fn left_out(source: &KeySource, keys: &KeySet) {
    let mut missed = keys.missed();
    let Some(first) = missed.next() else { return };
    tracing::warn!(
        target: "tower_revocation",
        jwks_uri = without_query(source),
        keys = 1 + missed.count(),
        cause = %first,
        "published keys cannot be used, tokens that they signed are not known"
    );
}

/// A query may hold what is nobody's business.
#[cfg(feature = "tracing")]
fn without_query(source: &KeySource) -> Option<&str> {
    source.as_str().split('?').next()
}

/// Nobody is told.
#[cfg(not(feature = "tracing"))]
pub(super) fn stale(_: &KeySource, _: &RemoteError) {}

/// Nobody is told.
#[cfg(not(feature = "tracing"))]
pub(super) fn left_out(_: &KeySource, _: &KeySet) {}
