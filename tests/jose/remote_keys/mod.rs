//! Keys from a real server that rotates keys, stalls, redirects and sends wrong responses.

mod addresses;
mod cache;
mod reports;
mod responses;
mod server;

use std::{error::Error as _, time::Duration};

use tower_revocation::jose::{KeySet, RemoteError, RemoteKeysBuilder};

/// Makes every call fetch: sets are never fresh, and there is no cool-down.
fn impatient(keys: RemoteKeysBuilder) -> RemoteKeysBuilder {
    keys.lifetime_bounds(Duration::ZERO, Duration::ZERO)
        .cool_down(Duration::ZERO)
}

fn has(set: &KeySet, kid: &str) -> bool {
    set.iter().any(|key| key.kid() == Some(kid))
}

/// The whole text of an error and its sources.
fn told(error: &RemoteError) -> String {
    let mut told = format!("{error} {error:?}");
    let mut link = error.source();
    while let Some(cause) = link {
        told = format!("{told} {cause} {cause:?}");
        link = cause.source();
    }
    told
}
