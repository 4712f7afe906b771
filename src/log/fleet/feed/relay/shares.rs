//! Something of which a relay has only so much, shared among those who ask.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What a request has shown: the digest of a token, or of the name that a check has returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::log::fleet::feed) struct Credential(pub(in crate::log::fleet::feed) [u8; 32]);

/// Clones share the same.
#[derive(Clone, Debug)]
pub(super) struct Shares(Arc<Mutex<Used>>);

#[derive(Debug)]
struct Used {
    total: usize,
    sum: usize,
    by: HashMap<Credential, usize>,
}

impl Shares {
    pub(super) fn new(total: usize) -> Self {
        Self(Arc::new(Mutex::new(Used {
            total,
            sum: 0,
            by: HashMap::new(),
        })))
    }

    /// Takes some of it, until the share is dropped. No credential gets more than is left for the
    /// others: the first one at most half of everything, and the next one half of the rest.
    pub(super) fn take(&self, credential: Credential, amount: usize) -> Option<Share> {
        let mut used = self.used();
        let own = used.by.get(&credential).copied().unwrap_or_default();
        let left = used.total - used.sum;
        if own.saturating_add(amount) > left {
            return None;
        }
        used.sum += amount;
        used.by.insert(credential, own + amount);
        let of = self.clone();
        Some(Share {
            of,
            credential,
            amount,
        })
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A part that is in use.
#[derive(Debug)]
pub(super) struct Share {
    of: Shares,
    credential: Credential,
    amount: usize,
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut used = self.of.used();
        used.sum -= self.amount;
        if let Some(own) = used.by.get_mut(&self.credential) {
            *own -= self.amount;
            if *own == 0 {
                used.by.remove(&self.credential);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Credential = Credential([1; 32]);
    const OTHER: Credential = Credential([2; 32]);

    fn take_all(shares: &Shares, credential: Credential) -> Vec<Share> {
        std::iter::from_fn(|| shares.take(credential, 1)).collect()
    }

    #[test]
    fn each_credential_gets_half_of_what_is_left() {
        let shares = Shares::new(100);
        let one = take_all(&shares, ONE);
        assert_eq!(one.len(), 50);
        let other = take_all(&shares, OTHER);
        assert_eq!(other.len(), 25);
        drop(one);
        assert_eq!(take_all(&shares, OTHER).len(), 25);
        drop(other);
        assert_eq!(shares.used().sum, 0);
        assert!(shares.used().by.is_empty());
    }

    #[test]
    fn more_than_there_is_cannot_be_taken() {
        let shares = Shares::new(100);
        assert!(shares.take(ONE, 101).is_none());
        assert!(shares.take(ONE, usize::MAX).is_none());
        let all = shares.take(ONE, 100).unwrap();
        assert!(shares.take(ONE, 1).is_none() && shares.take(OTHER, 1).is_none());
        drop(all);
        assert!(shares.take(OTHER, 1).is_some());
    }
}
