//! A source of keys without a network, for the tests of other rooms.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::FutureExt as _;

use super::{
    KeySource, RemoteError, RemoteErrorKind, RemoteKeys, cache::Cache, fetch::Fetched,
    limits::Limits,
};
use crate::jose::KeySet;

/// What a source publishes.
pub(crate) struct FakeSource {
    /// `None` while it is down.
    keys: Mutex<Option<KeySet>>,
    lifetime: Duration,
    fetches: AtomicUsize,
}

impl FakeSource {
    /// A source whose sets are fresh for this time.
    pub(crate) fn new(keys: KeySet, lifetime: Duration) -> Arc<Self> {
        Arc::new(Self {
            keys: Mutex::new(Some(keys)),
            lifetime,
            fetches: AtomicUsize::new(0),
        })
    }

    pub(crate) fn publishes(&self, keys: Option<KeySet>) {
        *self.keys.lock().unwrap() = keys;
    }

    pub(crate) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    /// An empty cache of keys, which are fetched from here whatever their source is called.
    pub(crate) fn remote_keys(self: &Arc<Self>, capacity: usize) -> RemoteKeys {
        let source = Arc::clone(self);
        let fetch = move |_: KeySource| {
            source.fetches.fetch_add(1, Ordering::SeqCst);
            let keys = source.keys.lock().unwrap().clone();
            let lifetime = Some(source.lifetime);
            let down = || RemoteError::new(RemoteErrorKind::Unreachable, "down");
            let fetched = keys.map(|keys| Fetched { keys, lifetime }).ok_or_else(down);
            async { fetched }.boxed()
        };
        let limits = Limits {
            capacity,
            ..Limits::default()
        };
        RemoteKeys {
            cache: Arc::new(Cache::new(limits, Box::new(fetch))),
        }
    }
}
