//! A token that waits for keys.

use std::sync::Arc;

use tokio::time::Instant;

use super::{cache::Tag, verifier::Verifier, verify::Verification};
use crate::{
    jose::{CachedKeys, RemoteError},
    token::Secret,
};

/// A token whose keys are being fetched.
pub(super) struct PendingToken {
    pub(super) verifier: Arc<Verifier>,
    pub(super) token: Secret,
    pub(super) tag: Option<Tag>,
    /// When the introspection was requested.
    pub(super) requested: Instant,
}

impl PendingToken {
    /// Verifies the token with the keys that were fetched, unless it was verified meanwhile.
    pub(super) fn verify(&self, keys: Result<CachedKeys, RemoteError>) -> Verification {
        self.verifier
            .by_keys(&self.token, self.tag, keys, self.requested)
    }
}
