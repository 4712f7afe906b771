//! One token, and the keys that it is asked of.

use tokio::time::Instant;

use super::{
    JwtError, JwtTokens, Policy,
    future::{Answer, Step},
    settled::{Settled, Source, Times},
};
use crate::{
    introspect::{Introspected, Reason},
    jose::{CachedKeys, Jws, KeyRefresh, KeySet, Keys, RemoteError},
    token::Secret,
};

/// A token whose keys have to be fetched, and since when it is asked about.
pub(super) struct Question {
    pub(super) tokens: JwtTokens,
    pub(super) token: Secret,
    pub(super) since: Instant,
}

impl Question {
    /// What follows from these keys.
    pub(super) fn next(&self, served: Result<CachedKeys, RemoteError>) -> Step {
        let policy = &self.tokens.policy;
        match policy.claimed(self.token.expose()) {
            Ok(jws) => policy.next(&jws, served, self.since, self.token.asker()),
            Err(introspected) => Step::Answer(Ok(introspected)),
        }
    }
}

/// Keys leave open whether a token is genuine.
struct Open {
    settled: Settled,
    times: Times,
}

impl Policy {
    /// What a fixed set of keys says of it.
    pub(super) fn by_fixed(&self, jws: &Jws<'_>, keys: &KeySet) -> Answer {
        self.judge(jws, keys, Source::Fixed)
            .map_err(|open| JwtError::untried().not_valid_now_because(open.times.not_valid_now()))
    }

    /// What fetched keys say of it, or whether to wait for newer ones.
    pub(super) fn next(
        &self,
        jws: &Jws<'_>,
        served: Result<CachedKeys, RemoteError>,
        since: Instant,
        asker: Option<&str>,
    ) -> Step {
        let served = match served {
            Ok(served) => served,
            Err(error) => {
                let times = Times::of(&jws.claims, self.leeway);
                let error = JwtError::from(error).not_valid_now_because(times.not_valid_now());
                return Step::Answer(Err(error));
            }
        };
        let open = match self.judge(jws, &served.keys, Source::Fetched(&served, since)) {
            Ok(introspected) => return Step::Answer(Ok(introspected)),
            Err(open) => open,
        };
        let error = match open.settled {
            Settled::Newer(until_published) => {
                let Keys::Remote(place) = &self.keys else {
                    return Step::Answer(Err(JwtError::untried()));
                };
                match self.remote.refresh(place, since, asker) {
                    KeyRefresh::Pending(running) => return Step::Wait(running),
                    KeyRefresh::AlreadyFetched(wait) => {
                        JwtError::unsettled(wait.max(until_published))
                    }
                    // Newer keys may have its own among them.
                    KeyRefresh::NotDue(wait) => JwtError::unsettled(wait),
                }
            }
            _ => JwtError::untried(),
        };
        Step::Answer(Err(error.not_valid_now_because(open.times.not_valid_now())))
    }

    /// Whether one of these keys has signed it. No time has to be equal here: nobody's secret is
    /// compared.
    fn judge(
        &self,
        jws: &Jws<'_>,
        keys: &KeySet,
        source: Source<'_>,
    ) -> Result<Introspected, Open> {
        let mut reason = Reason::UnknownKey;
        for key in keys.candidates(jws.kid(), jws.algorithm) {
            if key.verify(jws.algorithm, jws.signing_input, &jws.signature) {
                return Ok(self.genuine(jws));
            }
            reason = Reason::Signature;
        }
        let times = Times::of(&jws.claims, self.leeway);
        if let Some(exp) = times.ended() {
            // Whoever has signed it, it is not a live token.
            return Ok(Introspected::Unhandled {
                reason,
                exp: Some(exp),
            });
        }
        let knows_all = keys.knows_all(jws.kid(), jws.algorithm);
        match source.settles(knows_all, &times) {
            Settled::Yes => Ok(Introspected::Unrecognised(reason)),
            settled => Err(Open { settled, times }),
        }
    }
}
