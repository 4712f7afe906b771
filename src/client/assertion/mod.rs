//! `private_key_jwt` and `client_secret_jwt` (RFC 7521, RFC 7523, `OpenID` Connect Core §9).
//!
//! A client proves by a signature that it is who it says it is, and sends no secret. What is
//! verified, in this order:
//!
//! 1. The assertion is a compact JWS of at most 16 KiB, strictly encoded, with neither `crit` nor a
//!    member twice, and its `typ` is absent, `JWT` or `client-authentication+jwt`.
//! 2. Its algorithm is one of [`algorithms`](Assertions::algorithms).
//! 3. `iss` and `sub` are the same client, and the `client_id` of the request, if it has one.
//! 4. `aud` is this server: see [`AudiencePolicy`].
//! 5. `exp` is there, not past, and at most an hour ahead; `nbf` and `iat`, if they are there, are
//!    not ahead. The clocks may differ by ten seconds.
//! 6. `jti` is there, a string of at most 256 bytes.
//! 7. The client is registered for the method, and for the algorithm if it has a
//!    `token_endpoint_auth_signing_alg`. Without one it may use any algorithm that its key admits:
//!    the key's own `alg`, or all of the key's type (`OpenID` Connect Registration §2). A secret
//!    is for HS256 unless another algorithm is registered.
//! 8. The signature verifies with a key of that very client, at its registration or its `jwks_uri`.
//! 9. The `jti` has not been used: it is [used up](super::replay) atomically, and last, so that
//!    nobody but the client can use it up.
//!
//! Where there is no key to verify with, another one is used in vain: a client that does not exist
//! takes as long as a signature that is wrong. Keys that have to be fetched first take longer.
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

/// Longer than any assertion lives, or any sum overflows.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What the assertions of clients have to be.
///
/// One value serves all endpoints of a server: give its authenticator to the token endpoint and the
/// introspection endpoint too, and an assertion that was used at one is refused at the others.
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
    /// Assertions for the server whose issuer identifier this is: the very string that its metadata
    /// says.
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
            max_size: claims::LONGEST,
            guard: Arc::new(MemoryGuard::default()),
        }
    }

    /// Which `aud` is accepted. The issuer, unless this is called.
    #[must_use]
    pub fn audience(mut self, policy: AudiencePolicy) -> Self {
        self.audience = policy;
        self
    }

    /// Whose clients these are, where servers share a [guard](Self::replay_guard). The issuer,
    /// unless this is called.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<Arc<str>>) -> Self {
        self.tenant = tenant.into();
        self
    }

    /// The algorithms that are accepted of anybody; what a client is registered for narrows them.
    /// All of them, unless this is called.
    #[must_use]
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// By how much the clocks of server and client may differ. Ten seconds, unless this is called;
    /// never more than sixty.
    #[must_use]
    pub fn skew(mut self, skew: Duration) -> Self {
        self.skew = skew.min(Duration::from_secs(60));
        self
    }

    /// How far ahead `exp` may be. An hour, unless this is called; never more than a day. It bounds
    /// how long a `jti` is remembered.
    #[must_use]
    pub fn max_lifetime(mut self, lifetime: Duration) -> Self {
        self.max_lifetime = lifetime.min(A_DAY);
        self
    }

    /// Demands an `iat`, at most so long ago, or a day if that is less. It may be missing and of
    /// any age, unless this is called.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age.min(A_DAY));
        self
    }

    /// The longest assertion, in bytes. 16 KiB, unless this is called.
    #[must_use]
    pub fn max_size(mut self, bytes: usize) -> Self {
        self.max_size = bytes;
        self
    }

    /// Where it is kept which `jti`s have been used. In the memory of this process, unless this is
    /// called: a restart then forgets them.
    #[must_use]
    pub fn replay_guard(mut self, guard: impl ReplayGuard + 'static) -> Self {
        self.guard = Arc::new(guard);
        self
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whether any assertion could be of this method.
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
