//! `private_key_jwt` and `client_secret_jwt` (RFC 7521, RFC 7523, `OpenID` Connect Core §9).
//!
//! A client proves its identity with a signature, and sends no secret. The authenticator checks, in
//! this order:
//!
//! 1. The assertion is a compact JWS of at most 16 KiB, strictly encoded, without `crit` and
//!    without duplicate members. Its `typ` is absent, `JWT` or `client-authentication+jwt`.
//! 2. Its algorithm is one of [`algorithms`](Assertions::algorithms).
//! 3. `iss` and `sub` are the same client, and the same as the `client_id` of the request if there
//!    is one.
//! 4. `aud` is this server: see [`AudiencePolicy`].
//! 5. `exp` is present, in the future, and at most one hour ahead. `nbf` and `iat` are absent or in
//!    the past. The clocks may differ by ten seconds.
//! 6. `jti` is present, a string of at most 256 bytes.
//! 7. The client is registered for the method, and for the algorithm if it has a
//!    `token_endpoint_auth_signing_alg`. Without one, it may use every algorithm that its key
//!    admits: the `alg` of the key, or all algorithms of its key type (`OpenID` Connect
//!    Registration §2). A secret admits only HS256 unless another algorithm is registered.
//! 8. A key of this client, from its registration or its `jwks_uri`, verifies the signature.
//! 9. The `jti` has not been used. It is [used up](super::replay) atomically, and last, so that
//!    only the client can use it up.
//!
//! If the client has no key for the signature, a decoy key is used instead: an unknown client takes
//! as long as a wrong signature. Keys that must be fetched first take longer.
//!
//! ```
//! use tower_revocation::client::{
//!     assertion::Assertions,
//!     registry::{ClientAuthenticator, Registry},
//! };
//!
//! let clients = Registry::from_json(r#"{
//!     "client_id": "pk-client",
//!     "token_endpoint_auth_method": "private_key_jwt",
//!     "token_endpoint_auth_signing_alg": "ES256",
//!     "jwks": { "keys": [{
//!         "kty": "EC", "crv": "P-256", "kid": "k1",
//!         "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
//!         "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"
//!     }] }
//! }"#)?;
//! let authenticator = ClientAuthenticator::new(clients)
//!     .assertions(Assertions::new("https://as.example.com"));
//! # Ok::<_, tower_revocation::client::registry::RegistryError>(())
//! ```

mod audience;
mod claims;
#[cfg(test)]
mod tests;
mod verify;

use std::{sync::Arc, time::Duration};

pub use audience::AudiencePolicy;
pub(crate) use claims::{Claimed, claimed_subject};

use super::{
    AuthMethod,
    replay::{MemoryGuard, ReplayGuard},
};
use crate::jose::Algorithm;

/// Longer than any assertion is valid, and short enough that no sum overflows.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The requirements for the assertions of clients.
///
/// One value serves all endpoints of a server. Give the same authenticator to the token endpoint
/// and the introspection endpoint: then an assertion that was used at one endpoint is refused at
/// the others.
///
/// ```
/// use std::time::Duration;
/// use tower_revocation::{client::assertion::Assertions, jose::Algorithm};
///
/// // FAPI 2.0
/// let assertions = Assertions::new("https://as.example.com")
///     .algorithms([Algorithm::Ps256, Algorithm::Es256, Algorithm::Ed25519])
///     .max_lifetime(Duration::from_secs(300));
/// ```
#[derive(Debug)]
pub struct Assertions {
    issuer: Arc<str>,
    audience: AudiencePolicy,
    tenant: Arc<str>,
    algorithms: Vec<Algorithm>,
    skew: Duration,
    max_lifetime: Duration,
    max_age: Option<Duration>,
    max_size: usize,
    guard: Arc<dyn ReplayGuard>,
}

impl Assertions {
    /// Accepts assertions for the server with this issuer identifier. It must be exactly the issuer
    /// in the metadata.
    #[must_use]
    pub fn new(issuer: impl Into<String>) -> Self {
        let issuer = Arc::<str>::from(issuer.into());
        Self {
            tenant: issuer.clone(),
            audience: AudiencePolicy::issuer(&*issuer),
            issuer,
            algorithms: Algorithm::ALL.to_vec(),
            skew: Duration::from_secs(10),
            max_lifetime: Duration::from_secs(60 * 60),
            max_age: None,
            max_size: claims::MAX_LEN,
            guard: Arc::new(MemoryGuard::default()),
        }
    }

    /// Sets which `aud` is accepted. Defaults to the issuer.
    #[must_use]
    pub fn audience(mut self, policy: AudiencePolicy) -> Self {
        self.audience = policy;
        self
    }

    /// Sets the tenant of these clients, for servers that share a [guard](Self::replay_guard).
    /// Defaults to the issuer.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<Arc<str>>) -> Self {
        self.tenant = tenant.into();
        self
    }

    /// Sets the algorithms that are accepted from all clients. A registration can only narrow them.
    /// Defaults to all algorithms.
    #[must_use]
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Sets by how much the clocks of server and client may differ. Defaults to 10 s. At most 60 s.
    #[must_use]
    pub fn skew(mut self, skew: Duration) -> Self {
        self.skew = skew.min(Duration::from_secs(60));
        self
    }

    /// Sets how far `exp` may be in the future. Defaults to 1 h. At most one day. It limits how
    /// long a `jti` is remembered.
    #[must_use]
    pub fn max_lifetime(mut self, lifetime: Duration) -> Self {
        self.max_lifetime = lifetime.min(A_DAY);
        self
    }

    /// Requires an `iat` that is at most this old. At most one day. By default `iat` may be
    /// missing, or have any age.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age.min(A_DAY));
        self
    }

    /// Sets the limit for an assertion, in bytes. Defaults to 16 KiB.
    #[must_use]
    pub fn max_size(mut self, bytes: usize) -> Self {
        self.max_size = bytes;
        self
    }

    /// Sets where used `jti`s are remembered. Defaults to the memory of this process, which a
    /// restart clears.
    #[must_use]
    pub fn replay_guard(mut self, guard: impl ReplayGuard + 'static) -> Self {
        self.guard = Arc::new(guard);
        self
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whether an assertion of this method can be accepted.
    pub(crate) fn verifies(&self, method: AuthMethod) -> bool {
        let hmac = method == AuthMethod::ClientSecretJwt;
        self.algorithms
            .iter()
            .any(|algorithm| algorithm.is_hmac() == hmac)
    }

    /// The names of the algorithms, for the metadata.
    pub(crate) fn signing_algs(&self) -> Vec<&'static str> {
        self.algorithms
            .iter()
            .map(|algorithm| algorithm.as_str())
            .collect()
    }
}
