//! The setters of `JwtTokens`.

use std::{sync::Arc, time::Duration};

use super::{
    Dialect, JwtTokens,
    config::{Config, asymmetric},
    verifier::Verifier,
};
use crate::jose::{Algorithm, RemoteKeys};

/// Every setter makes a new, empty [cache](JwtTokens#the-cache).
impl JwtTokens {
    /// Sets how the issuer writes its tokens. Defaults to [`Dialect::rfc9068`].
    pub fn dialect(self, dialect: Dialect) -> Self {
        self.with(|config| config.dialect = dialect)
    }

    /// Sets the algorithms that tokens may be signed with. Defaults to all with a public key.
    /// Algorithms without a public key are ignored.
    pub fn algorithms(self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        let algorithms = asymmetric(algorithms);
        self.with(|config| config.algorithms = algorithms)
    }

    /// Limits how long after its `iat` a token expires, even if its `exp` is later. Defaults to one
    /// day.
    /// An older token is refused as [`TooOld`](crate::introspect::Reason::TooOld).
    ///
    /// Give the same value to
    /// [`RecordRevocation::longest_lifetime`](crate::revoke::RecordRevocation::longest_lifetime).
    /// **Never raise it while the log has records from a time with a lower limit**: a record may be
    /// removed while its token still counts as live.
    pub fn longest_lifetime(self, lifetime: Duration) -> Self {
        self.with(|config| config.longest_lifetime = lifetime)
    }

    /// Sets how far the clocks of the issuer and of this server may differ, and how long the issuer
    /// may take to publish a key that it already signs with. Defaults to 60 s.
    ///
    /// Keys [settle a token](Self#which-keys-settle-a-token) only if they were fetched later than
    /// this after its `iat`.
    pub fn leeway(self, leeway: Duration) -> Self {
        self.with(|config| config.leeway = leeway)
    }

    /// Limits the length of a token, in bytes. Defaults to 16 KiB.
    ///
    /// [`EnforcementLayer`](crate::enforce::EnforcementLayer) has no limit of its own. A revocation
    /// endpoint has one: see [`RevocationLayer::max_token`](crate::RevocationLayer::max_token).
    /// Servers also limit the head of a request.
    pub fn max_size(self, bytes: usize) -> Self {
        self.with(|config| config.max_size = bytes)
    }

    /// Sets the tenant of the subjects, clients, grants and sessions, for a log that serves several
    /// issuers. Defaults to none. See [`Claims::tenant`](super::super::Claims::tenant).
    pub fn tenant(self, tenant: impl Into<String>) -> Self {
        let tenant = Some(tenant.into());
        self.with(|config| config.tenant = tenant)
    }

    /// Fetches keys with this `RemoteKeys`, if they are at a URI, and shares its cache and
    /// connections. Defaults to a `RemoteKeys` of its own.
    pub fn remote_keys(self, remote: RemoteKeys) -> Self {
        self.with(|config| config.remote = remote)
    }

    /// Limits how many verified tokens are [cached](Self#the-cache). Defaults to 10 000. With `0`,
    /// nothing is cached, and each token is verified each time.
    ///
    /// The size of a token is its memory divided by 4 KiB, rounded up. For most tokens that is 1. So
    /// the cache takes at most 40 MiB by default.
    pub fn cache_capacity(self, tokens: usize) -> Self {
        self.with(|config| config.cache_capacity = tokens)
    }

    fn with(self, set: impl FnOnce(&mut Config)) -> Self {
        let mut config = self.verifier.config.clone();
        set(&mut config);
        Self {
            verifier: Arc::new(Verifier::new(config)),
        }
    }
}
