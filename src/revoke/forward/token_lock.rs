//! One lock for each token that is being revoked.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use futures::lock::{Mutex as AsyncMutex, OwnedMutexGuard};
use sha2::{Digest as _, Sha256};

use crate::token::Secret;

/// The locks of all tokens that are being revoked. Clones share them.
///
/// Until the record of the first revocation is durable, the other server may already say that the
/// token is dead. A second revocation of the token must not succeed in that time.
#[derive(Clone, Default)]
pub(super) struct TokenLocks(Arc<Mutex<Locks>>);

/// The lock of one token, until this is dropped.
pub(super) struct TokenLock {
    _guard: OwnedMutexGuard<()>,
}

#[derive(Default)]
struct Locks {
    by_token: HashMap<[u8; 32], Weak<AsyncMutex<()>>>,
    /// When there are this many entries, the unused ones are removed.
    cleanup_at: usize,
}

impl TokenLocks {
    pub(super) async fn lock(&self, token: &Secret) -> TokenLock {
        let lock = self.locks().of(Sha256::digest(token.expose()).into());
        TokenLock {
            _guard: lock.lock_owned().await,
        }
    }

    fn locks(&self) -> MutexGuard<'_, Locks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Locks {
    fn of(&mut self, token: [u8; 32]) -> Arc<AsyncMutex<()>> {
        const MIN: usize = 1024;
        if let Some(lock) = self.by_token.get(&token).and_then(Weak::upgrade) {
            return lock;
        }
        if self.by_token.len() >= self.cleanup_at.max(MIN) {
            self.by_token.retain(|_, lock| lock.strong_count() > 0);
            self.cleanup_at = 2 * self.by_token.len();
        }
        let lock = Arc::default();
        self.by_token.insert(token, Arc::downgrade(&lock));
        lock
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt as _, executor::block_on};

    use super::*;

    #[test]
    fn second_revocation_of_a_token_waits_for_the_first() {
        let locks = TokenLocks::default();
        let [token, other] = ["t", "u"].map(Secret::new);
        let first = block_on(locks.lock(&token));
        let mut second = Box::pin(locks.lock(&token));
        assert!(second.as_mut().now_or_never().is_none());
        assert!(locks.lock(&other).now_or_never().is_some());
        drop(first);
        assert!(second.now_or_never().is_some());
    }

    #[test]
    fn unused_locks_are_removed() {
        let locks = TokenLocks::default();
        for token in 0..10_000 {
            drop(block_on(locks.lock(&Secret::new(token.to_string()))));
        }
        assert!(locks.locks().by_token.len() <= 1024);
    }
}
