//! Fetches the keys that issuers and clients publish, and caches them.

mod budget;
mod builder;
mod cache;
mod error;
mod event;
#[cfg(test)]
mod fake;
mod fetch;
mod limits;
mod metadata;
mod moment;
mod source;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

use futures::future::BoxFuture;
use tokio::time::Instant;

pub use self::builder::RemoteKeysBuilder;
pub(crate) use self::cache::{CachedKeys, KeyLookup, KeyRefresh, PendingFetch, Validity};
pub use self::error::{RemoteError, RemoteErrorKind};
#[cfg(test)]
pub(crate) use self::fake::FakeSource;
pub use self::source::KeySource;
use self::{
    cache::Cache,
    fetch::{Fetcher, SetLimits},
    limits::Limits,
};
use super::KeySet;
use crate::outbound::ConnectionSettings;

/// Fetches keys from `jwks_uri`s (RFC 7591 §2) and caches them. A clone shares the cache.
///
/// [`RemoteKeys::new`] has the defaults, and [`RemoteKeys::builder`] changes them.
///
/// * **What is fetched.** URIs by `https`, or by `http` on this machine, under the rules of
///   [`outbound`](crate::outbound). Every status but 200 is a failure. So is a body that is
///   compressed, too large, or not a JWK Set with a usable key. One
///   [timeout](RemoteKeysBuilder::timeout) covers the whole fetch.
/// * **From where.** URIs that you [configure](super::Keys::from_uri) may lead to any address. URIs
///   that a client [registers](super::Keys::from_client_uri) must lead to public addresses, unless
///   [private ones are allowed](RemoteKeysBuilder::allow_private_addresses).
/// * **When.** A set is fresh for its `Cache-Control: max-age` minus its `Age`, within
///   [bounds](RemoteKeysBuilder::lifetime_bounds). A token that names an unknown key (`kid`) causes
///   one fetch, and then none for a [cool-down](RemoteKeysBuilder::cool_down). There is at most one
///   fetch of a URI at a time. All callers share it, and it continues if they go away.
/// * **While the source is down,** its last good set is [still used](RemoteKeysBuilder::stale).
///   After a failure nothing is fetched for 5 s, or for the cool-down if that is shorter. For one
///   more cool-down, callers that the last set can serve do not wait for the next fetch.
///
/// ```
/// use std::time::Duration;
/// use tower_revocation::jose::{RemoteError, RemoteKeys};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let keys = RemoteKeys::builder().timeout(Duration::from_secs(2)).build();
/// // Refused before anything is resolved.
/// let refused: Result<_, RemoteError> = keys.keys("https://169.254.169.254/", None).await;
/// assert!(refused.is_err());
/// # }
/// ```
#[derive(Clone)]
pub struct RemoteKeys {
    cache: Arc<Cache>,
}

impl RemoteKeys {
    /// Makes an empty cache with the defaults of [`RemoteKeysBuilder`].
    ///
    /// It trusts the root certificates of the system, which are loaded with the first fetch.
    /// `SSL_CERT_FILE` and `SSL_CERT_DIR` in the environment replace them.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Starts with the defaults.
    #[must_use]
    pub fn builder() -> RemoteKeysBuilder {
        RemoteKeysBuilder::new()
    }

    fn from_parts(connection: ConnectionSettings, limits: Limits, set: SetLimits) -> Self {
        let fetcher = Arc::new(Fetcher::new(connection, set));
        let fetch = move |source: KeySource| -> BoxFuture<'static, _> {
            let fetcher = Arc::clone(&fetcher);
            Box::pin(async move { fetcher.fetch(&source).await })
        };
        Self {
            cache: Arc::new(Cache::new(limits, Box::new(fetch))),
        }
    }

    /// Returns the keys at this URI of a client. If `kid` is given and the cached set has no such
    /// key, the keys may be fetched again. The result need not contain it.
    ///
    /// # Errors
    ///
    /// Fails if the keys cannot be fetched and no earlier set is usable.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime with its time driver, if there is something to fetch.
    pub async fn keys(&self, uri: &str, kid: Option<&str>) -> Result<KeySet, RemoteError> {
        let source = KeySource::client(uri)?;
        self.get(&source, kid).await.map(|cached| cached.keys)
    }

    /// As [`keys`](Self::keys), without waiting for a fetch.
    pub(crate) fn lookup(&self, source: &KeySource, kid: Option<&str>) -> KeyLookup {
        self.cache.lookup(source, kid)
    }

    /// As [`keys`](Self::keys), with the time of the request.
    pub(crate) async fn get(
        &self,
        source: &KeySource,
        kid: Option<&str>,
    ) -> Result<CachedKeys, RemoteError> {
        self.cache.get(source, kid).await
    }

    /// Fetches newer keys than the cached ones. See [`Cache::refresh`].
    pub(crate) fn refresh(
        &self,
        source: &KeySource,
        since: Instant,
        client: Option<&str>,
    ) -> KeyRefresh {
        self.cache.refresh(source, since, client)
    }
}

impl Default for RemoteKeys {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RemoteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteKeys")
            .field("uris", &self.cache.len())
            .finish_non_exhaustive()
    }
}
