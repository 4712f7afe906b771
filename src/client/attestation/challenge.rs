//! Challenges that a proof must contain, which show that it is fresh.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use hyper::header::HeaderValue;
use sha2::Sha256;

/// The time in seconds, random bytes, and the MAC over both.
const TIME: usize = 8;
const RANDOM: usize = 8;
const MAC: usize = 16;

/// Creates and recognises challenges without storing them. A challenge contains the time, a random
/// number and a MAC.
///
/// A challenge can be used several times until it expires. The `jti` of a proof cannot.
///
/// ```
/// use tower_revocation::client::attestation::Challenges;
///
/// // Nodes that share a key know each other's challenges.
/// let challenges = Challenges::keyed(&[7; 32]);
/// // For the challenge endpoint: { "attestation_challenge": ".." }
/// let challenge = challenges.issue();
/// assert_eq!(challenge.len(), 43);
/// ```
#[derive(Clone)]
pub struct Challenges {
    key: Arc<Hmac<Sha256>>,
    lifetime: Duration,
}

impl Challenges {
    /// Uses a random key, which is lost when the process ends.
    ///
    /// # Panics
    ///
    /// Panics if the operating system has no random numbers.
    #[must_use]
    pub fn new() -> Self {
        Self::keyed(&random::<32>())
    }

    /// Uses this key, which should have 32 random bytes. Nodes that share a key accept each other's
    /// challenges.
    ///
    /// # Panics
    ///
    /// Panics if the key is empty, because the setting was probably forgotten.
    #[must_use]
    pub fn keyed(key: &[u8]) -> Self {
        assert!(!key.is_empty(), "the key of the challenges is empty");
        let key = Hmac::new_from_slice(key).expect("HMAC takes keys of any length");
        Self {
            key: Arc::new(key),
            lifetime: Duration::from_secs(5 * 60),
        }
    }

    /// Sets how long a challenge is valid, in whole seconds. Defaults to 5 min.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime.max(Duration::from_secs(1));
        self
    }

    /// Returns a new challenge, in base64url.
    ///
    /// # Panics
    ///
    /// Panics if the operating system has no random numbers.
    #[must_use]
    pub fn issue(&self) -> String {
        self.issue_at(seconds(SystemTime::now()))
    }

    fn issue_at(&self, now: u64) -> String {
        let mut challenge = [0; TIME + RANDOM + MAC];
        challenge[..TIME].copy_from_slice(&now.to_be_bytes());
        challenge[TIME..TIME + RANDOM].copy_from_slice(&random::<RANDOM>());
        let (said, mac) = challenge.split_at_mut(TIME + RANDOM);
        let computed = self.mac(said).finalize().into_bytes();
        mac.copy_from_slice(&computed[..MAC]);
        URL_SAFE_NO_PAD.encode(challenge)
    }

    pub(super) fn issue_field(&self) -> HeaderValue {
        HeaderValue::try_from(self.issue()).expect("base64url makes a field value")
    }

    /// Whether the challenge was issued with this key and is still valid.
    pub(super) fn accepts(&self, challenge: &str) -> bool {
        self.accepts_at(challenge, seconds(SystemTime::now()))
    }

    fn accepts_at(&self, challenge: &str, now: u64) -> bool {
        let Ok(challenge) = URL_SAFE_NO_PAD.decode(challenge) else {
            return false;
        };
        let Ok(challenge) = <[u8; TIME + RANDOM + MAC]>::try_from(challenge) else {
            return false;
        };
        let (said, mac) = challenge.split_at(TIME + RANDOM);
        // Compares in constant time.
        if self.mac(said).verify_truncated_left(mac).is_err() {
            return false;
        }
        let issued = said.first_chunk::<TIME>().copied().map(u64::from_be_bytes);
        issued.is_some_and(|issued| {
            // The clocks of the nodes may differ a little.
            issued <= now.saturating_add(60) && now < issued.saturating_add(self.lifetime.as_secs())
        })
    }

    fn mac(&self, said: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::clone(&self.key);
        mac.update(said);
        mac
    }
}

impl Default for Challenges {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Challenges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenges")
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has random numbers");
    bytes
}

fn seconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_900_000_000;

    #[test]
    fn challenge_is_accepted_until_it_expires() {
        let challenges = Challenges::new().lifetime(Duration::from_secs(300));
        let challenge = challenges.issue_at(NOW);
        for (later, known) in [(0, true), (299, true), (300, false), (86_400, false)] {
            assert_eq!(
                challenges.accepts_at(&challenge, NOW + later),
                known,
                "{later}"
            );
        }
        // The clock of another node may be a little ahead, but not more.
        assert!(challenges.accepts_at(&challenge, NOW - 60));
        assert!(!challenges.accepts_at(&challenge, NOW - 61));
    }

    #[test]
    fn challenge_of_another_key_is_refused() {
        let ours = Challenges::keyed(&[1; 32]);
        assert!(ours.accepts_at(&Challenges::keyed(&[1; 32]).issue_at(NOW), NOW));
        assert!(!ours.accepts_at(&Challenges::keyed(&[2; 32]).issue_at(NOW), NOW));
        let genuine = ours.issue_at(NOW);
        for place in 0..genuine.len() {
            let mut bytes = genuine.clone().into_bytes();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(!ours.accepts_at(&changed, NOW), "{place}");
        }
        for made_up in [
            "",
            "AAAA",
            &genuine[1..],
            &format!("{genuine}A"),
            &"é".repeat(40),
        ] {
            assert!(!ours.accepts_at(made_up, NOW));
        }
    }

    #[test]
    fn challenges_differ() {
        let challenges = Challenges::new();
        assert_ne!(challenges.issue_at(NOW), challenges.issue_at(NOW));
    }
}
