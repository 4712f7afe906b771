//! Introspects a token: by the cache, or by its signature.

use std::sync::{Arc, OnceLock};

use tokio::time::Instant;

use super::{
    JwtFuture,
    cache::{Entry, Tag, TokenCache, VerifiedBy},
    config::Config,
    observe::{self, Hits},
    pending::PendingToken,
    verify::{JwtResult, Verification},
};
use crate::{
    introspect::Introspected,
    jose::{CachedKeys, KeyLookup, KeySet, KeySource, Keys, RemoteError},
    log::NumericDate,
    token::Secret,
};

/// What all clones of a `JwtTokens` share.
pub(super) struct Verifier {
    pub(super) config: Config,
    /// Made when the first token is introspected. `None` if nothing is cached.
    cache: OnceLock<Option<TokenCache>>,
    hits: Hits,
}

impl Verifier {
    pub(super) fn new(config: Config) -> Self {
        Self {
            config,
            cache: OnceLock::new(),
            hits: Hits::default(),
        }
    }

    fn cache(&self) -> Option<&TokenCache> {
        let new = || TokenCache::new(self.config.cache_capacity);
        self.cache.get_or_init(new).as_ref()
    }

    /// The number of tokens that are cached.
    pub(super) fn cached(&self) -> usize {
        let cache = self.cache.get().and_then(Option::as_ref);
        cache.map_or(0, TokenCache::len)
    }

    pub(super) fn introspect(self: &Arc<Self>, token: Secret) -> JwtFuture {
        match &self.config.keys {
            Keys::Set(keys) => JwtFuture::done(self.by_fixed(&token, keys)),
            Keys::Remote(source) => self.by_fetched(token, source),
        }
    }

    fn by_fixed(&self, token: &Secret, keys: &KeySet) -> JwtResult {
        let tag = self.tag(token);
        let now = NumericDate::now();
        if let Some(known) = self.entry(tag, now) {
            return Ok(self.found(&known, now));
        }
        match self.config.parse(token.expose()) {
            Ok(jws) => self.verify_with_fixed(jws, tag, keys),
            Err(introspected) => Ok(introspected),
        }
    }

    fn by_fetched(self: &Arc<Self>, token: Secret, source: &KeySource) -> JwtFuture {
        let requested = Instant::now();
        let now = NumericDate::now();
        let tag = self.tag(&token);
        // A cached token is one of the issuer. So its keys are looked up before it is parsed.
        let jws = match self.entry(tag, now) {
            Some(known) if known.is_fresh(requested) => {
                return JwtFuture::done(Ok(self.found(&known, now)));
            }
            Some(_) => None,
            None => match self.config.parse(token.expose()) {
                Ok(jws) => Some(jws),
                Err(introspected) => return JwtFuture::done(Ok(introspected)),
            },
        };
        let verification = match (self.config.remote.lookup(source, None), jws) {
            (KeyLookup::Done(keys), None) => self.by_keys(&token, tag, keys, requested),
            (KeyLookup::Done(keys), Some(jws)) => {
                self.verify_with_fetched(jws, tag, keys, requested, token.asker())
            }
            (KeyLookup::Pending(fetch), _) => Verification::Pending(fetch),
        };
        match verification {
            Verification::Done(outcome) => JwtFuture::done(outcome),
            Verification::Pending(fetch) => {
                let pending = PendingToken {
                    verifier: Arc::clone(self),
                    token,
                    tag,
                    requested,
                };
                JwtFuture::fetching(fetch, pending)
            }
        }
    }

    /// Introspects a token that is or was in the cache, or that has waited for these keys.
    pub(super) fn by_keys(
        &self,
        token: &Secret,
        tag: Option<Tag>,
        keys: Result<CachedKeys, RemoteError>,
        requested: Instant,
    ) -> Verification {
        if let (Some(cache), Some(tag), Ok(keys)) = (self.cache(), &tag, &keys) {
            let now = NumericDate::now();
            match cache.get(tag, now) {
                Some(known) if known.is_verified_by(keys) => {
                    return Verification::Done(Ok(self.found(&known, now)));
                }
                Some(outdated) => cache.remove(tag, &outdated),
                None => {}
            }
        }
        match self.config.parse(token.expose()) {
            Ok(jws) => self.verify_with_fetched(jws, tag, keys, requested, token.asker()),
            Err(introspected) => Verification::Done(Ok(introspected)),
        }
    }

    /// Caches the token if it is genuine. Its signature was verified, so it was not cached.
    pub(super) fn keep(
        &self,
        introspected: Introspected,
        tag: Option<Tag>,
        verified_by: impl FnOnce() -> VerifiedBy,
    ) -> Introspected {
        let (Some(cache), Some(tag)) = (self.cache(), tag) else {
            return introspected;
        };
        observe::missed();
        match introspected {
            Introspected::Token(token) => cache.insert(tag, token, verified_by()).into(),
            introspected => introspected,
        }
    }

    /// `None` if the token is not cached. A text that is too long for a token is not read.
    fn tag(&self, token: &Secret) -> Option<Tag> {
        let cache = self.cache()?;
        let token = token.expose();
        (token.len() <= self.config.max_size).then(|| cache.tag(token))
    }

    /// `now` is of the clock that enforcement asks too.
    fn entry(&self, tag: Option<Tag>, now: NumericDate) -> Option<Arc<Entry>> {
        self.cache()?.get(&tag?, now)
    }

    /// What the introspection returns, because it has found this entry.
    fn found(&self, known: &Entry, now: NumericDate) -> Introspected {
        self.hits.count(now);
        known.token().into()
    }
}

// The fake issuer signs the tokens.
#[cfg(all(test, feature = "test-util"))]
mod tests;
