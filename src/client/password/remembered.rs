//! Remembers secrets that were verified recently.

use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit as _, Mac as _};
use quick_cache::sync::Cache;
use sha2::Sha256;

use super::PasswordHash;
use crate::token::Secret;

/// Verified secrets, as digests under a random key of this process.
///
/// Only successes are stored, so filling it requires the secret of a client.
pub(super) struct Remembered {
    key: Hmac<Sha256>,
    /// When each entry expires. The digests look random, so a comparison in constant time is
    /// unnecessary.
    ends: Cache<Fingerprint, Instant>,
}

/// Covers the client, its hash and the secret: a replaced secret has another fingerprint.
pub(super) type Fingerprint = [u8; 32];

impl Remembered {
    const CAPACITY: usize = 10_000;

    /// # Panics
    ///
    /// Panics if the operating system has no random numbers.
    pub(super) fn new() -> Self {
        let mut key = [0; 32];
        getrandom::fill(&mut key).expect("the operating system has random numbers");
        Self {
            key: Hmac::new_from_slice(&key).expect("HMAC takes keys of any length"),
            ends: Cache::new(Self::CAPACITY),
        }
    }

    pub(super) fn fingerprint(
        &self,
        client_id: &str,
        hash: &PasswordHash,
        secret: &Secret,
    ) -> Fingerprint {
        let mut hmac = self.key.clone();
        for part in [client_id, hash.as_str(), secret.expose()] {
            // With its length, so that two different triples never have the same bytes.
            hmac.update(&(part.len() as u64).to_be_bytes());
            hmac.update(part.as_bytes());
        }
        hmac.finalize().into_bytes().into()
    }

    /// A lookup does not extend the time.
    pub(super) fn contains(&self, fingerprint: &Fingerprint, now: Instant) -> bool {
        self.ends.get(fingerprint).is_some_and(|end| now < end)
    }

    pub(super) fn keep(&self, fingerprint: Fingerprint, now: Instant, lasting: Duration) {
        // If the clock cannot represent the end, nothing is remembered.
        let end = now.checked_add(lasting).filter(|end| now < *end);
        if let Some(end) = end {
            self.ends.insert(fingerprint, end);
        }
    }
}
