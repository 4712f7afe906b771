//! Configures a [`RemoteKeys`].

use std::{fmt, sync::Arc, time::Duration};

use super::{RemoteError, RemoteKeys, fetch::SetLimits, limits::Limits};
use crate::outbound::{ConnectionSettings, Resolve, parse_roots};

/// Builds a [`RemoteKeys`]. Made by [`RemoteKeys::builder`].
///
/// ```
/// use std::time::Duration;
/// use tower_revocation::jose::RemoteKeys;
///
/// let keys = RemoteKeys::builder()
///     .timeout(Duration::from_secs(2))
///     .lifetime_bounds(Duration::from_secs(300), Duration::from_secs(3600))
///     .build();
/// ```
#[derive(Clone)]
pub struct RemoteKeysBuilder {
    connection: ConnectionSettings,
    limits: Limits,
    set: SetLimits,
}

impl RemoteKeysBuilder {
    pub(super) fn new() -> Self {
        Self {
            // Each URI is checked for its scheme where it is parsed.
            connection: ConnectionSettings {
                allow_http: true,
                ..ConnectionSettings::default()
            },
            limits: Limits::default(),
            set: SetLimits::default(),
        }
    }

    /// Makes the [`RemoteKeys`], with an empty cache of its own.
    #[must_use]
    pub fn build(self) -> RemoteKeys {
        RemoteKeys::from_parts(self.connection, self.limits, self.set)
    }

    /// Limits how long a fetch takes, from the lookup of the name to the last byte. Defaults to 5
    /// s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.connection.timeout = timeout;
        self
    }

    /// Limits the size of a set, in bytes. Defaults to 1 MiB. A larger set is a failure.
    ///
    /// # Panics
    ///
    /// Panics if `bytes` is zero: no set would ever be read.
    #[must_use]
    pub fn max_size(mut self, bytes: usize) -> Self {
        assert!(bytes > 0, "a set has at least one byte");
        self.connection.max_size = bytes;
        self
    }

    /// Limits how many keys a set may have, usable or not. Defaults to 100. A larger set is a
    /// failure.
    ///
    /// # Panics
    ///
    /// Panics if `keys` is zero: no set would ever be read.
    #[must_use]
    pub fn max_keys(mut self, keys: usize) -> Self {
        assert!(keys > 0, "a set has at least one key");
        self.set.max_keys = keys;
        self
    }

    /// Limits how many keys of a set a signature is checked with. Defaults to 16. See
    /// [`KeySet::max_candidates`](crate::jose::KeySet::max_candidates).
    ///
    /// # Panics
    ///
    /// Panics if `keys` is zero: no signature would ever be verified.
    #[must_use]
    pub fn max_candidates(mut self, keys: usize) -> Self {
        assert!(keys > 0, "without a candidate no signature is verified");
        self.set.max_candidates = keys;
        self
    }

    /// Sets how long an unknown `kid` causes no further fetch of the same URI. Defaults to 60 s.
    ///
    /// **Without a cool-down, anyone who sends invented `kid`s makes this server fetch.**
    #[must_use]
    pub fn cool_down(mut self, cool_down: Duration) -> Self {
        self.limits.cool_down = cool_down;
        self
    }

    /// Limits how many fetches one authenticated client may cause during each
    /// [cool-down](Self::cool_down). Defaults to 3. Each source is still asked at most once a
    /// second.
    ///
    /// A client uses one fetch when it revokes a token that was signed with a key published after
    /// the last fetch. A public client is not verified, so others can use up its fetches. With `0`,
    /// all clients wait for the end of the cool-down, and receive 503 until then.
    #[must_use]
    pub fn fetches_per_client(mut self, fetches: u32) -> Self {
        self.limits.fetches_per_client = fetches;
        self
    }

    /// Bounds how long a set is fresh, whatever its source says. Defaults to at least 60 s and at
    /// most 24 h.
    ///
    /// A set with `no-store` or `no-cache` is fresh for the minimum. A set without `Cache-Control`
    /// is fresh for 1 h, within the bounds. A key that its owner has withdrawn is accepted until
    /// the set expires.
    ///
    /// # Panics
    ///
    /// Panics if `min` is more than `max`.
    #[must_use]
    pub fn lifetime_bounds(mut self, min: Duration, max: Duration) -> Self {
        assert!(min <= max, "the minimum lifetime is more than the maximum");
        self.limits.min_lifetime = min;
        self.limits.max_lifetime = max;
        self
    }

    /// Sets how long a set is still used after it was fresh, while its source is down. Defaults to
    /// 24 h.
    ///
    /// `must-revalidate` of the source does not shorten it. Otherwise the source would take its
    /// clients down with it.
    #[must_use]
    pub fn stale(mut self, stale: Duration) -> Self {
        self.limits.stale = stale;
        self
    }

    /// Limits how many URIs are cached. Defaults to 10 000. Beyond that, the least recently used is
    /// removed.
    ///
    /// # Panics
    ///
    /// Panics if `uris` is zero: no keys could be cached.
    #[must_use]
    pub fn capacity(mut self, uris: usize) -> Self {
        assert!(uris > 0, "without capacity no keys can be cached");
        self.limits.capacity = uris;
        self
    }

    /// Trusts these certificates, in PEM, instead of the root certificates of the system.
    ///
    /// # Errors
    ///
    /// Fails if there is no certificate, or if one cannot be read.
    pub fn trusted_ca(mut self, pem: &[u8]) -> Result<Self, RemoteError> {
        self.connection.roots = Some(parse_roots(pem)?);
        Ok(self)
    }

    /// Resolves names with this resolver. Defaults to that of the system.
    #[must_use]
    pub fn resolver(mut self, resolver: impl Resolve) -> Self {
        self.connection.resolver = Arc::new(resolver);
        self
    }

    /// Allows URIs of clients that lead to private, loopback and link-local addresses. Defaults to
    /// `false`.
    ///
    /// **With it, anyone who may register a `jwks_uri` can make this server connect to any host
    /// behind its firewall.** Set it only if you register all clients yourself.
    #[must_use]
    pub fn allow_private_addresses(mut self, allow: bool) -> Self {
        self.connection.allow_private = allow;
        self
    }
}

impl fmt::Debug for RemoteKeysBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteKeysBuilder")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
