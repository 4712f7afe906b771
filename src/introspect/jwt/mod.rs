//! JWT access tokens (RFC 9068), verified with the keys of their issuer.
//!
//! [`JwtTokens`] recognises the tokens of one issuer by its keys alone. These checks are made, in
//! this order:
//!
//! 1. The token is a compact JWS of at most 16 KiB, strictly encoded, without `crit`, and no member
//!    occurs twice.
//! 2. `iss` is the issuer, and the algorithm is one of [`algorithms`](JwtTokens::algorithms). None
//!    of them uses a shared secret.
//! 3. The signature verifies with a key of the issuer. Keys are fetched for this step only, so a
//!    token that does not name the issuer never causes a fetch.
//! 4. The token is an access token in the [`Dialect`] of the issuer. It names a client, `aud`
//!    admits the [`Audience`], `exp` is there, and every claim that is read has the right type.
//!    `cnf`, if it is there, is a known thumbprint.
//!
//! A token that fails check 1 or 2 is not from this issuer
//! ([`Unrecognised`](super::Introspected::Unrecognised)). A token that fails only check 4 is from
//! this issuer. It may be a live refresh token, or a token for another API
//! ([`Unhandled`](super::Introspected::Unhandled)). The revocation endpoint returns
//! `unsupported_token_type`.
//!
//! **The time is not checked here.** A token that has expired, or that is not valid yet, is genuine
//! and has an owner. The caller checks its times, with a leeway of its own.
//!
//! # Which records revoke a token
//!
//! Records about its identifier, grant, session, subject, client, key and issuer, as far as the
//! token has them. They always select by verified claims, never by the spelling of the token. So
//! the same record also revokes a token that is signed again, or has its members in another order,
//! or has the ECDSA signature (r, n-s) instead of (r, s). A token in any other encoding is refused.
//! A token without an identifier cannot be revoked alone, and
//! [`RecordRevocation`](crate::revoke::RecordRevocation) reports that.
//!
//! # How long a token is remembered
//!
//! A token expires at its `exp`, or at its `iat` plus the
//! [`longest_lifetime`](JwtTokens::longest_lifetime), whichever is earlier. No record about it has
//! to be kept for longer. For a token without `iat`, which RFC 9068 §2.2 requires, only `exp`
//! counts.

mod audience;
mod cache;
mod claims;
mod config;
mod dialect;
mod error;
mod future;
mod observe;
mod pending;
mod products;
mod settings;
mod settled;
mod verifier;
mod verify;

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use tower::Service;

pub use audience::Audience;
use config::Config;
pub use dialect::Dialect;
pub use error::{JwtError, JwtErrorKind};
pub use future::JwtFuture;
use verifier::Verifier;

use super::Introspected;
use crate::{
    jose::{Keys, RemoteError},
    token::Secret,
};

/// The JWT access tokens of one issuer, as a `tower::Service<Secret>`.
///
/// It returns [`Token`](Introspected::Token) for a genuine access token of this issuer, expired or
/// not; [`Unhandled`](Introspected::Unhandled) for a genuine token of another kind or for another
/// audience; [`Unrecognised`](Introspected::Unrecognised) for what is certainly not one of its
/// tokens; and an [error](JwtError) if it cannot find out.
///
/// The introspection keeps the payload of the token, so that
/// [`claims_as`](super::Claims::claims_as) can read all claims into a type of your own.
///
/// A clone is cheap. If the keys are at hand, the token is verified inside `call`, and the future
/// is ready at once. That allocates memory for the three segments, for the claims, and for the
/// claims that the [`Introspection`](super::Introspection) keeps: some fifteen times for a token of
/// RFC 9068. The future allocates nothing, and a cached token allocates nothing. If keys are being
/// fetched, the future waits for them, together with all others that need them.
///
/// # The cache
///
/// Genuine tokens are cached, so that the signature of a token is verified once. At most 10 000
/// tokens are cached, which take at most 40 MiB, or as many as are
/// [configured](Self::cache_capacity). Clones share the cache, and every setter makes a new one.
/// When the cache is full, tokens that are used often stay.
///
/// **The cache changes no result.** A cached token is returned only for the same text, byte for
/// byte. It is never returned after its `exp`, and only while the issuer has the keys that verified
/// it: as soon as newer keys are fetched and differ from these, the token is verified anew. Keys are
/// fetched and become stale as if there were no cache.
///
/// **Revocations take effect at once**: only claims are cached, and enforcement asks the
/// [`Index`](crate::enforce::Index) every time whether the token is revoked.
///
/// The cache holds no tokens, only their digests under a key of its own. It holds their claims, also
/// after the `exp` of a token: until the token is introspected again, is evicted by another, or the
/// last clone of the `JwtTokens` is dropped.
///
/// If the operating system has no random numbers for the key, nothing is cached.
///
/// # Which keys settle a token
///
/// A token that no key verifies may be forged, or signed with a key that is newer than the keys at
/// hand. Keys settle that it is forged, with any `kid`, only in these cases:
///
/// * They are a fixed set.
/// * They were fetched later than the token's `iat` plus the [leeway](Self::leeway). For a token
///   without `iat`, or with one that is further in the future than the leeway: they were fetched
///   after the introspection was requested.
///
/// In both cases every key that may have signed the token must have been tried: there are at most
/// [`max_candidates`](crate::jose::KeySet::max_candidates) of them, and the issuer publishes none
/// that cannot be read.
///
/// Otherwise newer keys are fetched, at most once in each [cool-down]. A client that revokes a
/// token may cause a fetch [earlier]. If the token is still not settled, that is [an
/// error](JwtErrorKind::Unsettled): 503 with the `Retry-After` after which a fetch settles it. That
/// is at most the leeway, the cool-down and the [time-out] of a fetch after the token was issued:
/// 125 s by default, if the keys can be fetched.
///
/// [cool-down]: crate::jose::RemoteKeysBuilder::cool_down
/// [earlier]: crate::jose::RemoteKeysBuilder::fetches_per_client
/// [time-out]: crate::jose::RemoteKeysBuilder::timeout
///
/// [`EnforcementLayer`](crate::enforce::EnforcementLayer) refuses a token whose own `exp` has
/// passed, and a token from the future, even if it is not settled.
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
/// // Revokes these tokens.
/// let backend = RecordRevocation::new(tokens, MemoryLog::new());
/// # Ok::<_, tower_revocation::jose::RemoteError>(())
/// ```
#[derive(Clone)]
#[must_use = "a service does nothing until it is called"]
pub struct JwtTokens {
    verifier: Arc<Verifier>,
}

impl JwtTokens {
    /// The tokens of the issuer with this `iss`, **byte for byte**, that are signed with one of
    /// these keys and are for this audience. The [dialect](Self::dialect) defaults to RFC 9068.
    pub fn new(issuer: impl Into<String>, keys: impl Into<Keys>, audience: Audience) -> Self {
        let config = Config::new(issuer.into(), keys.into(), audience);
        Self {
            verifier: Arc::new(Verifier::new(config)),
        }
    }

    /// The tokens of the issuer with this `iss`, **byte for byte**, that are signed with one of the
    /// keys that its [metadata names](Keys::from_issuer). The metadata is fetched with the keys.
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
    /// Fails if the issuer is neither an `https` URI nor an `http` URI of this machine, or if it
    /// has a query. For an issuer on another machine without TLS, see
    /// [`Keys::from_plain_http_issuer`].
    pub fn discover(issuer: &str, audience: Audience) -> Result<Self, RemoteError> {
        Ok(Self::new(issuer, Keys::from_issuer(issuer)?, audience))
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
    /// Panics outside a tokio runtime with its time driver, if keys have to be fetched.
    fn call(&mut self, token: Secret) -> JwtFuture {
        self.verifier.introspect(token)
    }
}

impl fmt::Debug for JwtTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtTokens")
            .field("config", &self.verifier.config)
            .field("cached", &self.verifier.cached())
            .finish()
    }
}
