//! The responses that are cached, and the requests that are under way.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::{
    FutureExt as _,
    future::{BoxFuture, Shared, WeakShared},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use quick_cache::sync::Cache;
use sha2::Sha256;
use tokio::time::Instant;

use super::{
    UpstreamError,
    limits::CacheLimits,
    observe::{self, LookupResult, RequestTimer},
    response::Response,
};
use crate::{introspect::Introspected, log::NumericDate, token::Secret};

/// The longest time for which "not recognised" is cached. An unknown token may become known soon.
const NEGATIVE_TTL: Duration = Duration::from_secs(1);

type UpstreamResult = Result<Introspected, UpstreamError>;
pub(super) type SharedRequest = Shared<BoxFuture<'static, UpstreamResult>>;
type SendRequest =
    dyn Fn(Secret) -> BoxFuture<'static, Result<Response, UpstreamError>> + Send + Sync;

/// The HMAC of a token under a key of this process.
type Tag = [u8; 32];

/// Sends at most one request at a time about a token, and caches the response.
pub(super) struct ResponseCache {
    send: Box<SendRequest>,
    ttl: Duration,
    key: Hmac<Sha256>,
    /// `None` if caching is off.
    entries: Option<Cache<Tag, Entry>>,
    /// The requests that callers wait for. A request is dropped when its last caller stops waiting.
    pending: Mutex<HashMap<Tag, Pending>>,
    next_number: AtomicU64,
}

#[derive(Clone)]
struct Entry {
    introspected: Introspected,
    until: Instant,
}

struct Pending {
    /// Distinguishes this request from an earlier one about the same token.
    number: u64,
    request: WeakShared<BoxFuture<'static, UpstreamResult>>,
}

pub(super) enum Lookup {
    Cached(Introspected),
    Pending(SharedRequest),
}

impl ResponseCache {
    /// # Panics
    ///
    /// Panics if the operating system has no random numbers.
    pub(super) fn new(limits: CacheLimits, send: Box<SendRequest>) -> Self {
        let mut key = [0; 32];
        getrandom::fill(&mut key).expect("the operating system has random numbers");
        let is_on = limits.capacity > 0 && !limits.ttl.is_zero();
        Self {
            send,
            ttl: limits.ttl,
            key: Hmac::new_from_slice(&key).expect("HMAC takes keys of any length"),
            entries: is_on.then(|| Cache::new(limits.capacity)),
            pending: Mutex::default(),
            next_number: AtomicU64::new(0),
        }
    }

    /// Looks up a token. Joins the request about it that is under way, or starts one.
    pub(super) fn look_up(self: &Arc<Self>, token: Secret) -> Lookup {
        let now = Instant::now();
        let tag = self.tag(token.expose());
        if let Some(entry) = self.entry(&tag, now) {
            observe::looked_up(LookupResult::Hit);
            return Lookup::Cached(entry.introspected);
        }
        let mut pending = self.pending();
        if let Some(request) = pending.get(&tag).and_then(|it| it.request.upgrade()) {
            observe::looked_up(LookupResult::Joined);
            return Lookup::Pending(request);
        }
        // A request may have ended since the first look.
        if let Some(entry) = self.entry(&tag, now) {
            observe::looked_up(LookupResult::Hit);
            return Lookup::Cached(entry.introspected);
        }
        observe::looked_up(LookupResult::Miss);
        let number = self.next_number.fetch_add(1, Ordering::Relaxed);
        let request = self.start(tag, number, token, now);
        if let Some(weak) = request.downgrade() {
            let request = weak;
            pending.insert(tag, Pending { number, request });
        }
        Lookup::Pending(request)
    }

    /// The number of entries, including those that have expired.
    pub(super) fn len(&self) -> usize {
        self.entries.as_ref().map_or(0, Cache::len)
    }

    fn tag(&self, token: &str) -> Tag {
        let hmac = self.key.clone().chain_update(token);
        hmac.finalize().into_bytes().into()
    }

    /// The entry, unless its time or the token's `exp` has passed. The two use different clocks.
    fn entry(&self, tag: &Tag, now: Instant) -> Option<Entry> {
        let entry = self.entries.as_ref()?.get(tag)?;
        let token = entry.introspected.token();
        let is_expired = token.is_some_and(|token| token.is_expired(NumericDate::now()));
        (now < entry.until && !is_expired).then_some(entry)
    }

    /// Starts a request that callers share. It ends when the last of them stops waiting.
    fn start(
        self: &Arc<Self>,
        tag: Tag,
        number: u64,
        token: Secret,
        started: Instant,
    ) -> SharedRequest {
        let response = (self.send)(token);
        let remove = RemovePending {
            cache: Arc::clone(self),
            tag,
            number,
        };
        let timer = RequestTimer::start(started);
        async move {
            let response = response.await;
            timer.stop(response.as_ref().map(|response| &response.introspected));
            Ok(remove.cache.insert(tag, response?, started))
        }
        .boxed()
        .shared()
    }

    /// Caches the response if it may be cached. Returns what is cached.
    fn insert(&self, tag: Tag, response: Response, started: Instant) -> Introspected {
        let introspected = response.introspected;
        let Some(entries) = self.entries.as_ref().filter(|_| response.is_cacheable) else {
            return introspected;
        };
        let (introspected, ttl) = match introspected {
            // An index then computes the tags of the token only once.
            Introspected::Token(token) => (token.for_reuse().into(), self.ttl),
            other => (other, self.ttl.min(NEGATIVE_TTL)),
        };
        // A time beyond the clock's range is not cached at all.
        if let Some(until) = started.checked_add(ttl) {
            let introspected = introspected.clone();
            let entry = Entry {
                introspected,
                until,
            };
            entries.insert(tag, entry);
            observe::cached(entries.len());
        }
        introspected
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<Tag, Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes a request from the table when it ends or is dropped.
struct RemovePending {
    cache: Arc<ResponseCache>,
    tag: Tag,
    number: u64,
}

impl Drop for RemovePending {
    fn drop(&mut self) {
        let mut pending = self.cache.pending();
        // If this request was dropped, a later one about the token may be in its place.
        if pending
            .get(&self.tag)
            .is_some_and(|it| it.number == self.number)
        {
            pending.remove(&self.tag);
        }
    }
}

#[cfg(test)]
mod tests;
