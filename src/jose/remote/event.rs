//! What is an operator told of keys that were fetched, or were not?

use super::{KeySource, RemoteError};
#[cfg(feature = "metrics")]
use super::{cache::RequestTime, fetch::Fetched};
use crate::jose::KeySet;

/// A fetch has ended.
#[cfg(feature = "metrics")]
pub(super) fn settled(
    source: &KeySource,
    fetched: &Result<Fetched, RemoteError>,
    requested: RequestTime,
) {
    let result = match fetched {
        Ok(_) => "fetched",
        Err(error) if error.is_unusable() => "unusable",
        Err(_) => "unavailable",
    };
    // What clients register is no label: there is no end to it.
    let named = source.named_by_operator();
    let name = named.unwrap_or("clients").to_owned();
    metrics::counter!(
        "tower_revocation_key_fetches_total",
        "source" => name.clone(), "result" => result
    )
    .increment(1);
    metrics::histogram!("tower_revocation_key_fetch_duration_seconds", "result" => result)
        .record(requested.instant.elapsed());
    if fetched.is_ok() && named.is_some() {
        let date = std::time::Duration::from_secs(requested.wall.date().seconds());
        metrics::gauge!("tower_revocation_keys_fetched_timestamp_seconds", "source" => name)
            .set(date.as_secs_f64());
    }
}

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
        source = without_query(source),
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
        source = without_query(source),
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
