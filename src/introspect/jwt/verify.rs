//! Verifies a token with the keys at hand.

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    JwtError,
    cache::{Tag, VerifiedBy},
    config::Config,
    settled::{Settled, Source, Times},
    verifier::Verifier,
};
use crate::{
    introspect::{Introspected, Reason},
    jose::{CachedKeys, Jws, KeyRefresh, KeySet, Keys, PendingFetch, RemoteError},
};

pub(super) type JwtResult = Result<Introspected, JwtError>;

/// The result of a verification with the keys at hand.
pub(super) enum Verification {
    Done(JwtResult),
    /// Newer keys are being fetched. Verify the token again with them.
    Pending(PendingFetch),
}

/// The keys do not settle whether the token is genuine.
struct Unsettled {
    settled: Settled,
    times: Times,
}

impl Verifier {
    /// Verifies a token with a fixed set of keys.
    pub(super) fn verify_with_fixed(
        &self,
        jws: Jws<'_>,
        tag: Option<Tag>,
        keys: &KeySet,
    ) -> JwtResult {
        match self.config.verify(jws, keys, Source::Fixed) {
            Ok(introspected) => Ok(self.keep(introspected, tag, || VerifiedBy::Fixed)),
            Err(unsettled) => {
                let not_valid_now = unsettled.times.not_valid_now();
                Err(JwtError::untried().not_valid_now_because(not_valid_now))
            }
        }
    }

    /// Verifies a token with fetched keys. If they do not settle it, it starts to fetch newer ones,
    /// for the client that asks, if one does.
    pub(super) fn verify_with_fetched(
        &self,
        jws: Jws<'_>,
        tag: Option<Tag>,
        keys: Result<CachedKeys, RemoteError>,
        requested: Instant,
        client: Option<&str>,
    ) -> Verification {
        let config = &self.config;
        let keys = match keys {
            Ok(keys) => keys,
            Err(error) => {
                let times = Times::of(&jws.claims, config.leeway);
                let error = JwtError::from(error).not_valid_now_because(times.not_valid_now());
                return Verification::Done(Err(error));
            }
        };
        let unsettled = match config.verify(jws, &keys.keys, Source::Fetched(&keys, requested)) {
            Ok(introspected) => {
                let verified_by = || VerifiedBy::Fetched(Arc::clone(&keys.validity));
                return Verification::Done(Ok(self.keep(introspected, tag, verified_by)));
            }
            Err(unsettled) => unsettled,
        };
        let error = match unsettled.settled {
            Settled::ByNewerKeys(until_published) => {
                let Keys::Remote(source) = &config.keys else {
                    return Verification::Done(Err(JwtError::untried()));
                };
                match config.remote.refresh(source, requested, client) {
                    KeyRefresh::Pending(fetch) => return Verification::Pending(fetch),
                    KeyRefresh::AlreadyFetched(wait) => {
                        JwtError::unsettled(wait.max(until_published))
                    }
                    // The key of the token may be among newer keys, whenever they are fetched.
                    KeyRefresh::NotDue(wait) => JwtError::unsettled(wait),
                }
            }
            _ => JwtError::untried(),
        };
        let not_valid_now = unsettled.times.not_valid_now();
        Verification::Done(Err(error.not_valid_now_because(not_valid_now)))
    }
}

impl Config {
    /// Whether one of these keys signed the token. It need not take constant time: it compares no
    /// secrets.
    fn verify(
        &self,
        jws: Jws<'_>,
        keys: &KeySet,
        source: Source<'_>,
    ) -> Result<Introspected, Unsettled> {
        let mut reason = Reason::UnknownKey;
        let is_genuine = keys.candidates(jws.kid(), jws.algorithm).any(|key| {
            reason = Reason::Signature;
            key.verify(jws.algorithm, jws.signing_input, &jws.signature)
        });
        if is_genuine {
            return Ok(self.genuine(jws));
        }
        let times = Times::of(&jws.claims, self.leeway);
        if let Some(exp) = times.expired() {
            // Whichever key signed it, it is not a live token.
            return Ok(Introspected::Unhandled {
                reason,
                exp: Some(exp),
            });
        }
        let all_tried = keys.knows_all(jws.kid(), jws.algorithm);
        match source.settles(all_tried, &times) {
            Settled::Forged => Ok(Introspected::Unrecognised(reason)),
            settled => Err(Unsettled { settled, times }),
        }
    }
}
