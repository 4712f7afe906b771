//! Is this the secret whose digest we keep?

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

/// What is kept of a client's secret: enough to recognise it, too little to use it.
///
/// A plain digest is safe for a secret that was **generated**, with 128 random bits or more: there
/// is nothing to guess. It does not protect one that a person made up: that takes a password hash,
/// which becomes one of these too, with the feature `password-hashes`. HMAC keeps its key apart from
/// the digests, so that whoever copies these alone cannot even test a guess.
///
/// It is compared in constant time, by the
/// [`ClientAuthenticator`](crate::client::registry::ClientAuthenticator) alone: it has no
/// `PartialEq`, and its `Debug` says nothing.
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
    /// The digest that stands in where there is none, so that there is always one to compare.
    pub(super) const NONE: Self = Self(Kept::Sha256([0; 32]));

    /// SHA-256 of the secret's UTF-8 octets.
    #[must_use]
    pub fn sha256(secret: &Secret) -> Self {
        Self(Kept::Sha256(Sha256::digest(secret.expose()).into()))
    }

    /// HMAC-SHA-256 of the secret's UTF-8 octets. The key should be 32 random octets, and be kept
    /// apart from the digests.
    ///
    /// The authenticator needs the same key:
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
    /// If the key is empty: that is a setting that was forgotten.
    #[must_use]
    pub fn hmac_sha256(key: &[u8], secret: &Secret) -> Self {
        Self(Kept::HmacSha256(Key::new(key).digest(secret)))
    }

    /// Reads what [`sha256`](Self::sha256) computes, written as 64 hexadecimal digits or in
    /// base64url, padded or not.
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
    /// If it is neither, or not a digest of 32 octets.
    pub fn from_encoded_sha256(encoded: &str) -> Result<Self, InvalidDigest> {
        let octets = decode(encoded).ok_or(InvalidDigest)?;
        Ok(Self(Kept::Sha256(octets)))
    }

    /// Reads what [`hmac_sha256`](Self::hmac_sha256) computes, written as 64 hexadecimal digits or
    /// in base64url, padded or not.
    ///
    /// ```
    /// use tower_revocation::client::SecretDigest;
    ///
    /// assert!(SecretDigest::from_encoded_hmac_sha256(&"0f".repeat(32)).is_ok());
    /// ```
    ///
    /// # Errors
    ///
    /// If it is neither, or not a digest of 32 octets.
    pub fn from_encoded_hmac_sha256(encoded: &str) -> Result<Self, InvalidDigest> {
        let octets = decode(encoded).ok_or(InvalidDigest)?;
        Ok(Self(Kept::HmacSha256(octets)))
    }

    /// Whether this is a digest of what was presented, in constant time. Never for a password,
    /// which takes more than a comparison.
    pub(super) fn matches(&self, presented: &Digests) -> Choice {
        #[cfg(test)]
        effort::compared();
        match (&self.0, &presented.hmac_sha256) {
            (Kept::Sha256(octets), _) => octets.ct_eq(&presented.sha256),
            (Kept::HmacSha256(octets), Some(digest)) => octets.ct_eq(digest),
            // The work is the same, and nobody gets in by it.
            (Kept::HmacSha256(octets), None) => octets.ct_eq(&presented.sha256) & Choice::from(0),
            #[cfg(feature = "password-hashes")]
            (Kept::Password(_), _) => [0; 32].ct_eq(&presented.sha256) & Choice::from(0),
        }
    }

    /// Whether it can be compared only with a key.
    pub(super) fn needs_key(&self) -> bool {
        matches!(self.0, Kept::HmacSha256(_))
    }

    /// Whether it is a password hash, which takes more than a comparison.
    pub(super) fn is_password(&self) -> bool {
        !matches!(self.0, Kept::Sha256(_) | Kept::HmacSha256(_))
    }

    /// The password hash, if it is one.
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

/// The text is no digest of 32 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidDigest;

impl InvalidDigest {
    pub(super) const REASON: &str =
        "a digest is 32 octets, as 64 hexadecimal digits or in base64url";
}

impl fmt::Display for InvalidDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::REASON)
    }
}

impl std::error::Error for InvalidDigest {}

/// Every digest of a presented secret that a registered one could be.
pub(super) struct Digests {
    sha256: [u8; 32],
    hmac_sha256: Option<[u8; 32]>,
}

impl Digests {
    /// All that there can be, whichever is going to be needed: which one it was must not show in
    /// the time that it took.
    pub(super) fn of(secret: &Secret, key: Option<&Key>) -> Self {
        #[cfg(test)]
        effort::digested();
        Self {
            sha256: Sha256::digest(secret.expose()).into(),
            hmac_sha256: key.map(|key| key.digest(secret)),
        }
    }
}

/// A key of HMAC, expanded once.
#[derive(Clone)]
pub(super) struct Key(Arc<Hmac<Sha256>>);

impl Key {
    /// # Panics
    ///
    /// If it is empty.
    pub(super) fn new(key: &[u8]) -> Self {
        assert!(!key.is_empty(), "the key of the secrets' HMAC is empty");
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

/// Padded or not.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn decode(encoded: &str) -> Option<[u8; 32]> {
    match encoded.len() {
        64 => decode_hex(encoded.as_bytes()),
        // One character per six bits; a longer text could not be 32 octets.
        43 | 44 => BASE64URL.decode(encoded).ok()?.try_into().ok(),
        _ => None,
    }
}

fn decode_hex(digits: &[u8]) -> Option<[u8; 32]> {
    let digit = |octet: u8| char::from(octet).to_digit(16);
    let mut octets = [0; 32];
    for (octet, pair) in octets.iter_mut().zip(digits.chunks_exact(2)) {
        *octet = u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()?;
    }
    Some(octets)
}

/// How often this thread has made digests and compared them, for tests of equal work.
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

    /// Both, since this was asked last.
    pub(in crate::client) fn take() -> (usize, usize) {
        (DIGESTED.take(), COMPARED.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_of_a_digest_is_compared() {
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
