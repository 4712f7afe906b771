//! Token fingerprints for logs.

use std::{fmt, sync::OnceLock};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::token::Secret;

/// Computes fingerprints, which are equal for equal tokens and useless without the key.
#[derive(Clone)]
pub(crate) struct Fingerprints(Hmac<Sha256>);

impl Fingerprints {
    pub(crate) fn keyed(key: [u8; 32]) -> Self {
        Self(Hmac::new_from_slice(&key).expect("HMAC accepts keys of any length"))
    }

    pub(crate) fn of(&self, token: &Secret) -> String {
        let digest = self
            .0
            .clone()
            .chain_update(token.expose())
            .finalize()
            .into_bytes();
        let mut fingerprint = [0; 8];
        fingerprint.copy_from_slice(&digest[..8]);
        format!("{:016x}", u64::from_be_bytes(fingerprint))
    }
}

/// A random key, the same for the whole process.
impl Default for Fingerprints {
    fn default() -> Self {
        static KEYED: OnceLock<Fingerprints> = OnceLock::new();
        KEYED
            .get_or_init(|| {
                let mut key = [0; 32];
                getrandom::fill(&mut key).expect("the operating system has random numbers");
                Self::keyed(key)
            })
            .clone()
    }
}

impl fmt::Debug for Fingerprints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprints(..)")
    }
}
