//! The fake issuer.

use std::sync::{Arc, PoisonError, RwLock};

use serde_json::json;

use super::{TestClock, TestIssuerServer, TestToken, key::SigningKey};
use crate::{
    introspect::jwt::{Audience, Dialect, JwtTokens},
    jose::{Algorithm, KeySet},
};

/// A fake issuer of access tokens, with keys of its own.
///
/// Clones share the keys and the clock.
///
/// ```
/// use tower_revocation::test_util::TestIssuer;
///
/// let issuer = TestIssuer::new("https://issuer.test").audience("https://photos.test");
/// let tokens = issuer.tokens();
/// let token = issuer.token().subject("alice").scope("read").sign();
/// ```
#[derive(Clone, Debug)]
pub struct TestIssuer {
    issuer: Arc<str>,
    audience: Arc<str>,
    clock: TestClock,
    algorithm: Algorithm,
    /// The last one signs.
    keys: Arc<RwLock<Vec<Arc<SigningKey>>>>,
}

impl TestIssuer {
    /// The `aud` of tokens if the test names no other audience.
    pub const AUDIENCE: &str = "https://api.test";

    /// The claim that names the grant of a token. RFC 9068 has no such claim.
    pub const GRANT_CLAIM: &str = "grant_id";

    /// An issuer with this `iss` and a new ES256 key.
    ///
    /// # Panics
    ///
    /// Panics if the system has no random bytes.
    #[must_use]
    pub fn new(issuer: impl Into<String>) -> Self {
        Self::of_algorithm(issuer.into(), Algorithm::Es256)
    }

    /// An issuer with this `iss` and a new RS256 key of 2048 bits. Generating it takes far longer
    /// than [`new`](Self::new).
    ///
    /// # Panics
    ///
    /// Panics if the system has no random bytes.
    #[must_use]
    pub fn rs256(issuer: impl Into<String>) -> Self {
        Self::of_algorithm(issuer.into(), Algorithm::Rs256)
    }

    fn of_algorithm(issuer: String, algorithm: Algorithm) -> Self {
        let key = Arc::new(SigningKey::generate(algorithm));
        Self {
            issuer: issuer.into(),
            audience: Self::AUDIENCE.into(),
            clock: TestClock::default(),
            algorithm,
            keys: Arc::new(RwLock::new(vec![key])),
        }
    }

    /// The `aud` of tokens, and the audience that [`tokens`](Self::tokens) accepts. Defaults to
    /// [`AUDIENCE`](Self::AUDIENCE).
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = audience.into().into();
        self
    }

    /// The `iss` of tokens.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The clock by which the issuer dates its tokens.
    #[must_use]
    pub fn clock(&self) -> &TestClock {
        &self.clock
    }

    /// A token to sign. It is valid for five minutes unless the test changes it.
    pub fn token(&self) -> TestToken {
        let key = self.signing_key();
        TestToken::new(&self.issuer, &self.audience, self.clock.now(), key)
    }

    /// The introspection of these tokens, for
    /// [`EnforcementLayer`](crate::enforce::EnforcementLayer) and
    /// [`RecordRevocation`](crate::revoke::RecordRevocation).
    ///
    /// It trusts the keys that the issuer has now. To test a [rotation](Self::rotate), use
    /// [`server`](Self::server), or call this again.
    pub fn tokens(&self) -> JwtTokens {
        let audience = Audience::any_of([&*self.audience]);
        JwtTokens::new(&*self.issuer, self.key_set(), audience)
            .dialect(Dialect::rfc9068().grant(Self::GRANT_CLAIM))
    }

    /// The public keys.
    ///
    /// # Panics
    ///
    /// Never. The document of the issuer is always a valid key set.
    #[must_use]
    pub fn key_set(&self) -> KeySet {
        KeySet::from_json(&self.jwks()).expect("a valid key set")
    }

    /// The document with the public keys (RFC 7517 §5).
    #[must_use]
    pub fn jwks(&self) -> String {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let keys: Vec<_> = keys.iter().map(|key| key.jwk()).collect();
        json!({ "keys": keys }).to_string()
    }

    /// Signs further tokens with a new key. The old keys stay in the key set until
    /// [`retire_old_keys`](Self::retire_old_keys).
    ///
    /// # Panics
    ///
    /// Panics if the system has no random bytes.
    pub fn rotate(&self) {
        let key = Arc::new(SigningKey::generate(self.algorithm));
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.push(key);
    }

    /// Removes every key but the last from the key set.
    pub fn retire_old_keys(&self) {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let old = keys.len().saturating_sub(1);
        keys.drain(..old);
    }

    /// A service that publishes the metadata and the keys, for tests of
    /// [`JwtTokens::discover`].
    pub fn server(&self) -> TestIssuerServer {
        TestIssuerServer::new(self.clone())
    }

    fn signing_key(&self) -> Arc<SigningKey> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.last().expect("an issuer has a key").clone()
    }
}
