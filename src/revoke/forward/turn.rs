//! One revocation of a token at a time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use futures::lock::{Mutex as AsyncMutex, OwnedMutexGuard};
use sha2::{Digest as _, Sha256};

use crate::token::Secret;

/// Turns of everybody who revokes the same token.
///
/// Until the record of the first one is durable, the other server may already say that the token is
/// dead. Whoever asks meanwhile must not be told success.
#[derive(Clone, Default)]
pub(super) struct Turns(Arc<Mutex<Tokens>>);

/// A turn, until it is dropped.
pub(super) struct Turn {
    _held: OwnedMutexGuard<()>,
}

#[derive(Default)]
struct Tokens {
    turns: HashMap<[u8; 32], Weak<AsyncMutex<()>>>,
    /// With this many entries, those that are over are removed.
    crowded: usize,
}

impl Turns {
    pub(super) async fn wait(&self, token: &Secret) -> Turn {
        let turn = self.tokens().turn(Sha256::digest(token.expose()).into());
        Turn {
            _held: turn.lock_owned().await,
        }
    }

    fn tokens(&self) -> std::sync::MutexGuard<'_, Tokens> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tokens {
    fn turn(&mut self, token: [u8; 32]) -> Arc<AsyncMutex<()>> {
        const FEW: usize = 1024;
        if let Some(turn) = self.turns.get(&token).and_then(Weak::upgrade) {
            return turn;
        }
        if self.turns.len() >= self.crowded.max(FEW) {
            self.turns.retain(|_, turn| turn.strong_count() > 0);
            self.crowded = 2 * self.turns.len();
        }
        let turn = Arc::default();
        self.turns.insert(token, Arc::downgrade(&turn));
        turn
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt as _, executor::block_on};

    use super::*;

    #[test]
    fn second_revocation_of_a_token_waits_for_the_first() {
        let turns = Turns::default();
        let [token, other] = ["t", "u"].map(Secret::new);
        let first = block_on(turns.wait(&token));
        let mut second = Box::pin(turns.wait(&token));
        assert!(second.as_mut().now_or_never().is_none());
        assert!(turns.wait(&other).now_or_never().is_some());
        drop(first);
        assert!(second.now_or_never().is_some());
    }

    #[test]
    fn turns_that_are_over_are_removed() {
        let turns = Turns::default();
        for token in 0..10_000 {
            drop(block_on(turns.wait(&Secret::new(token.to_string()))));
        }
        assert!(turns.tokens().turns.len() <= 1024);
    }
}
