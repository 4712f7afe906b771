//! Attestation-based client authentication: an app proves that it is a genuine instance.
//!
//! Implements draft-ietf-oauth-attestation-based-client-auth-08 (March 2026), with the method
//! `attest_jwt_client_auth`. The draft may change, and this module with it. A `DPoP` proof in place
//! of the proof of the draft (`attest_jwt_client_auth_dpop`) is not supported.
//!
//! An attester, such as the publisher of an app, signs a **client attestation** for each instance
//! of the app. Its `cnf` contains the public key of the instance. With every request, the instance
//! sends the attestation and a fresh **proof** that it has the private key. The authenticator
//! checks, in this order:
//!
//! 1. There is exactly one field `OAuth-Client-Attestation` and one `OAuth-Client-Attestation-PoP`.
//!    Each is a compact JWS of at most 16 KiB, with its own `typ`, signed with one of
//!    [`algorithms`](Attestations::algorithms). Algorithms with a shared secret are not accepted.
//! 2. `sub` of the attestation is the client, and the same as the `client_id` of the request if
//!    there is one. Its `cnf` has a public key. `aud` of the proof is this server, its `iat` is at
//!    most five minutes old, and it has a `jti`. The claims `iss`, `sub` and `exp` of earlier
//!    drafts are optional in the proof, and are checked if they are present.
//! 3. A key of the attester that `iss` names, or of any attester if there is no `iss`, verifies the
//!    attestation. The key in `cnf` verifies the proof.
//! 4. The attestation has not expired. Otherwise the error is `use_fresh_attestation`.
//! 5. The proof contains one of our [`Challenges`], if they are required. Otherwise the error is
//!    `use_attestation_challenge`, and the response contains a challenge.
//! 6. The client is registered for the method.
//! 7. The `jti` of the proof has not been used.
//!
//! All other problems of an attestation or a proof are `invalid_client_attestation`, whatever the
//! client.
//!
//! ```
//! use tower_revocation::{
//!     client::{
//!         attestation::{Attestations, Challenges},
//!         registry::{ClientAuthenticator, Registry},
//!     },
//!     jose::KeySet,
//! };
//!
//! let clients = Registry::from_json(
//!     r#"{ "client_id": "app", "token_endpoint_auth_method": "attest_jwt_client_auth" }"#,
//! )?;
//! let attester = KeySet::from_json(r#"{ "keys": [{
//!     "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
//! }] }"#)?;
//! let attestations = Attestations::new("https://as.example.com")
//!     .attester("https://attester.example.com", attester)
//!     .challenges(Challenges::new());
//! let authenticator = ClientAuthenticator::new(clients).attestations(attestations);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod challenge;
mod claims;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

pub use challenge::Challenges;
use claims::Attested;
pub(crate) use claims::attested_subject;

use super::{
    Credentials, Refusal,
    key_errors::{key_fetch_failed, undecided},
    registry::Client,
    replay::{MemoryGuard, Once, ReplayGuard},
};
use crate::{
    error::{Error, ErrorKind},
    jose::{Algorithm, Keys, RemoteError, RemoteKeys},
};

/// The trusted attesters, and the requirements for attestations.
#[derive(Debug)]
pub struct Attestations {
    issuer: Arc<str>,
    attesters: Vec<Attester>,
    algorithms: Vec<Algorithm>,
    skew: Duration,
    max_age: Duration,
    challenges: Option<Challenges>,
    guard: Arc<dyn ReplayGuard>,
    remote: RemoteKeys,
}

#[derive(Debug)]
struct Attester {
    iss: String,
    keys: Keys,
}

impl Attestations {
    /// Accepts attestations for the server with this issuer identifier. It is the `aud` of every
    /// proof, **byte for byte**.
    #[must_use]
    pub fn new(issuer: impl Into<Arc<str>>) -> Self {
        let algorithms = Algorithm::ALL.iter().copied();
        Self {
            issuer: issuer.into(),
            attesters: Vec::new(),
            algorithms: algorithms
                .filter(|algorithm| !algorithm.is_hmac())
                .collect(),
            skew: Duration::from_secs(10),
            max_age: Duration::from_secs(5 * 60),
            challenges: None,
            guard: Arc::new(MemoryGuard::default()),
            remote: RemoteKeys::new(),
        }
    }

    /// Trusts an attester, which is known by its `iss`. Its keys are given, or
    /// [fetched](Keys::from_uri).
    #[must_use]
    pub fn attester(mut self, iss: impl Into<String>, keys: impl Into<Keys>) -> Self {
        let (iss, keys) = (iss.into(), keys.into());
        self.attesters.push(Attester { iss, keys });
        self
    }

    /// Sets how the keys of attesters are fetched.
    #[must_use]
    pub fn remote_keys(mut self, remote: RemoteKeys) -> Self {
        self.remote = remote;
        self
    }

    /// Sets the algorithms that attestations and proofs may be signed with. Defaults to all
    /// algorithms with a public key. Others are ignored.
    #[must_use]
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        let algorithms = algorithms.into_iter();
        self.algorithms = algorithms
            .filter(|algorithm| !algorithm.is_hmac())
            .collect();
        self
    }

    /// Sets by how much the clocks may differ. Defaults to 10 s. At most 60 s.
    #[must_use]
    pub fn skew(mut self, skew: Duration) -> Self {
        self.skew = skew.min(Duration::from_secs(60));
        self
    }

    /// Sets how long a proof is valid after its `iat`. Defaults to 5 min. At most one day. It
    /// limits how long a `jti` is remembered.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age.min(Duration::from_secs(24 * 60 * 60));
        self
    }

    /// Requires one of these challenges in every proof. By default none is required.
    #[must_use]
    pub fn challenges(mut self, challenges: Challenges) -> Self {
        self.challenges = Some(challenges);
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

    /// The names of the algorithms of attestations, and those of proofs, for the metadata.
    pub(crate) fn signing_algs(&self) -> [Vec<&'static str>; 2] {
        let names: Vec<_> = self.algorithms.iter().map(|it| it.as_str()).collect();
        [names.clone(), names]
    }

    /// Verifies that an attester has signed the attestation, that the instance has signed the
    /// proof, and that the proof is new. Nothing depends on the client before both signatures are
    /// verified.
    ///
    /// # Errors
    ///
    /// Returns the refusal, or why the result is unknown.
    pub(crate) async fn verify(
        &self,
        attested: &Attested<'_>,
        client: Result<Arc<Client>, Refusal>,
    ) -> Result<Arc<Client>, Error> {
        if !self.is_signed_by_attester(attested).await? {
            return Err(invalid(Refusal::UntrustedAttestation));
        }
        if !attested.is_signed_by_instance() {
            return Err(invalid(Refusal::BadProof));
        }
        if attested.expires + self.skew <= SystemTime::now() {
            return Err(Error::new(ErrorKind::InvalidRequest)
                .code("use_fresh_attestation")
                .description("The client attestation has expired"));
        }
        if let Some(challenges) = &self.challenges {
            if !attested
                .challenge()
                .is_some_and(|it| challenges.accepts(it))
            {
                return Err(Error::new(ErrorKind::InvalidRequest)
                    .code("use_attestation_challenge")
                    .description("The proof needs a fresh challenge")
                    .header(Credentials::ATTESTATION_CHALLENGE, challenges.issue_field()));
            }
        }
        let client = client.map_err(Error::refused)?;
        let once = Once::new(&self.issuer, client.client_id(), &attested.jti);
        let first = self.guard.use_up(once, attested.until).await;
        if first.map_err(Error::from_service)? {
            Ok(client)
        } else {
            Err(invalid(Refusal::Replayed))
        }
    }

    async fn is_signed_by_attester(&self, attested: &Attested<'_>) -> Result<bool, Error> {
        let jws = &attested.attestation;
        let iss = attested.iss.as_deref();
        let named = |attester: &&Attester| iss.is_none_or(|iss| iss == attester.iss);
        let mut missing = None;
        for attester in self.attesters.iter().filter(named) {
            let (keys, newer) = match &attester.keys {
                Keys::Set(keys) => (keys.clone(), None),
                Keys::Remote(place) => match self.remote.get(place, jws.kid()).await {
                    Ok(served) => {
                        let newer = served.refresh_error_for(jws.kid()).cloned();
                        (served.keys, newer)
                    }
                    // Another attester may have signed it.
                    Err(error) => {
                        missing = Some(key_fetch_failed(error));
                        continue;
                    }
                },
            };
            let mut candidates = keys.candidates(jws.kid(), jws.algorithm);
            if candidates.any(|key| key.verify(jws.algorithm, jws.signing_input, &jws.signature)) {
                return Ok(true);
            }
            let is_tried = keys.knows_all(jws.kid(), jws.algorithm);
            let untried = (!is_tried).then(RemoteError::untried);
            missing = newer.or(untried).map(undecided).or(missing);
        }
        missing.map_or(Ok(false), Err)
    }
}

fn invalid(refusal: Refusal) -> Error {
    Error::refused(refusal).code("invalid_client_attestation")
}
