//! Caches the keys of every source, and decides when to fetch them again.

mod entry;
mod keys;
mod validity;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::{FutureExt as _, future::BoxFuture};
use tokio::time::Instant;

pub(super) use self::keys::RequestTime;
use self::{
    entry::{Entry, State},
    keys::Fetch,
};
pub(crate) use self::{
    keys::{CachedKeys, KeyLookup, KeyRefresh, PendingFetch},
    validity::Validity,
};
use super::{
    KeySource, RemoteError,
    budget::Budgets,
    limits::{Limits, after},
};

/// The shortest time between two fetches from one source, for authenticated clients.
const SHORTEST_GAP: Duration = Duration::from_secs(1);

pub(super) struct Cache {
    limits: Limits,
    fetch: Box<Fetch>,
    budgets: Budgets,
    entries: Mutex<HashMap<KeySource, Slot>>,
}

struct Slot {
    entry: Arc<Entry>,
    used: Instant,
}

impl Cache {
    pub(super) fn new(limits: Limits, fetch: Box<Fetch>) -> Self {
        Self {
            limits,
            fetch,
            budgets: Budgets::default(),
            entries: Mutex::default(),
        }
    }

    /// Returns the keys of the source, and waits for a fetch if there is one to wait for. No lock
    /// is held while waiting.
    pub(super) async fn get(
        &self,
        source: &KeySource,
        kid: Option<&str>,
    ) -> Result<CachedKeys, RemoteError> {
        match self.lookup(source, kid) {
            KeyLookup::Done(outcome) => outcome,
            KeyLookup::Pending(fetch) => fetch.await,
        }
    }

    /// Looks up the keys of the source. Starts a fetch if the set has expired, or if it has
    /// no key `kid` and the cool-down has passed.
    pub(super) fn lookup(&self, source: &KeySource, kid: Option<&str>) -> KeyLookup {
        let now = Instant::now();
        let entry = self.entry(source, now);
        let mut state = entry.lock();
        let good = state.good.clone().filter(|good| now < good.stale_until);
        let fresh = good.as_ref().is_some_and(|good| now < good.fresh_until);
        let sufficient = good
            .as_ref()
            .is_some_and(|good| kid.is_none_or(|kid| good.keys.has_kid(kid)));
        if let Some(good) = good.clone().filter(|_| fresh && sufficient) {
            return KeyLookup::Done(Ok(good.into_cached(None)));
        }

        // While the source is down, callers do not wait if the last good set is sufficient.
        let failed = state.failed.as_ref();
        let down = failed.is_some_and(|failed| now < failed.forget_at);
        let meanwhile = good.clone().filter(|_| down && sufficient);
        let meanwhile = meanwhile.map(|good| good.into_cached(failed));
        let or_wait = |fetch| match meanwhile {
            Some(cached) => KeyLookup::Done(Ok(cached)),
            None => KeyLookup::Pending(fetch),
        };
        if let Some(running) = state.running() {
            return or_wait(running);
        }
        if let Some(failed) = failed.filter(|failed| now < failed.retry_at) {
            return KeyLookup::Done(
                good.map(|good| good.into_cached(Some(failed)))
                    .ok_or_else(|| failed.error.clone()),
            );
        }
        if let Some(good) = good.filter(|_| fresh) {
            // The set is fresh and has no such `kid`.
            if state.cool_until.is_some_and(|end| now < end) {
                return KeyLookup::Done(Ok(good.into_cached(failed)));
            }
            state.cool_until = Some(after(now, self.limits.cool_down));
        }
        or_wait(self.start(&entry, &mut state, now))
    }

    /// Fetches newer keys than the cached ones, for a token that arrived at `since` and that these
    /// do not verify. One token causes at most one fetch.
    ///
    /// During the cool-down, an authenticated `client` may use a fetch of its own budget.
    pub(super) fn refresh(
        &self,
        source: &KeySource,
        since: Instant,
        client: Option<&str>,
    ) -> KeyRefresh {
        let now = Instant::now();
        let entry = self.entry(source, now);
        let mut state = entry.lock();
        if let Some(running) = state.running() {
            return KeyRefresh::Pending(running);
        }
        let left = |until: Option<Instant>| {
            until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
        };
        let cooling = left(state.cool_until);
        let backing_off = left(state.failed.as_ref().map(|failed| failed.retry_at));
        if state.last_request.is_some_and(|last| last >= since) {
            return KeyRefresh::AlreadyFetched(cooling.max(backing_off));
        }
        if !backing_off.is_zero() {
            return KeyRefresh::NotDue(backing_off);
        }
        if !cooling.is_zero() {
            let gap = SHORTEST_GAP.min(self.limits.cool_down);
            let gap = left(state.last_request.map(|last| last + gap));
            let limit = self.limits.fetches_per_client;
            match client.filter(|client| self.budgets.has_left(client, limit, now)) {
                Some(_) if !gap.is_zero() => return KeyRefresh::NotDue(gap),
                Some(client) => self.budgets.spend(client, self.limits.cool_down, now),
                None => return KeyRefresh::NotDue(cooling),
            }
        }
        state.cool_until = Some(after(now, self.limits.cool_down));
        KeyRefresh::Pending(self.start(&entry, &mut state, now))
    }

    /// Starts a fetch in a task of its own, so that it continues when a caller stops waiting.
    fn start(&self, entry: &Arc<Entry>, state: &mut State, now: Instant) -> PendingFetch {
        let requested = RequestTime::at(now);
        state.last_request = Some(now);
        let fetch = (self.fetch)(entry.source.clone());
        let entry = Arc::clone(entry);
        let task = tokio::spawn(async move {
            let fetched = fetch.await;
            entry.settle(fetched, requested)
        });
        let fetch: BoxFuture<'static, _> = task
            .map(|ended| ended.unwrap_or_else(|error| Err(RemoteError::aborted(error))))
            .boxed();
        let fetch = fetch.shared();
        state.running = Some(fetch.clone());
        fetch
    }

    /// Returns the entry of the source. A new one replaces the least recently used. Finding that is
    /// a scan, which is cheap compared with the fetch that follows.
    fn entry(&self, source: &KeySource, now: Instant) -> Arc<Entry> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = entries.get_mut(source) {
            slot.used = now;
            return Arc::clone(&slot.entry);
        }
        if entries.len() >= self.limits.capacity {
            remove_oldest(&mut entries, now);
        }
        let entry = Arc::new(Entry::new(source.clone(), self.limits));
        let slot = Slot {
            entry: Arc::clone(&entry),
            used: now,
        };
        entries.insert(source.clone(), slot);
        entry
    }

    pub(super) fn len(&self) -> usize {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }
}

/// Removes the entry that was least recently used. It is one pass, however many were used.
fn remove_oldest(entries: &mut HashMap<KeySource, Slot>, now: Instant) {
    let mut oldest: Option<(&KeySource, Instant)> = None;
    for (source, slot) in entries.iter_mut() {
        // A use of a `Validity` is noticed only here.
        if slot.entry.take_used() {
            slot.used = slot.used.max(now);
        }
        if oldest.is_none_or(|(_, used)| slot.used < used) {
            oldest = Some((source, slot.used));
        }
    }
    let oldest = oldest.map(|(source, _)| source.clone());
    if let Some(slot) = oldest.and_then(|oldest| entries.remove(&oldest)) {
        slot.entry.remove();
    }
}
