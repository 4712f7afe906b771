//! A token in the cache, and when it may be used.

use std::sync::Arc;

use tokio::time::Instant;

use super::super::observe::Counted;
use crate::{
    introspect::Introspection,
    jose::{CachedKeys, Validity},
    log::NumericDate,
};

/// An entry counts one unit per 4 KiB, rounded up.
const UNIT: usize = 4 * 1024;

/// What an entry takes besides the claims: what an index keeps with the token, the place in the
/// table, and the headers of the allocations.
const BESIDES: usize = 512;

/// A token that was found to be genuine.
pub(in super::super) struct Entry {
    token: Introspection,
    verified_by: VerifiedBy,
    units: u64,
    _counted: Counted,
}

/// The keys that verified a token.
#[derive(Clone)]
pub(in super::super) enum VerifiedBy {
    /// The issuer never has other keys.
    Fixed,
    /// The source of the keys has these for some time.
    Fetched(Arc<Validity>),
}

impl Entry {
    pub(super) fn new(token: Introspection, verified_by: VerifiedBy) -> Self {
        let bytes = token.memory() + BESIDES;
        Self {
            // An index then computes the tags of the token only once.
            token: token.for_reuse(),
            verified_by,
            units: u64::try_from(bytes.div_ceil(UNIT)).unwrap_or(u64::MAX),
            _counted: Counted::new(bytes),
        }
    }

    pub(in super::super) fn token(&self) -> Introspection {
        self.token.clone()
    }

    pub(super) fn is_expired(&self, now: NumericDate) -> bool {
        self.token.is_expired(now)
    }

    /// Whether a lookup would return the keys that verified the token, without a fetch.
    pub(in super::super) fn is_fresh(&self, now: Instant) -> bool {
        match &self.verified_by {
            VerifiedBy::Fixed => true,
            VerifiedBy::Fetched(validity) => validity.is_fresh(now),
        }
    }

    /// Whether these keys, which a lookup returned, verified the token.
    pub(in super::super) fn is_verified_by(&self, keys: &CachedKeys) -> bool {
        match &self.verified_by {
            VerifiedBy::Fixed => false,
            VerifiedBy::Fetched(validity) => Arc::ptr_eq(validity, &keys.validity),
        }
    }

    pub(super) fn units(&self) -> u64 {
        self.units
    }
}
