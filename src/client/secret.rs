//! Digests of client secrets.

use std::{fmt, sync::Arc};

use base64::{
    Engine as _,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

#[cfg(feature = "password-hashes")]
use super::password::PasswordHash;
use crate::token::Secret;

/// What is stored of a client secret: enough to verify it, too little to use it.
///
/// * A SHA-256 digest is safe for a **generated** secret with at least 128 random bits, because
///   it cannot be guessed.
/// * An HMAC needs a key that is stored elsewhere. Someone who copies only the digests cannot even
///   test a guess.
/// * A secret that a person chose needs a password hash. With the feature `password-hashes`, a
///   password hash converts into this type.
///
/// Only the [`ClientAuthenticator`](crate::client::registry::ClientAuthenticator) compares it, in
/// constant time. It has no `PartialEq`, and its `Debug` output shows nothing.
///
/// ```
/// use tower_revocation::{Secret, client::SecretDigest};
///
/// let digest = SecretDigest::sha256(&Secret::new("gX1fBat3bV"));
/// assert_eq!(format!("{digest:?}"), "SecretDigest(..)");
/// ```
#[derive(Clone)]
pub struct SecretDigest(Kept);

#[derive(Clone)]
enum Kept {
    Sha256([u8; 32]),
    HmacSha256([u8; 32]),
    #[cfg(feature = "password-hashes")]
    Password(PasswordHash),
}

impl SecretDigest {
    /// The digest that is compared where there is none, so that the work is the same.
    pub(super) const NONE: Self = Self(Kept::Sha256([0; 32]));

    /// Computes the SHA-256 of the UTF-8 bytes of the secret.
    #[must_use]
    pub fn sha256(secret: &Secret) -> Self {
        Self(Kept::Sha256(Sha256::digest(secret.expose()).into()))
    }

    /// Computes the HMAC-SHA-256 of the UTF-8 bytes of the secret.
    ///
    /// The key should have 32 random bytes. Store it apart from the digests. The authenticator
    /// needs the same key:
    /// [`ClientAuthenticator::hmac_key`](crate::client::registry::ClientAuthenticator::hmac_key).
    ///
    /// ```
    /// use tower_revocation::{Secret, client::SecretDigest};
    ///
    /// let digest = SecretDigest::hmac_sha256(&[7; 32], &Secret::new("gX1fBat3bV"));
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the key is empty, because the setting was probably forgotten.
    #[must_use]
    pub fn hmac_sha256(key: &[u8], secret: &Secret) -> Self {
        Self(Kept::HmacSha256(Key::new(key).digest(secret)))
    }

    /// Parses a digest that [`sha256`](Self::sha256) computes. The text is 64 hexadecimal digits,
    /// or base64url with or without padding.
    ///
    /// ```
    /// use tower_revocation::client::SecretDigest;
    ///
    /// // printf %s gX1fBat3bV | sha256sum
    /// let hex = "53f5da0aaa93d64cd5772c554cbf940f0539e689dddbeb8f923eec3f72c02ea9";
    /// assert!(SecretDigest::from_encoded_sha256(hex).is_ok());
    /// assert!(SecretDigest::from_encoded_sha256("gX1fBat3bV").is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the text is neither, or does not have 32 bytes.
    pub fn from_encoded_sha256(encoded: &str) -> Result<Self, InvalidDigest> {
        let bytes = decode(encoded).ok_or(InvalidDigest)?;
        Ok(Self(Kept::Sha256(bytes)))
    }

    /// Parses a digest that [`hmac_sha256`](Self::hmac_sha256) computes. The text is 64 hexadecimal
    /// digits, or base64url with or without padding.
    ///
    /// ```
    /// use tower_revocation::client::SecretDigest;
    ///
    /// assert!(SecretDigest::from_encoded_hmac_sha256(&"0f".repeat(32)).is_ok());
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the text is neither, or does not have 32 bytes.
    pub fn from_encoded_hmac_sha256(encoded: &str) -> Result<Self, InvalidDigest> {
        let bytes = decode(encoded).ok_or(InvalidDigest)?;
        Ok(Self(Kept::HmacSha256(bytes)))
    }

    /// Whether this is the digest of the presented secret, in constant time. Always false for a
    /// password hash, which needs more than a comparison.
    pub(super) fn matches(&self, presented: &Digests) -> Choice {
        #[cfg(test)]
        effort::compared();
        match (&self.0, &presented.hmac_sha256) {
            (Kept::Sha256(bytes), _) => bytes.ct_eq(&presented.sha256),
            (Kept::HmacSha256(bytes), Some(digest)) => bytes.ct_eq(digest),
            // The same work, without a way in.
            (Kept::HmacSha256(bytes), None) => bytes.ct_eq(&presented.sha256) & Choice::from(0),
            #[cfg(feature = "password-hashes")]
            (Kept::Password(_), _) => [0; 32].ct_eq(&presented.sha256) & Choice::from(0),
        }
    }

    /// Whether comparing it needs a key.
    pub(super) fn needs_key(&self) -> bool {
        matches!(self.0, Kept::HmacSha256(_))
    }

    /// Whether it is a password hash, which needs more than a comparison.
    pub(super) fn is_password(&self) -> bool {
        !matches!(self.0, Kept::Sha256(_) | Kept::HmacSha256(_))
    }

    /// Returns the password hash, if it is one.
    #[cfg(feature = "password-hashes")]
    pub(super) fn password(&self) -> Option<&PasswordHash> {
        match &self.0 {
            Kept::Password(hash) => Some(hash),
            _ => None,
        }
    }
}

#[cfg(feature = "password-hashes")]
impl From<PasswordHash> for SecretDigest {
    fn from(hash: PasswordHash) -> Self {
        Self(Kept::Password(hash))
    }
}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest(..)")
    }
}

/// The text is not a digest of 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidDigest;

impl InvalidDigest {
    pub(super) const REASON: &str = "a digest has 32 bytes, in hexadecimal or base64url";
}

impl fmt::Display for InvalidDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::REASON)
    }
}

impl std::error::Error for InvalidDigest {}

/// All digests of a presented secret that may be needed.
pub(super) struct Digests {
    sha256: [u8; 32],
    hmac_sha256: Option<[u8; 32]>,
}

impl Digests {
    /// Computes all digests, whichever is needed. Otherwise the time would reveal which one it was.
    pub(super) fn of(secret: &Secret, key: Option<&Key>) -> Self {
        #[cfg(test)]
        effort::digested();
        Self {
            sha256: Sha256::digest(secret.expose()).into(),
            hmac_sha256: key.map(|key| key.digest(secret)),
        }
    }
}

/// An HMAC key, expanded once.
#[derive(Clone)]
pub(super) struct Key(Arc<Hmac<Sha256>>);

impl Key {
    /// # Panics
    ///
    /// Panics if the key is empty.
    pub(super) fn new(key: &[u8]) -> Self {
        assert!(!key.is_empty(), "the HMAC key of the secrets is empty");
        let hmac = Hmac::new_from_slice(key).expect("HMAC takes keys of any length");
        Self(Arc::new(hmac))
    }

    fn digest(&self, secret: &Secret) -> [u8; 32] {
        let mut hmac = Hmac::clone(&self.0);
        hmac.update(secret.expose().as_bytes());
        hmac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// With or without padding.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn decode(encoded: &str) -> Option<[u8; 32]> {
    match encoded.len() {
        64 => decode_hex(encoded.as_bytes()),
        // A character has six bits, so a longer text cannot have 32 bytes.
        43 | 44 => BASE64URL.decode(encoded).ok()?.try_into().ok(),
        _ => None,
    }
}

fn decode_hex(digits: &[u8]) -> Option<[u8; 32]> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()?;
    }
    Some(bytes)
}

/// Counts the digests and comparisons of this thread, for tests of equal work.
#[cfg(test)]
pub(super) mod effort {
    use std::cell::Cell;

    thread_local! {
        static DIGESTED: Cell<usize> = const { Cell::new(0) };
        static COMPARED: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn digested() {
        DIGESTED.set(DIGESTED.get() + 1);
    }

    pub(super) fn compared() {
        COMPARED.set(COMPARED.get() + 1);
    }

    /// Returns both counts since the last call.
    pub(in crate::client) fn take() -> (usize, usize) {
        (DIGESTED.take(), COMPARED.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_of_a_digest_counts() {
        let (secret, key) = (Secret::new("gX1fBat3bV"), Key::new(b"Jefe"));
        let presented = Digests::of(&secret, Some(&key));
        let sha256: [u8; 32] = Sha256::digest("gX1fBat3bV").into();
        let hmac = key.digest(&secret);
        assert!(bool::from(
            SecretDigest(Kept::Sha256(sha256)).matches(&presented)
        ));
        assert!(bool::from(
            SecretDigest(Kept::HmacSha256(hmac)).matches(&presented)
        ));
        for bit in 0..256 {
            let flip = |mut digest: [u8; 32]| {
                digest[bit / 8] ^= 1 << (bit % 8);
                digest
            };
            for kept in [Kept::Sha256(flip(sha256)), Kept::HmacSha256(flip(hmac))] {
                let matches = SecretDigest(kept).matches(&presented);
                assert!(!bool::from(matches), "bit {bit}");
            }
        }
    }
}
