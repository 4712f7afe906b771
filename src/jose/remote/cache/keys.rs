//! What the cache returns.

use std::{sync::Arc, time::Duration};

use futures::future::{BoxFuture, Shared};
use tokio::time::Instant;

use super::{
    super::{KeySource, RemoteError, fetch::Fetched, moment::Moment},
    validity::Validity,
};
use crate::jose::KeySet;

pub(super) type Fetch =
    dyn Fn(KeySource) -> BoxFuture<'static, Result<Fetched, RemoteError>> + Send + Sync;

/// A fetch in progress. All callers share it.
pub(crate) type PendingFetch = Shared<BoxFuture<'static, Result<CachedKeys, RemoteError>>>;

/// The current keys of a source.
#[derive(Clone, Debug)]
pub(crate) struct CachedKeys {
    pub(crate) keys: KeySet,
    pub(crate) validity: Arc<Validity>,
    pub(crate) requested: RequestTime,
    /// Why the keys could not be refreshed, if they could not. The source may then have a key that
    /// is not among them.
    pub(super) refresh_error: Option<RemoteError>,
}

/// When a set of keys was requested: just before the request was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestTime {
    pub(crate) instant: Instant,
    pub(crate) wall: Moment,
}

/// The result of [`Cache::lookup`](super::Cache::lookup).
pub(crate) enum KeyLookup {
    /// The keys, or the reason why there are none.
    Done(Result<CachedKeys, RemoteError>),
    /// The keys are being fetched.
    Pending(PendingFetch),
}

/// The result of [`Cache::refresh`](super::Cache::refresh).
pub(crate) enum KeyRefresh {
    /// Newer keys are being fetched.
    Pending(PendingFetch),
    /// The keys were already fetched for this token. The source is not asked again before this time
    /// has passed.
    AlreadyFetched(Duration),
    /// No fetch is due before this time has passed.
    NotDue(Duration),
}

impl CachedKeys {
    /// Returns the error that leaves open whether a newer key has made a signature that none of
    /// these keys verifies. `kid` is the key that the signature names. If that key is in the set,
    /// nothing is left open.
    pub(crate) fn refresh_error_for(&self, kid: Option<&str>) -> Option<&RemoteError> {
        let has_key = kid.is_some() && self.keys.iter().any(|key| key.kid() == kid);
        self.refresh_error.as_ref().filter(|_| !has_key)
    }
}

impl RequestTime {
    pub(super) fn at(now: Instant) -> Self {
        Self {
            instant: now,
            wall: Moment::now(),
        }
    }
}
