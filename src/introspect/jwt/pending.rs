//! A token that waits for keys.

use std::sync::Arc;

use tokio::time::Instant;

use super::{config::Config, verify::Verification};
use crate::{
    jose::{CachedKeys, RemoteError},
    token::Secret,
};

/// A token whose keys are being fetched.
pub(super) struct PendingToken {
    pub(super) config: Arc<Config>,
    pub(super) token: Secret,
    /// When the introspection was requested.
    pub(super) requested: Instant,
}

impl PendingToken {
    /// Verifies the token with the keys that were fetched.
    pub(super) fn verify(&self, keys: Result<CachedKeys, RemoteError>) -> Verification {
        match self.config.parse(self.token.expose()) {
            Ok(jws) => {
                let client = self.token.asker();
                self.config
                    .verify_with_fetched(jws, keys, self.requested, client)
            }
            Err(introspected) => Verification::Done(Ok(introspected)),
        }
    }
}
