//! Self-contained access tokens (RFC 9068), verified.
//!
//! [`JwtTokens`] knows the tokens of one issuer by its keys alone. What is verified, in this order:
//!
//! 1. The token is a compact JWS of at most 16 KiB, strictly encoded, with neither `crit` nor a
//!    member twice.
//! 2. `iss` is the issuer, and the algorithm is one of [`algorithms`](JwtTokens::algorithms), none of
//!    which has a secret that both sides hold.
//! 3. The signature verifies with a key of the issuer. Only for this are keys fetched, so that
//!    nothing that is not even said to be the issuer's makes this server fetch.
//! 4. It says that it is an access token, in the words of its [`Dialect`]. A client is named, `aud`
//!    is the [`Audience`], `exp` is there, and no member that is looked at is of the wrong type.
//!    `cnf`, if it is there, is a thumbprint that is understood.
//!
//! A token that fails the first two is not one of this issuer
//! ([`Unrecognised`](super::Introspected::Unrecognised)). One that fails the last is: it may be a
//! live refresh token, or for another API ([`Unhandled`](super::Introspected::Unhandled)), which a
//! revocation endpoint answers `unsupported_token_type`.
//!
//! **Time is not judged here.** A token that has expired, or is not yet valid, is genuine, and
//! whose it is can be told; whether it is let through is for those to say who ask, with their
//! leeway.
//!
//! # What a token can be revoked by
//!
//! By its identifier, its grant, session, subject, client, key and issuer, as far as they are in
//! it: always by what was verified, never by how it is spelt. A token that is signed anew, with its
//! members in another order, or has the ECDSA signature (r, n-s) in place of (r, s), falls with the
//! same record; any other spelling of its octets is no token. One without an identifier cannot be
//! revoked alone, and [`RecordRevocation`](crate::revoke::RecordRevocation) says so.
//!
//! # What is remembered, and for how long
//!
//! A token is taken to expire at its `exp`, or so much after its `iat` as
//! [`longest_lifetime`](JwtTokens::longest_lifetime) says, if that is earlier. So no record about
//! it has to be kept for longer. Without an `iat`, which RFC 9068 §2.2 requires, `exp` alone
//! counts.

mod audience;
mod claims;
mod dialect;
mod error;
mod future;
mod pending;
mod products;
mod settled;

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::Instant;
use tower::Service;

pub use audience::Audience;
pub use dialect::Dialect;
pub use error::{JwtError, JwtErrorKind};
pub use future::JwtFuture;
use future::Step;
use pending::Question;

use super::Introspected;
use crate::{
    jose::{Algorithm, KeyLookup, Keys, RemoteError, RemoteKeys},
    token::Secret,
};

/// The self-contained access tokens of one issuer, as a `tower::Service<Secret>`.
///
/// It returns [`Token`](Introspected::Token) for a genuine access token of this issuer, expired or
/// not; [`Unhandled`](Introspected::Unhandled) for a genuine token of another kind or audience;
/// [`Unrecognised`](Introspected::Unrecognised) for what is certainly not one of its tokens; and an
/// [error](JwtError) if that could not be found out.
///
/// A clone is cheap. Where keys are at hand the token is verified where the service is called, and
/// the answer is ready at once: memory is asked for by the three segments, by the members in them
/// and by those that the [`Introspection`](super::Introspection) keeps, some thirty times for a
/// token of RFC 9068, and never by the future. Keys that are fetched are waited for, together with
/// all others that wait for them.
///
/// # Which keys settle a token
///
/// A token that no key verifies may be forged, or signed with a key that is newer than the keys at
/// hand. Keys settle that it is forged, whatever its `kid`, in these cases alone:
///
/// * They are a fixed set.
/// * They were fetched later than the token's `iat` plus the [leeway](Self::leeway). For a token
///   without `iat`, or with one that is further in the future than the leeway: they were fetched
///   after the question came.
///
/// In both cases every key that may have signed it was tried: there are at most
/// [`max_candidates`](crate::jose::KeySet::max_candidates) of them, and none that is published but
/// cannot be read.
///
/// Otherwise newer keys are fetched, at most once in each [cool-down](crate::jose::RemoteKeysBuilder::cool_down).
/// A client that revokes a token may have them fetched [earlier](crate::jose::RemoteKeysBuilder::fetches_per_client).
/// What is still open then is [an error](JwtErrorKind::Unsettled): 503 with the `Retry-After` after
/// which a fetch will settle it. That is at most the leeway, the cool-down and the
/// [time-out](crate::jose::RemoteKeysBuilder::timeout) of a fetch after the token was issued: 125 s by default, as long
/// as the keys can be fetched.
///
/// A token whose own `exp` is past is refused by
/// [`EnforcementLayer`](crate::enforce::EnforcementLayer) in any case, and so is one from the
/// future.
///
/// ```
/// use tower_revocation::{
///     introspect::jwt::{Audience, Dialect, JwtTokens},
///     jose::{Algorithm, Keys},
///     log::MemoryLog,
///     revoke::RecordRevocation,
/// };
///
/// let tokens = JwtTokens::new(
///     "https://sso.example.com/realms/main",
///     Keys::from_uri("https://sso.example.com/realms/main/protocol/openid-connect/certs")?,
///     Audience::any_of(["https://api.example.com"]),
/// )
/// .dialect(Dialect::keycloak())
/// .algorithms([Algorithm::Rs256, Algorithm::Es256]);
///
/// // Revokes them.
/// let backend = RecordRevocation::new(tokens, MemoryLog::new());
/// # Ok::<_, tower_revocation::jose::RemoteError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a service does nothing until it is asked"]
pub struct JwtTokens {
    policy: Arc<Policy>,
}

#[derive(Clone, Debug)]
struct Policy {
    issuer: String,
    keys: Keys,
    remote: RemoteKeys,
    audience: Audience,
    dialect: Dialect,
    algorithms: Vec<Algorithm>,
    longest_lifetime: Duration,
    leeway: Duration,
    max_size: usize,
    tenant: Option<String>,
}

impl JwtTokens {
    /// The tokens of the issuer whose `iss` this is, **byte for byte**, that these keys have signed
    /// for this audience, as RFC 9068 has them.
    pub fn new(issuer: impl Into<String>, keys: impl Into<Keys>, audience: Audience) -> Self {
        let policy = Policy {
            issuer: issuer.into(),
            keys: keys.into(),
            remote: RemoteKeys::new(),
            audience,
            dialect: Dialect::rfc9068(),
            algorithms: asymmetric(Algorithm::ALL.iter().copied()),
            longest_lifetime: Duration::from_secs(24 * 60 * 60),
            leeway: Duration::from_secs(60),
            max_size: 16 * 1024,
            tenant: None,
        };
        Self {
            policy: Arc::new(policy),
        }
    }

    /// The tokens of the issuer whose `iss` this is, **byte for byte**, signed with the keys that its
    /// [metadata names](Keys::from_issuer). The metadata is fetched with the keys.
    ///
    /// ```
    /// use tower_revocation::introspect::jwt::{Audience, Dialect, JwtTokens};
    ///
    /// let issuer = "https://sso.example.com/realms/main";
    /// let tokens = JwtTokens::discover(issuer, Audience::any_of(["https://api.example.com"]))?
    ///     .dialect(Dialect::keycloak());
    /// # Ok::<_, tower_revocation::jose::RemoteError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the issuer is neither an `https` URI nor an `http` one of this machine, or has a query.
    /// For an issuer elsewhere that has no TLS, see [`Keys::from_plain_http_issuer`].
    pub fn discover(issuer: &str, audience: Audience) -> Result<Self, RemoteError> {
        Ok(Self::new(issuer, Keys::from_issuer(issuer)?, audience))
    }

    /// How the issuer writes its tokens. As RFC 9068 has it, unless this is called.
    pub fn dialect(self, dialect: Dialect) -> Self {
        self.with(|policy| policy.dialect = dialect)
    }

    /// The algorithms that tokens may be signed with. All that have a public key, unless this is
    /// called; those that have none are left out.
    pub fn algorithms(self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        let algorithms = asymmetric(algorithms);
        self.with(|policy| policy.algorithms = algorithms)
    }

    /// How long after its `iat` a token expires at the latest, whatever its `exp` says. A day,
    /// unless this is called.
    ///
    /// It is for [`RecordRevocation::longest_lifetime`](crate::revoke::RecordRevocation::longest_lifetime) too. **Never
    /// raise it while records are kept that were written under a lower one**: they may be forgotten
    /// while their tokens are taken to live.
    pub fn longest_lifetime(self, lifetime: Duration) -> Self {
        self.with(|policy| policy.longest_lifetime = lifetime)
    }

    /// How far the clocks of the issuer and of this server may be apart, and how long the issuer may
    /// take to publish a key that it already signs with. Defaults to 60 s.
    ///
    /// Keys [settle a token](Self#which-keys-settle-a-token) only if they were fetched later than
    /// this after its `iat`.
    pub fn leeway(self, leeway: Duration) -> Self {
        self.with(|policy| policy.leeway = leeway)
    }

    /// Limits the length of a token, in bytes. Defaults to 16 KiB.
    ///
    /// [`EnforcementLayer`](crate::enforce::EnforcementLayer) has no limit of its own. A revocation
    /// endpoint has: see [`RevocationLayer::max_token`](crate::RevocationLayer::max_token). Servers
    /// limit the head of a request too.
    pub fn max_size(self, octets: usize) -> Self {
        self.with(|policy| policy.max_size = octets)
    }

    /// Whose subjects, clients, grants and sessions these are, where one log serves several
    /// issuers. Nobody's in particular, unless this is called. See
    /// [`Claims::tenant`](super::Claims::tenant).
    pub fn tenant(self, tenant: impl Into<String>) -> Self {
        let tenant = Some(tenant.into());
        self.with(|policy| policy.tenant = tenant)
    }

    /// How keys are fetched, if they are at a URI.
    pub fn remote_keys(self, remote: RemoteKeys) -> Self {
        self.with(|policy| policy.remote = remote)
    }

    fn with(mut self, set: impl FnOnce(&mut Policy)) -> Self {
        set(Arc::make_mut(&mut self.policy));
        self
    }
}

impl Service<Secret> for JwtTokens {
    type Response = Introspected;
    type Error = JwtError;
    type Future = JwtFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    /// # Panics
    ///
    /// Outside a tokio runtime with its time driver, if keys are to be fetched.
    fn call(&mut self, token: Secret) -> JwtFuture {
        let policy = &self.policy;
        let jws = match policy.claimed(token.expose()) {
            Ok(jws) => jws,
            Err(introspected) => return JwtFuture::at_once(Ok(introspected)),
        };
        let place = match &policy.keys {
            Keys::Set(keys) => return JwtFuture::at_once(policy.by_fixed(&jws, keys)),
            Keys::Remote(place) => place,
        };
        let since = Instant::now();
        let step = match policy.remote.lookup(place, None) {
            KeyLookup::Done(served) => policy.next(&jws, served, since, token.asker()),
            KeyLookup::Pending(running) => Step::Wait(running),
        };
        match step {
            Step::Answer(answer) => JwtFuture::at_once(answer),
            Step::Wait(running) => {
                let tokens = self.clone();
                let question = Question {
                    tokens,
                    token,
                    since,
                };
                JwtFuture::fetching(running, question)
            }
        }
    }
}

fn asymmetric(algorithms: impl IntoIterator<Item = Algorithm>) -> Vec<Algorithm> {
    let algorithms = algorithms.into_iter();
    algorithms
        .filter(|algorithm| !algorithm.is_hmac())
        .collect()
}
