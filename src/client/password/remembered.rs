//! Was this very secret verified a moment ago?

use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit as _, Mac as _};
use quick_cache::sync::Cache;
use sha2::Sha256;

use super::PasswordHash;
use crate::token::Secret;

/// Secrets that were verified, as digests under a key that dies with the process.
///
/// Successes alone are here, so nobody fills it who has not a secret of a client.
pub(super) struct Remembered {
    key: Hmac<Sha256>,
    /// Until when. The digests are as good as random: they need no comparison in constant time.
    ends: Cache<Fingerprint, Instant>,
}

/// Of a client, its hash and a secret, all three: a secret that was replaced has another one.
pub(super) type Fingerprint = [u8; 32];

impl Remembered {
    const AT_MOST: usize = 10_000;

    /// # Panics
    ///
    /// If the operating system has no random numbers.
    pub(super) fn new() -> Self {
        let mut key = [0; 32];
        getrandom::fill(&mut key).expect("the operating system has random numbers");
        Self {
            key: Hmac::new_from_slice(&key).expect("HMAC takes keys of any length"),
            ends: Cache::new(Self::AT_MOST),
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
            // With its length, so that no two triples are written alike.
            hmac.update(&(part.len() as u64).to_be_bytes());
            hmac.update(part.as_bytes());
        }
        hmac.finalize().into_bytes().into()
    }

    /// Looking does not make it last longer.
    pub(super) fn recalls(&self, fingerprint: &Fingerprint, now: Instant) -> bool {
        self.ends.get(fingerprint).is_some_and(|end| now < end)
    }

    pub(super) fn keep(&self, fingerprint: Fingerprint, now: Instant, lasting: Duration) {
        // A duration that no clock can hold is not remembered at all.
        let end = now.checked_add(lasting).filter(|end| now < *end);
        if let Some(end) = end {
            self.ends.insert(fingerprint, end);
        }
    }
}
