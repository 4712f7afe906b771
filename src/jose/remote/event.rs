//! Events and series about fetched keys.

#[cfg(feature = "tracing")]
use crate::observe::{Causes, TARGET};

use super::{KeySource, RemoteError, cache::RequestTime, fetch::Fetched};
use crate::jose::KeySet;

/// Counts a fetch that has ended, and reports its keys that cannot be used.
pub(super) fn settled(
    source: &KeySource,
    fetched: &Result<Fetched, RemoteError>,
    requested: RequestTime,
) {
    if let Ok(fetched) = fetched {
        left_out(source, &fetched.keys);
    }
    #[cfg(feature = "metrics")]
    {
        let result = match fetched {
            Ok(_) => "fetched",
            Err(error) if error.is_unusable() => "unusable",
            Err(_) => "unavailable",
        };
        // A URI of a client is no label: there is no limit to their number.
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
    #[cfg(not(feature = "metrics"))]
    let _ = requested;
}

/// Reports that the last good keys of a source are still used, because of this error.
pub(super) fn stale(source: &KeySource, error: &RemoteError) {
    #[cfg(feature = "tracing")]
    {
        tracing::warn!(
            target: TARGET,
            source = source.without_query(),
            cause = %Causes(error),
            "keys not refreshed, using the last good keys"
        );
    }
    #[cfg(not(feature = "tracing"))]
    let _ = (source, error);
}

/// Reports keys of a set that cannot be used although tokens may be signed with them.
fn left_out(source: &KeySource, keys: &KeySet) {
    #[cfg(feature = "tracing")]
    {
        let mut signing = keys.left_out_signing_keys();
        let Some(first) = signing.next() else { return };
        tracing::warn!(
            target: TARGET,
            source = source.without_query(),
            keys = 1 + signing.count(),
            cause = %first,
            "published keys cannot be used, tokens signed with them are not recognised"
        );
    }
    #[cfg(not(feature = "tracing"))]
    let _ = (source, keys);
}
