//! Attestation-based client authentication: an app proves that it is a genuine instance.
//!
//! Follows draft-ietf-oauth-attestation-based-client-auth-08 (March 2026), the method
//! `attest_jwt_client_auth`. It is a draft: what it says may change, and this module with it. A
//! `DPoP` proof in place of its own proof (`attest_jwt_client_auth_dpop`) is not supported.
//!
//! An attester, such as the maker of an app, signs a **client attestation** for each instance of
//! it, with the instance's public key in `cnf`. The instance sends it with every request, and
//! beside it a fresh **proof** that it has the key. What is verified, in this order:
//!
//! 1. There is one field `OAuth-Client-Attestation` and one `OAuth-Client-Attestation-PoP`, each a
//!    compact JWS of at most 16 KiB, with the `typ` that is its own, and signed by an algorithm of
//!    [`algorithms`](Attestations::algorithms). A shared secret is no such algorithm.
//! 2. `sub` of the attestation is the client, and the `client_id` of the request, if it has one;
//!    its `cnf` has a public key. `aud` of the proof is this server, its `iat` at most five minutes
//!    ago, and it has a `jti`. What earlier drafts had in it, `iss`, `sub` and `exp`, need not be
//!    there, and counts where it is.
//! 3. A key of the attester has signed the attestation: of the one that `iss` names, or of any if
//!    it names none. The key in `cnf` has signed the proof.
//! 4. The attestation has not expired; else the answer is `use_fresh_attestation`.
//! 5. The proof has one of our [`Challenges`], where they are demanded; else the answer is
//!    `use_attestation_challenge`, and brings one.
//! 6. The client is registered for the method.
//! 7. The `jti` of the proof has not been used.
//!
//! What is wrong with an attestation or a proof is answered `invalid_client_attestation`, whoever
//! the client is.
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

/// Whose attestations are believed, and what they have to be.
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
    /// Attestations for the server whose issuer identifier this is: the `aud` of every proof,
    /// **byte for byte**.
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

    /// Believes an attester, known by its `iss`, whose keys these are, or are
    /// [there](Keys::from_uri).
    #[must_use]
    pub fn attester(mut self, iss: impl Into<String>, keys: impl Into<Keys>) -> Self {
        let (iss, keys) = (iss.into(), keys.into());
        self.attesters.push(Attester { iss, keys });
        self
    }

    /// How the keys of attesters are fetched.
    #[must_use]
    pub fn remote_keys(mut self, remote: RemoteKeys) -> Self {
        self.remote = remote;
        self
    }

    /// The algorithms that attestations and proofs may be signed with. All that have a public key,
    /// unless this is called; those that have none are left out.
    #[must_use]
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        let algorithms = algorithms.into_iter();
        self.algorithms = algorithms
            .filter(|algorithm| !algorithm.is_hmac())
            .collect();
        self
    }

    /// By how much the clocks may differ. Ten seconds, unless this is called; never more than
    /// sixty.
    #[must_use]
    pub fn skew(mut self, skew: Duration) -> Self {
        self.skew = skew.min(Duration::from_secs(60));
        self
    }

    /// How long a proof is good for, from its `iat` on. Five minutes, unless this is called; never
    /// more than a day. It bounds how long a `jti` is remembered.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age.min(Duration::from_secs(24 * 60 * 60));
        self
    }

    /// Demands one of these challenges in every proof. None is demanded, unless this is called.
    #[must_use]
    pub fn challenges(mut self, challenges: Challenges) -> Self {
        self.challenges = Some(challenges);
        self
    }

    /// Where it is kept which `jti`s have been used. In the memory of this process, unless this is
    /// called.
    #[must_use]
    pub fn replay_guard(mut self, guard: impl ReplayGuard + 'static) -> Self {
        self.guard = Arc::new(guard);
        self
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The names of the algorithms of attestations, and of proofs, for the metadata.
    pub(crate) fn signing_algs(&self) -> [Vec<&'static str>; 2] {
        let names: Vec<_> = self.algorithms.iter().map(|it| it.as_str()).collect();
        [names.clone(), names]
    }

    /// Whether an attester vouches for the instance, and the instance has made the proof, for the
    /// first time. Until that is known, nothing depends on the client.
    ///
    /// # Errors
    ///
    /// The refusal, or that it could not be found out.
    pub(crate) async fn verify(
        &self,
        attested: &Attested<'_>,
        client: Result<Arc<Client>, Refusal>,
    ) -> Result<Arc<Client>, Error> {
        if !self.is_vouched_for(attested).await? {
            return Err(invalid(Refusal::UntrustedAttestation));
        }
        if !attested.is_proven() {
            return Err(invalid(Refusal::BadProof));
        }
        if attested.expires + self.skew <= SystemTime::now() {
            return Err(Error::new(ErrorKind::InvalidRequest)
                .code("use_fresh_attestation")
                .description("The client attestation has expired"));
        }
        if let Some(challenges) = &self.challenges {
            if !attested.challenge().is_some_and(|it| challenges.know(it)) {
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

    async fn is_vouched_for(&self, attested: &Attested<'_>) -> Result<bool, Error> {
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
                    // Another one may have signed it.
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
