//! Verifies HMACs with a shared secret.

use std::{fmt, sync::Arc};

use aws_lc_rs::hmac;

use super::Algorithm;

/// A shared secret, prepared for the verification of HMACs. The secret itself is not kept.
#[derive(Clone)]
pub(crate) struct HmacKey {
    /// For HS256, HS384 and HS512, if the secret is long enough. Behind an `Arc` because they are
    /// large and few clients have one.
    keys: Arc<[Option<hmac::Key>; 3]>,
}

impl HmacKey {
    pub(crate) fn new(secret: &[u8]) -> Self {
        let keys = [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512].map(|algorithm| {
            let shortest = algorithm.shortest_secret()?;
            let (_, function) = function(algorithm)?;
            (secret.len() >= shortest).then(|| hmac::Key::new(function, secret))
        });
        Self { keys: keys.into() }
    }

    /// Whether the secret is long enough for the algorithm (RFC 7518 §3.2).
    pub(crate) fn admits(&self, algorithm: Algorithm) -> bool {
        self.key(algorithm).is_some()
    }

    /// Verifies in constant time. Returns `false` if the secret is too short.
    pub(crate) fn verify(&self, algorithm: Algorithm, input: &[u8], signature: &[u8]) -> bool {
        let Some(key) = self.key(algorithm) else {
            return false;
        };
        #[cfg(test)]
        super::tests::effort::count();
        hmac::verify(key, input, signature).is_ok()
    }

    fn key(&self, algorithm: Algorithm) -> Option<&hmac::Key> {
        let (place, _) = function(algorithm)?;
        self.keys[place].as_ref()
    }
}

fn function(algorithm: Algorithm) -> Option<(usize, hmac::Algorithm)> {
    match algorithm {
        Algorithm::Hs256 => Some((0, hmac::HMAC_SHA256)),
        Algorithm::Hs384 => Some((1, hmac::HMAC_SHA384)),
        Algorithm::Hs512 => Some((2, hmac::HMAC_SHA512)),
        _ => None,
    }
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacKey(..)")
    }
}
