//! One public key (RFC 7517 §4), and what it verifies.

use std::fmt;

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Map, Value};

#[cfg(feature = "mtls")]
use super::certificates::Certificates;
use super::{
    Algorithm, KeyError, Members,
    jws::MAX_KID,
    public_key::PublicKey,
    purpose::{self, present},
};

/// The members that only private and symmetric keys have (RFC 7518 §6.2.2, §6.3.2, §6.4.1, RFC 8037
/// §2).
const PRIVATE: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/// A public key that verifies signatures: RSA of 2048 to 8192 bits, P-256, P-384, P-521 or Ed25519.
///
/// **Lenient in form, strict in strength.** Numbers may have leading zeros, padding, white space,
/// or the other alphabet of base64. `null` and an empty string count as absent, and so does a `kid`
/// that is not a string of 1 to 256 bytes. Members that verification does not need (`x5c`, `x5t`,
/// `x5t#S256`, `x5u` and all unknown ones) never make a key unusable.
///
/// ```
/// use tower_revocation::jose::{Algorithm, Jwk};
///
/// let key = Jwk::from_json(r#"{
///     "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
/// }"#)?;
/// assert_eq!(key.kid(), None);
/// assert!(key.admits(Algorithm::EdDsa));
/// # Ok::<_, tower_revocation::jose::KeyError>(())
/// ```
#[derive(Clone)]
pub struct Jwk {
    kid: Option<String>,
    alg: Option<Algorithm>,
    #[cfg(feature = "mtls")]
    certificates: Certificates,
    public_key: PublicKey,
}

impl Jwk {
    /// Reads one JSON object.
    ///
    /// # Errors
    ///
    /// Fails if the document is not a JSON object or repeats a member, if the key is private or not
    /// sound, if it is not for signatures, and if it has an unknown type or curve, or an `alg` that
    /// does not fit its type.
    pub fn from_json(json: &str) -> Result<Self, KeyError> {
        let members = Members::parse(json.as_bytes());
        let members = members.map_err(|_| KeyError::malformed("it is not a strict JSON object"))?;
        Self::from_members(members.as_map())
    }

    /// Reads a value. Its duplicate members must have been refused before.
    pub(crate) fn from_value(value: &Value) -> Result<Self, KeyError> {
        let members = value.as_object();
        Self::from_members(members.ok_or(KeyError::malformed("it is not an object"))?)
    }

    fn from_members(jwk: &Map<String, Value>) -> Result<Self, KeyError> {
        if PRIVATE.iter().any(|name| present(jwk, name).is_some()) {
            return Err(KeyError::private());
        }
        // First, because a key that is not for signatures may be of any type.
        let alg = purpose::algorithm(jwk)?;
        let public_key = PublicKey::read(jwk)?;
        if alg.is_some_and(|alg| !public_key.key_type.admits(alg)) {
            return Err(KeyError::unsupported("alg is for another type of key"));
        }
        Ok(Self {
            kid: kid(jwk).map(str::to_owned),
            alg,
            #[cfg(feature = "mtls")]
            certificates: Certificates::read(jwk),
            public_key,
        })
    }

    /// The key identifier. **Compared byte for byte, without normalisation.**
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Whether the key may verify signatures of this algorithm: only of its own `alg`, or of every
    /// algorithm of its type if it has none. `EdDSA` and `Ed25519` count as one algorithm (RFC 9864
    /// §2.2).
    #[must_use]
    pub fn admits(&self, algorithm: Algorithm) -> bool {
        let own = self.alg.is_none_or(|alg| synonyms(alg, algorithm));
        own && self.public_key.key_type.admits(algorithm)
    }

    /// The SHA-256 thumbprint (RFC 7638).
    #[must_use]
    pub fn thumbprint(&self) -> [u8; 32] {
        self.public_key.thumbprint
    }

    /// Whether the signature is valid under this key, by an algorithm that it admits.
    pub(crate) fn verify(&self, algorithm: Algorithm, input: &[u8], signature: &[u8]) -> bool {
        self.admits(algorithm) && self.public_key.verify(algorithm, input, signature)
    }

    /// Whether both are the same public key, for the same algorithm and with the same identifier.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let Self { kid, alg, .. } = self;
        (kid, alg) == (&other.kid, &other.alg) && self.public_key.spki == other.public_key.spki
    }

    /// The `SubjectPublicKeyInfo` in DER, as in a certificate of this key (RFC 5280 §4.1.2.7).
    #[cfg(feature = "mtls")]
    pub(crate) fn subject_public_key_info(&self) -> &[u8] {
        &self.public_key.spki
    }

    /// The certificate of this key, in DER (RFC 7517 §4.7).
    #[cfg(feature = "mtls")]
    pub(crate) fn certificate(&self) -> Option<&[u8]> {
        self.certificates.own.as_deref()
    }

    /// The digest of the certificate (RFC 7517 §4.9).
    #[cfg(feature = "mtls")]
    pub(crate) fn x5t_s256(&self) -> Option<&[u8; 32]> {
        self.certificates.digest.as_ref()
    }
}

/// Whether both names mean the same algorithm.
pub(super) fn synonyms(one: Algorithm, other: Algorithm) -> bool {
    let ed25519 = |it| matches!(it, Algorithm::EdDsa | Algorithm::Ed25519);
    one == other || ed25519(one) && ed25519(other)
}

/// Returns the key identifier, if a token can name it.
pub(super) fn kid(jwk: &Map<String, Value>) -> Option<&str> {
    let kid = present(jwk, "kid").and_then(Value::as_str);
    kid.filter(|kid| kid.len() <= MAX_KID)
}

impl<'de> Deserialize<'de> for Jwk {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        let members = Members::deserialize(json)?;
        Self::from_members(members.as_map()).map_err(D::Error::custom)
    }
}

impl fmt::Debug for Jwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwk")
            .field("kid", &self.kid)
            .field("type", &self.public_key.key_type)
            .field("alg", &self.alg)
            .finish_non_exhaustive()
    }
}
