//! Is the answer known, or is somebody asking already?

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
    observe::{self, LookUp, Request},
};
use crate::{introspect::Introspected, log::NumericDate, token::Secret};

/// A token that is not known may become known, and nobody may be told for long that it is not.
const NEGATIVE: Duration = Duration::from_secs(1);

type Outcome = Result<Introspected, UpstreamError>;
pub(super) type Flight = Shared<BoxFuture<'static, Outcome>>;
type Ask = dyn Fn(Secret) -> BoxFuture<'static, Result<Answer, UpstreamError>> + Send + Sync;

/// A token, under a key that dies with the process.
type Tag = [u8; 32];

/// For how long and how many.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) ttl: Duration,
    pub(super) capacity: usize,
}

/// What the other server said.
pub(super) struct Answer {
    pub(super) token: Introspected,
    /// Whether it is worth its room.
    pub(super) is_small: bool,
}

pub(super) struct Answers {
    ask: Box<Ask>,
    ttl: Duration,
    key: Hmac<Sha256>,
    kept: Option<Cache<Tag, Kept>>,
    /// Those that somebody waits for. What nobody waits for any more is dropped.
    flights: Mutex<HashMap<Tag, Airborne>>,
    departures: AtomicU64,
}

#[derive(Clone)]
struct Kept {
    token: Introspected,
    until: Instant,
}

struct Airborne {
    number: u64,
    flight: WeakShared<BoxFuture<'static, Outcome>>,
}

pub(super) enum Next {
    Answer(Introspected),
    Wait(Flight),
}

impl Answers {
    /// # Panics
    ///
    /// If the operating system has no random numbers.
    pub(super) fn new(limits: Limits, ask: Box<Ask>) -> Self {
        let mut key = [0; 32];
        getrandom::fill(&mut key).expect("the operating system has random numbers");
        let keeps = limits.capacity > 0 && !limits.ttl.is_zero();
        Self {
            ask,
            ttl: limits.ttl,
            key: Hmac::new_from_slice(&key).expect("HMAC takes keys of any length"),
            kept: keeps.then(|| Cache::new(limits.capacity)),
            flights: Mutex::default(),
            departures: AtomicU64::new(0),
        }
    }

    pub(super) fn next(self: &Arc<Self>, token: Secret) -> Next {
        let now = Instant::now();
        let tag = self.tag(token.expose());
        if let Some(kept) = self.recall(&tag, now) {
            observe::looked_up(LookUp::Hit);
            return Next::Answer(kept.token);
        }
        let mut flights = self.flights();
        if let Some(flight) = flights.get(&tag).and_then(|it| it.flight.upgrade()) {
            observe::looked_up(LookUp::Joined);
            return Next::Wait(flight);
        }
        // One may have landed since.
        if let Some(kept) = self.recall(&tag, now) {
            observe::looked_up(LookUp::Hit);
            return Next::Answer(kept.token);
        }
        observe::looked_up(LookUp::Miss);
        let number = self.departures.fetch_add(1, Ordering::Relaxed);
        let flight = self.depart(tag, number, token, now);
        if let Some(flight) = flight.downgrade() {
            flights.insert(tag, Airborne { number, flight });
        }
        Next::Wait(flight)
    }

    /// How many are kept, be they good or not.
    pub(super) fn len(&self) -> usize {
        self.kept.as_ref().map_or(0, Cache::len)
    }

    fn tag(&self, token: &str) -> Tag {
        let hmac = self.key.clone().chain_update(token);
        hmac.finalize().into_bytes().into()
    }

    fn recall(&self, tag: &Tag, now: Instant) -> Option<Kept> {
        let kept = self.kept.as_ref()?.get(tag)?;
        // By either clock.
        let token = kept.token.token();
        let is_over = token.is_some_and(|token| token.is_expired(NumericDate::now()));
        (now < kept.until && !is_over).then_some(kept)
    }

    /// The future is shared: whoever stops waiting for it stops nobody else, and the last one who
    /// does ends it.
    fn depart(self: &Arc<Self>, tag: Tag, number: u64, token: Secret, began: Instant) -> Flight {
        let asked = (self.ask)(token);
        let landing = Landing {
            answers: Arc::clone(self),
            tag,
            number,
        };
        let request = Request::begin(began);
        async move {
            let answer = asked.await;
            request.end(answer.as_ref().map(|answer| &answer.token));
            let answer = answer?;
            landing.answers.keep(tag, &answer, began);
            Ok(answer.token)
        }
        .boxed()
        .shared()
    }

    fn keep(&self, tag: Tag, answer: &Answer, began: Instant) {
        let Some(cache) = self.kept.as_ref().filter(|_| answer.is_small) else {
            return;
        };
        let ttl = match &answer.token {
            Introspected::Token(_) => self.ttl,
            _ => self.ttl.min(NEGATIVE),
        };
        // A duration that no clock can hold is not kept at all.
        if let Some(until) = began.checked_add(ttl) {
            let token = answer.token.clone();
            cache.insert(tag, Kept { token, until });
            observe::kept(cache.len());
        }
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<Tag, Airborne>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// However a flight ends, its place is free after it.
struct Landing {
    answers: Arc<Answers>,
    tag: Tag,
    number: u64,
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut flights = self.answers.flights();
        // The next one may be under way, if this one was dropped.
        if flights
            .get(&self.tag)
            .is_some_and(|it| it.number == self.number)
        {
            flights.remove(&self.tag);
        }
    }
}

#[cfg(test)]
mod tests;
