//! Which keys does a client publish at its `jwks_uri`?

mod budget;
mod cache;
mod error;
mod event;
mod fetch;
mod metadata;
mod moment;
mod source;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use tokio::time::Instant;

pub(crate) use self::cache::{CachedKeys, KeyLookup, KeyRefresh, PendingFetch};
pub use self::error::{RemoteError, RemoteErrorKind};
pub use self::source::KeySource;
use self::{
    cache::{Cache, Limits},
    fetch::{Bounds, Fetcher},
};
use super::{
    KeySet,
    key_set::{MAX_CANDIDATES, MAX_KEYS},
};
use crate::outbound::{ConnectionSettings, Resolve, parse_roots};

/// The keys at `jwks_uri`s (RFC 7591 §2).
///
/// A clone shares the cache and the client. **A knob makes a new one of either**: turn them before
/// anything is fetched.
///
/// * **What is fetched.** `https` alone, without userinfo and fragment, or `http` on this machine. A
///   redirect is a failure, as is every status but 200, a body that is compressed, too large or no
///   JWKS with a usable key, and all of it takes one [time-out](Self::timeout) at most.
/// * **From where.** What you [configure](super::Keys::from_uri) is fetched wherever it is. What a client
///   [registers](super::Keys::from_client_uri) is fetched from public addresses only, unless [private
///   ones are allowed](Self::allow_private_addresses). The addresses of a name are judged, and the
///   connection goes to one of those that were judged: there is no second lookup. No proxy is used.
/// * **By which cryptography.** That of the [`CryptoProvider`] which the application has installed
///   in rustls, by `install_default` or by the first `ServerConfig::builder()` of its own. Else
///   aws-lc-rs with the feature `tls-aws-lc-rs`, or ring with `tls-ring`. Else every fetch fails
///   and says so. No other feature switches on a provider, which makes rustls panic where an
///   application has another one, or TLS 1.2, which these two bring.
/// * **When.** A set is fresh for its `Cache-Control: max-age` less its `Age`, within
///   [bounds](Self::lifetime_bounds). A `kid` that it does not have is worth one fetch, then
///   none for a [cool-down](Self::cool_down). However many wait, there is one fetch of a URI
///   at a time, and it goes on when they do not.
/// * **While the source is down**, its last good set [is served](Self::stale). After a failure
///   nothing is fetched for the cool-down, or 5 s if that is shorter; and for one cool-down more,
///   who can be served the last set is not kept waiting for the next.
///
/// [`CryptoProvider`]: https://docs.rs/rustls/0.23/rustls/crypto/struct.CryptoProvider.html
///
/// ```
/// use std::time::Duration;
/// use tower_revocation::jose::{RemoteError, RemoteKeys};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let keys = RemoteKeys::new().timeout(Duration::from_secs(2));
/// // Refused before anything is resolved.
/// let refused: Result<_, RemoteError> = keys.keys("https://169.254.169.254/", None).await;
/// assert!(refused.is_err());
/// # }
/// ```
#[derive(Clone)]
pub struct RemoteKeys {
    connection: ConnectionSettings,
    limits: Limits,
    bounds: Bounds,
    cache: Arc<Cache>,
}

impl RemoteKeys {
    /// Trusts the roots of the system, which are loaded when something is fetched first.
    ///
    /// `SSL_CERT_FILE` and `SSL_CERT_DIR` in the environment take their place.
    #[must_use]
    pub fn new() -> Self {
        let limits = Limits {
            cool_down: Duration::from_secs(60),
            min_lifetime: Duration::from_secs(60),
            max_lifetime: Duration::from_secs(24 * 60 * 60),
            lifetime: Duration::from_secs(60 * 60),
            stale: Duration::from_secs(24 * 60 * 60),
            capacity: 10_000,
            fetches_of_client: 3,
        };
        let bounds = Bounds {
            max_keys: MAX_KEYS,
            max_candidates: MAX_CANDIDATES,
        };
        // Each URI is judged before.
        let connection = ConnectionSettings {
            allow_http: true,
            ..ConnectionSettings::default()
        };
        Self::of(connection, limits, bounds)
    }

    /// How long a fetch may take, from the lookup of the name to the last octet. Default: 5 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.connection.timeout = timeout;
        Self::of(self.connection, self.limits, self.bounds)
    }

    /// Limits the size of a set, in bytes. Defaults to 1 MiB. A larger set is a failure.
    ///
    /// # Panics
    ///
    /// If it is zero: no set would ever be read.
    #[must_use]
    pub fn max_size(mut self, bytes: usize) -> Self {
        assert!(bytes > 0, "a set has at least one byte");
        self.connection.max_size = bytes;
        Self::of(self.connection, self.limits, self.bounds)
    }

    /// Limits how many keys a set may have, usable or not. Defaults to 100. A larger set is a
    /// failure.
    ///
    /// # Panics
    ///
    /// If it is zero: no set would ever be read.
    #[must_use]
    pub fn max_keys(mut self, keys: usize) -> Self {
        assert!(keys > 0, "a set has at least one key");
        self.bounds.max_keys = keys;
        Self::of(self.connection, self.limits, self.bounds)
    }

    /// Limits how many keys of a set a signature is tried with. Defaults to 16. See
    /// [`KeySet::max_candidates`].
    ///
    /// # Panics
    ///
    /// If it is zero: no signature would ever be verified.
    #[must_use]
    pub fn max_candidates(mut self, keys: usize) -> Self {
        assert!(keys > 0, "without a candidate no signature is verified");
        self.bounds.max_candidates = keys;
        Self::of(self.connection, self.limits, self.bounds)
    }

    /// How long a URI is left in peace after a fetch for an unknown `kid`. Default: 60 s.
    ///
    /// Without it, whoever makes up `kid`s makes this server fetch.
    #[must_use]
    pub fn cool_down(mut self, cool_down: Duration) -> Self {
        self.limits.cool_down = cool_down;
        Self::of(self.connection, self.limits, self.bounds)
    }

    /// Limits how many fetches one authenticated client may cause before the
    /// [cool-down](Self::cool_down) has passed, for each cool-down. Defaults to 3. A source is asked
    /// at most once a second all the same.
    ///
    /// A client that revokes a token of a key that has just been published spends one. A public
    /// client is the one that it says it is, so that others may spend what is its own. `0` makes all
    /// clients wait for the cool-down, and hear 503 until then.
    #[must_use]
    pub fn fetches_of_client(mut self, fetches: u32) -> Self {
        self.limits.fetches_of_client = fetches;
        Self::of(self.connection, self.limits, self.bounds)
    }

    /// How long a set is fresh, at least and at most, whatever the source says. Default: 60 s and
    /// 24 h. `no-store` and `no-cache` are the least. A source that says nothing gets 1 h.
    ///
    /// A key that the client has withdrawn is good until the set is no longer fresh.
    ///
    /// # Panics
    ///
    /// If the least is more than the most.
    #[must_use]
    pub fn lifetime_bounds(mut self, least: Duration, most: Duration) -> Self {
        assert!(least <= most, "the least lifetime is more than the most");
        self.limits.min_lifetime = least;
        self.limits.max_lifetime = most;
        Self::of(self.connection, self.limits, self.bounds)
    }

    /// How long a set that is no longer fresh is served while its source is down. Default: 24 h.
    ///
    /// The source's `must-revalidate` does not shorten it: then it would take its clients down with
    /// it.
    #[must_use]
    pub fn stale(mut self, stale: Duration) -> Self {
        self.limits.stale = stale;
        Self::of(self.connection, self.limits, self.bounds)
    }

    /// How many URIs are remembered. Default: 10 000. Beyond it the least recently used is
    /// forgotten.
    ///
    /// # Panics
    ///
    /// If it is zero: no keys could be kept.
    #[must_use]
    pub fn capacity(mut self, uris: usize) -> Self {
        assert!(uris > 0, "without room no keys can be kept");
        self.limits.capacity = uris;
        Self::of(self.connection, self.limits, self.bounds)
    }

    /// Trusts these certificates, in PEM, and no longer the system's roots.
    ///
    /// # Errors
    ///
    /// If there is none, or one that cannot be read.
    pub fn trusted_ca(mut self, pem: &[u8]) -> Result<Self, RemoteError> {
        self.connection.roots = Some(parse_roots(pem)?);
        Ok(Self::of(self.connection, self.limits, self.bounds))
    }

    /// Finds addresses with this, and not with the system.
    #[must_use]
    pub fn resolver(mut self, resolver: impl Resolve) -> Self {
        self.connection.resolver = Arc::new(resolver);
        Self::of(self.connection, self.limits, self.bounds)
    }

    /// Fetches what clients register from private, loopback and link-local addresses too. Default:
    /// `false`.
    ///
    /// Then whoever may register a `jwks_uri` can make this server knock at every door behind its
    /// firewall: only where you register all clients yourself.
    #[must_use]
    pub fn allow_private_addresses(mut self, allow: bool) -> Self {
        self.connection.allow_private = allow;
        Self::of(self.connection, self.limits, self.bounds)
    }

    /// The keys at this URI of a client, which have this `kid` if they can.
    ///
    /// # Errors
    ///
    /// If they could not be fetched, and there are none from before that are good still.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with its time driver, if there is something to fetch.
    pub async fn keys(&self, uri: &str, kid: Option<&str>) -> Result<KeySet, RemoteError> {
        let place = KeySource::registered(uri)?;
        self.get(&place, kid).await.map(|served| served.keys)
    }

    /// The same, and when the source was asked for them.
    pub(crate) fn lookup(&self, place: &KeySource, kid: Option<&str>) -> KeyLookup {
        self.cache.lookup(place, kid)
    }

    /// The keys at this URI, which have this `kid` if they can, and what is known of them.
    pub(crate) async fn get(
        &self,
        place: &KeySource,
        kid: Option<&str>,
    ) -> Result<CachedKeys, RemoteError> {
        self.cache.get(place, kid).await
    }

    /// Keys that are newer than those at hand, for a question that came `since`.
    pub(crate) fn refresh(
        &self,
        place: &KeySource,
        since: Instant,
        client: Option<&str>,
    ) -> KeyRefresh {
        self.cache.refresh(place, since, client)
    }

    fn of(connection: ConnectionSettings, limits: Limits, bounds: Bounds) -> Self {
        let fetcher = Arc::new(Fetcher::new(connection.clone(), bounds));
        let fetch = move |place: KeySource| -> BoxFuture<'static, _> {
            let fetcher = Arc::clone(&fetcher);
            Box::pin(async move { fetcher.fetch(&place).await })
        };
        Self {
            connection,
            limits,
            bounds,
            cache: Arc::new(Cache::new(limits, Box::new(fetch))),
        }
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
