//! Which keys hold now, and is it time to ask the source again?

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use tokio::time::Instant;

use super::{KeySource, RemoteError, budget::Budgets, event, fetch::Fetched, moment::Moment};
use crate::jose::KeySet;

/// A source that failed is left in peace for so long at most.
const BACK_OFF: Duration = Duration::from_secs(5);

/// Nobody makes a source be asked again sooner than this.
const SHORTEST_GAP: Duration = Duration::from_secs(1);

type Fetch = dyn Fn(KeySource) -> BoxFuture<'static, Result<Fetched, RemoteError>> + Send + Sync;
type Outcome = Result<CachedKeys, RemoteError>;
pub(crate) type PendingFetch = Shared<BoxFuture<'static, Outcome>>;

/// The keys that there are.
#[derive(Clone, Debug)]
pub(crate) struct CachedKeys {
    pub(crate) keys: KeySet,
    /// When the source was asked for them.
    pub(crate) requested: RequestTime,
    /// Why they may not be the latest, if the source could not be asked: a key that is not among
    /// them may be good.
    refresh_error: Option<RemoteError>,
}

/// When a source was asked, before the request was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestTime {
    pub(crate) instant: Instant,
    pub(crate) wall: Moment,
}

/// For how long, how often and how many.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) cool_down: Duration,
    pub(super) min_lifetime: Duration,
    pub(super) max_lifetime: Duration,
    /// Where the source says nothing of it.
    pub(super) lifetime: Duration,
    pub(super) stale: Duration,
    pub(super) capacity: usize,
    /// For one client in one cool-down.
    pub(super) fetches_of_client: u32,
}

pub(super) struct Cache {
    limits: Limits,
    fetch: Box<Fetch>,
    budgets: Budgets,
    sources: Mutex<HashMap<KeySource, Slot>>,
}

struct Slot {
    source: Arc<Source>,
    used: Instant,
}

/// One URI, and what is known of it.
struct Source {
    place: KeySource,
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    good: Option<Good>,
    failed: Option<Failed>,
    /// Until then no unknown key is worth a fetch.
    cool_until: Option<Instant>,
    /// When the source was asked last.
    asked_last: Option<Instant>,
    running: Option<PendingFetch>,
}

/// The last good set.
#[derive(Clone)]
struct Good {
    keys: KeySet,
    requested: RequestTime,
    fresh_until: Instant,
    stale_until: Instant,
}

/// The last fetch, if it failed.
struct Failed {
    error: RemoteError,
    retry_at: Instant,
    /// Until then the source is taken to be down still, and nobody waits for it in vain.
    forget_at: Instant,
}

/// What comes of asking for keys.
pub(crate) enum KeyLookup {
    /// They are at hand, or not to be had.
    Done(Outcome),
    /// They are being fetched.
    Pending(PendingFetch),
}

/// What comes of asking for newer keys than those at hand.
pub(crate) enum KeyRefresh {
    /// They are being fetched.
    Pending(PendingFetch),
    /// The source was asked for this question. It will not be asked again before this time has
    /// passed.
    AlreadyFetched(Duration),
    /// No fetch is due before this time has passed.
    NotDue(Duration),
}

impl Cache {
    pub(super) fn new(limits: Limits, fetch: Box<Fetch>) -> Self {
        Self {
            limits,
            fetch,
            budgets: Budgets::default(),
            sources: Mutex::default(),
        }
    }

    pub(super) async fn get(&self, place: &KeySource, kid: Option<&str>) -> Outcome {
        // No lock is held while the fetch is waited for.
        match self.lookup(place, kid) {
            KeyLookup::Done(outcome) => outcome,
            KeyLookup::Pending(running) => running.await,
        }
    }

    pub(super) fn lookup(&self, place: &KeySource, kid: Option<&str>) -> KeyLookup {
        let now = Instant::now();
        self.next(&self.source(place, now), kid, now)
    }

    fn next(&self, source: &Arc<Source>, kid: Option<&str>, now: Instant) -> KeyLookup {
        let mut state = source.state();
        let good = state.good.clone().filter(|good| now < good.stale_until);
        let fresh = good.as_ref().is_some_and(|good| now < good.fresh_until);
        let enough = match (&good, kid) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(good), Some(kid)) => good.keys.has_kid(kid),
        };
        if let Some(good) = good.clone().filter(|_| fresh && enough) {
            return KeyLookup::Done(Ok(good.since(None)));
        }

        // Nobody waits for a source that is down, if what there is will do.
        let failed = state.failed.as_ref();
        let down = failed.is_some_and(|failed| now < failed.forget_at);
        let meanwhile = good.clone().filter(|_| down && enough);
        let meanwhile = meanwhile.map(|good| good.since(failed));
        let or_wait = |running| match meanwhile {
            Some(served) => KeyLookup::Done(Ok(served)),
            None => KeyLookup::Pending(running),
        };
        if let Some(running) = state.running.clone() {
            // One that has ended stands there only if its task broke before it could settle.
            if running.peek().is_none() {
                return or_wait(running);
            }
        }
        if let Some(failed) = failed.filter(|failed| now < failed.retry_at) {
            return KeyLookup::Done(
                good.map(|good| good.since(Some(failed)))
                    .ok_or_else(|| failed.error.clone()),
            );
        }
        if let Some(good) = good.filter(|_| fresh) {
            // The set is fresh, and has no such `kid`.
            if state.cool_until.is_some_and(|end| now < end) {
                return KeyLookup::Done(Ok(good.since(failed)));
            }
            state.cool_until = Some(after(now, self.limits.cool_down));
        }
        or_wait(self.start(source, &mut state, now))
    }

    /// Keys that are newer than those at hand, for a question that came `since`: nothing is fetched
    /// twice for one question.
    ///
    /// Where the cool-down is not over, a `client` that has been authenticated may spend a fetch of
    /// its own.
    pub(super) fn refresh(
        &self,
        place: &KeySource,
        since: Instant,
        client: Option<&str>,
    ) -> KeyRefresh {
        let now = Instant::now();
        let source = self.source(place, now);
        let mut state = source.state();
        if let Some(running) = state.running.clone() {
            if running.peek().is_none() {
                return KeyRefresh::Pending(running);
            }
        }
        let left = |until: Option<Instant>| {
            until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
        };
        let cooling = left(state.cool_until);
        let backing_off = left(state.failed.as_ref().map(|failed| failed.retry_at));
        if state.asked_last.is_some_and(|asked| asked >= since) {
            return KeyRefresh::AlreadyFetched(cooling.max(backing_off));
        }
        if !backing_off.is_zero() {
            return KeyRefresh::NotDue(backing_off);
        }
        if !cooling.is_zero() {
            let gap = SHORTEST_GAP.min(self.limits.cool_down);
            let gap = left(state.asked_last.map(|asked| asked + gap));
            let most = self.limits.fetches_of_client;
            match client.filter(|client| self.budgets.have_left(client, most, now)) {
                Some(_) if !gap.is_zero() => return KeyRefresh::NotDue(gap),
                Some(client) => self.budgets.spend(client, self.limits.cool_down, now),
                None => return KeyRefresh::NotDue(cooling),
            }
        }
        state.cool_until = Some(after(now, self.limits.cool_down));
        KeyRefresh::Pending(self.start(&source, &mut state, now))
    }

    /// The fetch is a task of its own: whoever stops waiting for it stops nobody else.
    fn start(&self, source: &Arc<Source>, state: &mut State, now: Instant) -> PendingFetch {
        let requested = RequestTime {
            instant: now,
            wall: Moment::now(),
        };
        state.asked_last = Some(now);
        let fetch = (self.fetch)(source.place.clone());
        let source = Arc::clone(source);
        let task = tokio::spawn(async move {
            let fetched = fetch.await;
            source.settle(fetched, requested)
        });
        let running = task.map(|ended| match ended {
            Ok(outcome) => outcome,
            Err(error) => Err(RemoteError::broken_off(error)),
        });
        let running = running.boxed().shared();
        state.running = Some(running.clone());
        running
    }

    /// What is known of the URI. A new one takes the place of the least recently used; finding that
    /// is a scan, beside the fetch that follows.
    fn source(&self, place: &KeySource, now: Instant) -> Arc<Source> {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = sources.get_mut(place) {
            slot.used = now;
            return Arc::clone(&slot.source);
        }
        if sources.len() >= self.limits.capacity {
            let oldest = sources.iter().min_by_key(|(_, slot)| slot.used);
            if let Some(place) = oldest.map(|(place, _)| place.clone()) {
                sources.remove(&place);
            }
        }
        let source = Arc::new(Source {
            place: place.clone(),
            limits: self.limits,
            state: Mutex::default(),
        });
        let slot = Slot {
            source: Arc::clone(&source),
            used: now,
        };
        sources.insert(place.clone(), slot);
        source
    }

    pub(super) fn len(&self) -> usize {
        self.sources
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }
}

impl Source {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a fetch leaves behind, and what those who waited for it are told.
    fn settle(&self, fetched: Result<Fetched, RemoteError>, requested: RequestTime) -> Outcome {
        #[cfg(feature = "metrics")]
        event::settled(&self.place, &fetched, requested);
        let limits = &self.limits;
        let mut state = self.state();
        state.running = None;
        let error = match fetched {
            Ok(Fetched { keys, lifetime }) => {
                let lifetime = lifetime
                    .unwrap_or(limits.lifetime)
                    .min(limits.max_lifetime)
                    .max(limits.min_lifetime);
                let fresh_until = after(requested.instant, lifetime);
                state.failed = None;
                state.good = Some(Good {
                    keys: keys.clone(),
                    requested,
                    fresh_until,
                    stale_until: after(fresh_until, limits.stale),
                });
                return Ok(CachedKeys {
                    keys,
                    requested,
                    refresh_error: None,
                });
            }
            Err(error) => error,
        };

        let now = Instant::now();
        let retry_at = now + limits.cool_down.min(BACK_OFF);
        state.failed = Some(Failed {
            error: error.clone(),
            retry_at,
            forget_at: after(retry_at, limits.cool_down),
        });
        match state.good.as_ref().filter(|good| now < good.stale_until) {
            Some(good) => {
                event::stale(&self.place, &error);
                Ok(CachedKeys {
                    keys: good.keys.clone(),
                    requested: good.requested,
                    refresh_error: Some(error),
                })
            }
            None => Err(error),
        }
    }
}

impl CachedKeys {
    /// Why it is not known whether a signature that none of these keys verifies, said to be of the
    /// key `kid`, is of a newer one. Where that very key is among them, it is known.
    pub(crate) fn refresh_error_for(&self, kid: Option<&str>) -> Option<&RemoteError> {
        let is_there = kid.is_some() && self.keys.iter().any(|key| key.kid() == kid);
        self.refresh_error.as_ref().filter(|_| !is_there)
    }
}

impl Good {
    fn since(self, failed: Option<&Failed>) -> CachedKeys {
        CachedKeys {
            keys: self.keys,
            requested: self.requested,
            refresh_error: failed.map(|failed| failed.error.clone()),
        }
    }
}

/// A bound of `Duration::MAX` is for ever, and no clock shows that.
pub(super) fn after(instant: Instant, duration: Duration) -> Instant {
    const FOR_EVER: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);
    instant + duration.min(FOR_EVER)
}
