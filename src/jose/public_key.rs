//! Parses the public key of a JWK, and verifies signatures with it.

use std::sync::OnceLock;

use aws_lc_rs::{
    encoding::AsDer as _,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
        ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
        RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
        RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents, VerificationAlgorithm,
    },
};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{
    Algorithm, KeyError,
    base64url::{decode, encode, without_leading_zeros},
    ed25519,
    json::text,
    rsa,
};

/// The type of a key (`kty`), with its curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum KeyType {
    Rsa,
    P256,
    P384,
    P521,
    Ed25519,
}

/// A public key, parsed once.
#[derive(Clone)]
pub(super) struct PublicKey {
    pub(super) key_type: KeyType,
    /// The `SubjectPublicKeyInfo` in DER (RFC 5280 §4.1.2.7).
    pub(super) spki: Box<[u8]>,
    pub(super) thumbprint: [u8; 32],
    parsed: Parsed,
}

#[derive(Clone)]
enum Parsed {
    /// A parsed RSA key is bound to one algorithm, and few keys are used with more than one. So
    /// the others are parsed when they are needed.
    Rsa(Box<[OnceLock<ParsedPublicKey>; 6]>),
    Other(ParsedPublicKey),
}

impl KeyType {
    /// Whether a key of this type can verify signatures of the algorithm.
    pub(super) fn admits(self, algorithm: Algorithm) -> bool {
        match self {
            Self::Rsa => rsa_parameters(algorithm).is_some(),
            Self::P256 => algorithm == Algorithm::Es256,
            Self::P384 => algorithm == Algorithm::Es384,
            Self::P521 => algorithm == Algorithm::Es512,
            Self::Ed25519 => matches!(algorithm, Algorithm::EdDsa | Algorithm::Ed25519),
        }
    }
}

impl PublicKey {
    /// Reads the members that belong to the `kty`, and ignores all others.
    pub(super) fn read(jwk: &Map<String, Value>) -> Result<Self, KeyError> {
        let no_kty = KeyError::malformed("kty is not a string");
        match text(jwk, "kty").map_err(|_| no_kty)?.ok_or(no_kty)? {
            "RSA" => Self::rsa(jwk),
            "EC" => match curve(jwk)? {
                "P-256" => Self::ec(jwk, KeyType::P256, 32, &ECDSA_P256_SHA256_FIXED),
                "P-384" => Self::ec(jwk, KeyType::P384, 48, &ECDSA_P384_SHA384_FIXED),
                "P-521" => Self::ec(jwk, KeyType::P521, 66, &ECDSA_P521_SHA512_FIXED),
                _ => Err(KeyError::unsupported("unknown crv")),
            },
            "OKP" => match curve(jwk)? {
                "Ed25519" => Self::ed25519(jwk),
                _ => Err(KeyError::unsupported("unknown crv")),
            },
            "oct" => Err(KeyError::private()),
            _ => Err(KeyError::unsupported("unknown kty")),
        }
    }

    fn rsa(jwk: &Map<String, Value>) -> Result<Self, KeyError> {
        let (n, e) = (bytes(jwk, "n")?, bytes(jwk, "e")?);
        let (n, e) = (without_leading_zeros(&n), without_leading_zeros(&e));
        rsa::check(n, e)?;
        // This encodes the components and checks nothing. Parsing the DER does (`RSA_check_key`).
        let components = RsaPublicKeyComponents { n, e };
        let spki = components
            .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
            .map_err(|_| unsound())?;
        let spki = spki_of(&spki)?;
        let parsed = Box::new([const { OnceLock::new() }; 6]);
        let first = parse(&RSA_PKCS1_2048_8192_SHA256, &spki)?;
        parsed[0].get_or_init(|| first);
        let (e, n) = (encode(e), encode(n));
        Ok(Self {
            key_type: KeyType::Rsa,
            spki,
            thumbprint: thumbprint(&format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#)),
            parsed: Parsed::Rsa(parsed),
        })
    }

    fn ec(
        jwk: &Map<String, Value>,
        key_type: KeyType,
        width: usize,
        algorithm: &'static dyn VerificationAlgorithm,
    ) -> Result<Self, KeyError> {
        let x = coordinate(jwk, "x", width)?;
        let y = coordinate(jwk, "y", width)?;
        // SEC 1 §2.3.3, uncompressed. The parser checks that the point is on the curve.
        let point = [&[4], x.as_slice(), y.as_slice()].concat();
        let parsed = parse(algorithm, &point)?;
        let (crv, x, y) = (curve(jwk)?, encode(&x), encode(&y));
        Ok(Self {
            key_type,
            spki: spki_of(&parsed)?,
            thumbprint: thumbprint(&format!(
                r#"{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}"#
            )),
            parsed: Parsed::Other(parsed),
        })
    }

    fn ed25519(jwk: &Map<String, Value>) -> Result<Self, KeyError> {
        let x = bytes(jwk, "x")?;
        ed25519::check(x.as_slice().try_into().map_err(|_| wrong_length())?)?;
        let parsed = parse(&ED25519, &x)?;
        let x = encode(&x);
        Ok(Self {
            key_type: KeyType::Ed25519,
            spki: spki_of(&parsed)?,
            thumbprint: thumbprint(&format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#)),
            parsed: Parsed::Other(parsed),
        })
    }

    /// Whether the signature was made with the private key of this key. Returns `false` for an
    /// algorithm that the key type does not admit.
    pub(super) fn verify(&self, algorithm: Algorithm, input: &[u8], signature: &[u8]) -> bool {
        if !self.key_type.admits(algorithm) {
            return false;
        }
        let key = match &self.parsed {
            Parsed::Other(key) => Some(key),
            Parsed::Rsa(keys) => rsa_key(keys, &self.spki, algorithm),
        };
        #[cfg(test)]
        super::tests::effort::count();
        key.is_some_and(|key| key.verify_sig(input, signature).is_ok())
    }
}

fn rsa_key<'a>(
    keys: &'a [OnceLock<ParsedPublicKey>; 6],
    spki: &[u8],
    algorithm: Algorithm,
) -> Option<&'a ParsedPublicKey> {
    let (index, parameters) = rsa_parameters(algorithm)?;
    if let Some(key) = keys[index].get() {
        return Some(key);
    }
    let key = parse(parameters, spki).ok()?;
    Some(keys[index].get_or_init(|| key))
}

fn rsa_parameters(algorithm: Algorithm) -> Option<(usize, &'static RsaParameters)> {
    match algorithm {
        Algorithm::Rs256 => Some((0, &RSA_PKCS1_2048_8192_SHA256)),
        Algorithm::Rs384 => Some((1, &RSA_PKCS1_2048_8192_SHA384)),
        Algorithm::Rs512 => Some((2, &RSA_PKCS1_2048_8192_SHA512)),
        // The salt is as long as the hash (RFC 7518 §3.5).
        Algorithm::Ps256 => Some((3, &RSA_PSS_2048_8192_SHA256)),
        Algorithm::Ps384 => Some((4, &RSA_PSS_2048_8192_SHA384)),
        Algorithm::Ps512 => Some((5, &RSA_PSS_2048_8192_SHA512)),
        _ => None,
    }
}

fn parse(
    algorithm: &'static dyn VerificationAlgorithm,
    key: &[u8],
) -> Result<ParsedPublicKey, KeyError> {
    ParsedPublicKey::new(algorithm, key).map_err(|_| unsound())
}

fn spki_of(key: &ParsedPublicKey) -> Result<Box<[u8]>, KeyError> {
    let spki = key.as_der().map_err(|_| unsound())?;
    Ok(spki.as_ref().into())
}

fn curve(jwk: &Map<String, Value>) -> Result<&str, KeyError> {
    let no_crv = KeyError::malformed("crv is not a string");
    text(jwk, "crv").map_err(|_| no_crv)?.ok_or(no_crv)
}

fn bytes(jwk: &Map<String, Value>, name: &str) -> Result<Vec<u8>, KeyError> {
    let text = text(jwk, name).ok().flatten();
    let text = text.ok_or(KeyError::malformed("a member of the key is not a string"))?;
    decode(text).ok_or(KeyError::malformed("a member of the key is not base64url"))
}

/// Reads a coordinate, and gives it the width of its field (RFC 7518 §6.2.1.2). Some libraries drop
/// leading zeros, others add one: the number is the same.
fn coordinate(jwk: &Map<String, Value>, name: &str, width: usize) -> Result<Vec<u8>, KeyError> {
    let bytes = bytes(jwk, name)?;
    let number = without_leading_zeros(&bytes);
    let zeros = width.checked_sub(number.len()).ok_or_else(wrong_length)?;
    Ok([&vec![0; zeros], number].concat())
}

fn wrong_length() -> KeyError {
    KeyError::malformed("a coordinate does not have the length of its field")
}

fn unsound() -> KeyError {
    KeyError::malformed("it is not a sound public key")
}

/// Hashes the required members, in lexicographic order and without white space (RFC 7638 §3).
fn thumbprint(members: &str) -> [u8; 32] {
    Sha256::digest(members).into()
}
