//! Self-contained access tokens (RFC 9068), verified.
//!
//! [`JwtTokens`] knows the tokens of one issuer by its keys alone. What is verified, in this order:
//!
//! 1. The token is a compact JWS of at most 16 KiB, strictly encoded, with neither `crit` nor a
//!    member twice.
//! 2. Its algorithm is one of [`algorithms`](JwtTokens::algorithms), none of which has a secret
//!    that both sides hold.
//! 3. It says that it is an access token, in the words of its [`Dialect`]; `iss` is the issuer.
//! 4. A client is named, `aud` is the [`Audience`], `exp` is there, and no member that is looked at
//!    is of the wrong type. `cnf`, if it is there, is a thumbprint that is understood.
//! 5. The signature verifies with a key of the issuer. Only for this are keys fetched, so that
//!    nothing that is not even said to be the issuer's makes this server fetch.
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
//! revoked alone, and [`Record`](crate::revoke::Record) says so.
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
mod future;
mod products;

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tower::Service;

pub use audience::Audience;
use claims::Claimed;
pub use dialect::Dialect;
use future::Answer;
pub use future::JwtFuture;

use super::{Introspected, Reason};
use crate::{
    jose::{Algorithm, Keys, Next, RemoteError, RemoteKeys, Served},
    token::Secret,
};

/// The self-contained access tokens of one issuer, as a `tower::Service<Secret>`.
///
/// `Some` is a genuine token of this issuer, expired or not. `None` is certainly none: malformed,
/// of another kind, issuer or audience, or not signed by a key of the issuer. An error means that
/// the keys were not to be had, so that it could not be found out.
///
/// A clone is cheap. Where keys are at hand the token is verified where the service is called, and
/// the answer is ready at once: memory is asked for by the three segments, by the members in them
/// and by those that the [`Introspection`](super::Introspection) keeps, some thirty times for a token of RFC 9068, and
/// never by the future. Keys that are fetched are waited for, together with all others that wait
/// for them.
///
/// ```
/// use tower_revocation::{
///     introspect::jwt::{Audience, Dialect, JwtTokens},
///     jose::{Algorithm, Keys},
///     log::MemoryLog,
///     revoke::Record,
/// };
///
/// let tokens = JwtTokens::new(
///     "https://sso.example.com/realms/main",
///     Keys::Uri("https://sso.example.com/realms/main/protocol/openid-connect/certs".into()),
///     Audience::any_of(["https://api.example.com"]),
/// )
/// .dialect(Dialect::keycloak())
/// .algorithms([Algorithm::Rs256, Algorithm::Es256]);
///
/// // Revokes them.
/// let backend = Record::new(tokens, MemoryLog::new());
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
            max_size: 16 * 1024,
            tenant: None,
        };
        Self {
            policy: Arc::new(policy),
        }
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
    /// It is for [`Record::longest_lifetime`](crate::revoke::Record::longest_lifetime) too. **Never
    /// raise it while records are kept that were written under a lower one**: they may be forgotten
    /// while their tokens are taken to live.
    pub fn longest_lifetime(self, lifetime: Duration) -> Self {
        self.with(|policy| policy.longest_lifetime = lifetime)
    }

    /// The longest token, in octets. 16 KiB, unless this is called.
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
    ///
    /// An issuer has to publish a key a [cool-down](RemoteKeys::cool_down) before it signs with it:
    /// until then a token with a new `kid` may be taken for a forged one, which is what spares the
    /// issuer a fetch for every forged one. A key without a `kid` is found when the set is fetched
    /// anew.
    pub fn remote_keys(self, remote: RemoteKeys) -> Self {
        self.with(|policy| policy.remote = remote)
    }

    fn with(mut self, set: impl FnOnce(&mut Policy)) -> Self {
        set(Arc::make_mut(&mut self.policy));
        self
    }

    /// A token whose keys were not at hand when it was read first.
    fn judge_again(&self, token: &Secret, served: &Served) -> Answer {
        match self.policy.read(token.expose()) {
            Some(claimed) => judge(claimed, served),
            None => Ok(Introspected::Unrecognised(Reason::Unrecognised)),
        }
    }
}

impl Service<Secret> for JwtTokens {
    type Response = Introspected;
    type Error = RemoteError;
    type Future = JwtFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    /// # Panics
    ///
    /// Outside a tokio runtime with its time driver, if keys are to be fetched.
    fn call(&mut self, token: Secret) -> JwtFuture {
        let Some(claimed) = self.policy.read(token.expose()) else {
            return JwtFuture::at_once(Ok(Introspected::Unrecognised(Reason::Unrecognised)));
        };
        let asked = match &self.policy.keys {
            Keys::Set(keys) => Next::Answer(Ok(Served {
                keys: keys.clone(),
                outdated: None,
            })),
            Keys::Uri(uri) => self.policy.remote.ask(uri, claimed.jws.kid()),
        };
        match asked {
            Next::Answer(served) => {
                JwtFuture::at_once(served.and_then(|served| judge(claimed, &served)))
            }
            Next::Wait(running) => JwtFuture::fetching(running, self.clone(), token),
        }
    }
}

/// Whether one of these keys has signed it. No time has to be equal here: nobody's secret is
/// compared.
fn judge(claimed: Claimed<'_>, served: &Served) -> Answer {
    let Claimed { jws, introspection } = claimed;
    let mut candidates = served.keys.candidates(jws.kid(), jws.algorithm);
    if candidates.any(|key| key.verify(jws.algorithm, jws.signing_input, &jws.signature)) {
        return Ok(Introspected::Token(introspection));
    }
    let has_its_key = || {
        let mut kids = served.keys.iter().filter_map(|key| key.kid());
        jws.kid().is_some_and(|kid| kids.any(|known| known == kid))
    };
    if !served.keys.knows_all(jws.kid(), jws.algorithm) {
        return Err(RemoteError::undecided());
    }
    match &served.outdated {
        // It may be of a key that is newer than the set: that is not certainly a forged one.
        Some(error) if !has_its_key() => Err(error.clone()),
        _ => Ok(Introspected::Unrecognised(Reason::Signature)),
    }
}

fn asymmetric(algorithms: impl IntoIterator<Item = Algorithm>) -> Vec<Algorithm> {
    let algorithms = algorithms.into_iter();
    algorithms
        .filter(|algorithm| !algorithm.is_hmac())
        .collect()
}
