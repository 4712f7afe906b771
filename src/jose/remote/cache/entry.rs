//! The state of one source: its last good set, its last failure, a fetch in progress.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    super::{
        KeySource, RemoteError, event,
        fetch::Fetched,
        limits::{Limits, after},
    },
    keys::{CachedKeys, PendingFetch, RequestTime},
    validity::Validity,
};
use crate::jose::KeySet;

/// The longest time that nothing is fetched after a failure.
const BACK_OFF: Duration = Duration::from_secs(5);

/// A source and its state.
pub(super) struct Entry {
    pub(super) source: KeySource,
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) good: Option<GoodSet>,
    pub(super) failed: Option<FailedFetch>,
    /// Until then, an unknown `kid` causes no fetch.
    pub(super) cool_until: Option<Instant>,
    pub(super) last_request: Option<Instant>,
    pub(super) running: Option<PendingFetch>,
    /// Whether the cache has removed this entry. The source may have a new one.
    removed: bool,
}

/// The last set that was fetched.
#[derive(Clone)]
pub(super) struct GoodSet {
    pub(super) keys: KeySet,
    validity: Arc<Validity>,
    requested: RequestTime,
    pub(super) fresh_until: Instant,
    pub(super) stale_until: Instant,
}

/// The last fetch, if it failed.
pub(super) struct FailedFetch {
    pub(super) error: RemoteError,
    pub(super) retry_at: Instant,
    /// Until then the source is assumed to be down, so that callers do not wait for it.
    pub(super) forget_at: Instant,
}

impl Entry {
    pub(super) fn new(source: KeySource, limits: Limits) -> Self {
        Self {
            source,
            limits,
            state: Mutex::default(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores the result of a fetch, and returns what its callers receive.
    pub(super) fn settle(
        &self,
        fetched: Result<Fetched, RemoteError>,
        requested: RequestTime,
    ) -> Result<CachedKeys, RemoteError> {
        event::settled(&self.source, &fetched, requested);
        let limits = &self.limits;
        let mut state = self.lock();
        state.running = None;
        let error = match fetched {
            Ok(Fetched { keys, lifetime }) => {
                let lifetime = lifetime
                    .unwrap_or(limits.default_lifetime)
                    .min(limits.max_lifetime)
                    .max(limits.min_lifetime);
                let fresh_until = after(requested.instant, lifetime);
                let good = GoodSet {
                    validity: state.validity_of(&keys, fresh_until),
                    keys,
                    requested,
                    fresh_until,
                    stale_until: after(fresh_until, limits.stale),
                };
                state.failed = None;
                state.good = Some(good.clone());
                return Ok(good.into_cached(None));
            }
            Err(error) => error,
        };

        let now = Instant::now();
        let retry_at = now + limits.cool_down.min(BACK_OFF);
        let failed = FailedFetch {
            error: error.clone(),
            retry_at,
            forget_at: after(retry_at, limits.cool_down),
        };
        let good = state.good.clone().filter(|good| now < good.stale_until);
        let outcome = match good {
            Some(good) => {
                event::stale(&self.source, &error);
                Ok(good.into_cached(Some(&failed)))
            }
            None => Err(error),
        };
        state.failed = Some(failed);
        outcome
    }

    /// The entry was removed from the cache. Callers that still have it may use its keys.
    pub(super) fn remove(&self) {
        let mut state = self.lock();
        state.removed = true;
        if let Some(good) = &state.good {
            good.validity.end();
        }
    }

    /// Whether the keys were used since the last call without asking the cache.
    pub(super) fn take_used(&self) -> bool {
        let state = self.lock();
        state
            .good
            .as_ref()
            .is_some_and(|good| good.validity.take_used())
    }
}

impl State {
    /// The fetch in progress. One that has ended is still stored if its task panicked before it
    /// could [settle](Entry::settle).
    pub(super) fn running(&self) -> Option<PendingFetch> {
        self.running
            .clone()
            .filter(|running| running.peek().is_none())
    }

    /// The validity of keys that were just fetched: that of the last good set if the keys are the
    /// same, or a new one.
    fn validity_of(&self, keys: &KeySet, fresh_until: Instant) -> Arc<Validity> {
        if let Some(good) = &self.good {
            if good.keys.verifies_the_same(keys) {
                good.validity.prolong(fresh_until);
                return Arc::clone(&good.validity);
            }
            good.validity.end();
        }
        let validity = Validity::until(fresh_until);
        if self.removed {
            validity.end();
        }
        Arc::new(validity)
    }
}

impl GoodSet {
    pub(super) fn into_cached(self, failed: Option<&FailedFetch>) -> CachedKeys {
        CachedKeys {
            keys: self.keys,
            validity: self.validity,
            requested: self.requested,
            refresh_error: failed.map(|failed| failed.error.clone()),
        }
    }
}
