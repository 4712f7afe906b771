//! One public key (RFC 7517 §4), and what it verifies.

use std::fmt;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Map, Value};

use super::{Algorithm, KeyError, Kind, Members, json::text, jws::LONGEST_KID, material::Material};

/// What only a private or a symmetric key has (RFC 7518 §6.2.2, §6.3.2, §6.4.1, RFC 8037 §2).
const PRIVATE: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/// A chain of more certificates is refused.
const LONGEST_CHAIN: usize = 4;

/// A public key that verifies signatures: RSA of 2048 to 8192 bits, P-256, P-384, P-521 or Ed25519.
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
    x5c: Vec<Vec<u8>>,
    x5t_s256: Option<[u8; 32]>,
    material: Material,
}

impl Jwk {
    /// Reads one JSON object.
    ///
    /// # Errors
    ///
    /// For what is not a JSON object or repeats a member; for keys that are private, not sound, not
    /// for signatures, or of a type or curve that is not known; and for an `alg` of another type of
    /// key.
    pub fn from_json(json: &str) -> Result<Self, KeyError> {
        let members = Members::parse(json.as_bytes());
        let members =
            members.map_err(|_| KeyError::malformed("it is not one strict JSON object"))?;
        Self::from_members(members.as_map())
    }

    /// Reads a value of which the duplicates have been refused before.
    pub(crate) fn from_value(value: &Value) -> Result<Self, KeyError> {
        let members = value.as_object();
        Self::from_members(members.ok_or(KeyError::malformed("it is not an object"))?)
    }

    fn from_members(jwk: &Map<String, Value>) -> Result<Self, KeyError> {
        if PRIVATE.iter().any(|name| jwk.contains_key(*name)) {
            return Err(KeyError::private());
        }
        for_signatures(jwk)?;
        let material = Material::read(jwk)?;
        Ok(Self {
            kid: kid(jwk)?,
            alg: alg(jwk, material.kind)?,
            x5c: x5c(jwk)?,
            x5t_s256: x5t_s256(jwk)?,
            material,
        })
    }

    /// The identifier. **Compared byte for byte, without normalisation.**
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Whether the key may verify signatures of this algorithm: its own `alg`, or else all that its
    /// type can do. `EdDSA` and `Ed25519` are one algorithm here (RFC 9864 §2.2).
    #[must_use]
    pub fn admits(&self, algorithm: Algorithm) -> bool {
        let own = self.alg.is_none_or(|alg| synonyms(alg, algorithm));
        own && self.material.kind.admits(algorithm)
    }

    /// The SHA-256 thumbprint (RFC 7638).
    #[must_use]
    pub fn thumbprint(&self) -> [u8; 32] {
        self.material.thumbprint
    }

    /// Whether the signature is of this key, by an algorithm that it admits.
    pub(crate) fn verify(&self, algorithm: Algorithm, input: &[u8], signature: &[u8]) -> bool {
        self.admits(algorithm) && self.material.verify(algorithm, input, signature)
    }

    pub(crate) fn kind(&self) -> Kind {
        self.material.kind
    }

    /// What the bits of a certificate's `subjectPublicKey` are for this key: an `RSAPublicKey`, an
    /// uncompressed point, or the 32 octets of Ed25519.
    #[cfg(feature = "mtls")]
    pub(crate) fn subject_public_key(&self) -> &[u8] {
        &self.material.octets
    }

    /// The certificates, in DER, that of this key first (RFC 7517 §4.7).
    #[cfg(feature = "mtls")]
    pub(crate) fn x5c(&self) -> &[Vec<u8>] {
        &self.x5c
    }

    /// The digest of the certificate (RFC 7517 §4.9).
    #[cfg(feature = "mtls")]
    pub(crate) fn x5t_s256(&self) -> Option<&[u8; 32]> {
        self.x5t_s256.as_ref()
    }
}

fn synonyms(one: Algorithm, other: Algorithm) -> bool {
    let ed25519 = |it| matches!(it, Algorithm::EdDsa | Algorithm::Ed25519);
    one == other || ed25519(one) && ed25519(other)
}

/// Keys for encryption are nobody's mistake: a client's one set holds both (RFC 7517 §4.2, §4.3).
fn for_signatures(jwk: &Map<String, Value>) -> Result<(), KeyError> {
    let purpose = text(jwk, "use").map_err(|_| KeyError::malformed("use is not a string"))?;
    if purpose.is_some_and(|purpose| purpose != "sig") {
        return Err(KeyError::unsupported("use is not sig"));
    }
    let Some(operations) = jwk.get("key_ops") else {
        return Ok(());
    };
    let malformed = KeyError::malformed("key_ops is not an array of different strings");
    let operations = operations.as_array().ok_or(malformed)?;
    for (index, operation) in operations.iter().enumerate() {
        if !operation.is_string() || operations[..index].contains(operation) {
            return Err(malformed);
        }
    }
    if !operations.iter().any(|operation| operation == "verify") {
        return Err(KeyError::unsupported("key_ops does not include verify"));
    }
    Ok(())
}

fn kid(jwk: &Map<String, Value>) -> Result<Option<String>, KeyError> {
    let kid = text(jwk, "kid").map_err(|_| KeyError::malformed("kid is not a string"))?;
    if kid.is_some_and(|kid| kid.is_empty() || kid.len() > LONGEST_KID) {
        return Err(KeyError::malformed("kid has not 1 to 256 octets"));
    }
    Ok(kid.map(str::to_owned))
}

fn alg(jwk: &Map<String, Value>, kind: Kind) -> Result<Option<Algorithm>, KeyError> {
    let alg = text(jwk, "alg").map_err(|_| KeyError::malformed("alg is not a string"))?;
    let Some(alg) = alg else { return Ok(None) };
    let alg = alg.parse().ok().filter(|alg| kind.admits(*alg));
    let unfit = KeyError::malformed("alg is not one of this type of key");
    alg.map(Some).ok_or(unfit)
}

fn x5c(jwk: &Map<String, Value>) -> Result<Vec<Vec<u8>>, KeyError> {
    let Some(chain) = jwk.get("x5c") else {
        return Ok(Vec::new());
    };
    let malformed = KeyError::malformed("x5c is not an array of 1 to 4 certificates in base64");
    let chain = chain.as_array().ok_or(malformed)?;
    if chain.is_empty() || chain.len() > LONGEST_CHAIN {
        return Err(malformed);
    }
    let certificate = |value: &Value| STANDARD.decode(value.as_str()?).ok();
    let chain = chain.iter().map(certificate).collect::<Option<_>>();
    chain.ok_or(malformed)
}

fn x5t_s256(jwk: &Map<String, Value>) -> Result<Option<[u8; 32]>, KeyError> {
    let malformed = KeyError::malformed("x5t#S256 is not 32 octets in base64url");
    let Some(written) = text(jwk, "x5t#S256").map_err(|_| malformed)? else {
        return Ok(None);
    };
    let octets = URL_SAFE_NO_PAD.decode(written).map_err(|_| malformed)?;
    octets.try_into().map(Some).map_err(|_| malformed)
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
            .field("kind", &self.material.kind)
            .field("x5c", &self.x5c.len())
            .field("x5t#S256", &self.x5t_s256.is_some())
            .finish_non_exhaustive()
    }
}
