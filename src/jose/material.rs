//! What is a public key made of, and is it sound?

use std::sync::OnceLock;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
    RSA_PSS_2048_8192_SHA512, VerificationAlgorithm,
};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{
    Algorithm, KeyError, ed25519,
    json::text,
    number::{decode, encode, significant},
    rsa,
};

/// The type of a key, and its curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Rsa,
    P256,
    P384,
    P521,
    Ed25519,
}

/// A public key that was parsed once.
#[derive(Clone)]
pub(super) struct Material {
    pub(super) kind: Kind,
    /// What a certificate's `subjectPublicKey` holds for this key.
    pub(super) octets: Box<[u8]>,
    pub(super) thumbprint: [u8; 32],
    parsed: Parsed,
}

#[derive(Clone)]
enum Parsed {
    /// Every algorithm wants the key parsed for itself. Few keys see more than one.
    Rsa(Box<[OnceLock<ParsedPublicKey>; 6]>),
    Other(ParsedPublicKey),
}

impl Kind {
    /// What a key of this kind can do when it does not say more.
    pub(super) fn admits(self, algorithm: Algorithm) -> bool {
        match self {
            Self::Rsa => rsa_place(algorithm).is_some(),
            Self::P256 => algorithm == Algorithm::Es256,
            Self::P384 => algorithm == Algorithm::Es384,
            Self::P521 => algorithm == Algorithm::Es512,
            Self::Ed25519 => matches!(algorithm, Algorithm::EdDsa | Algorithm::Ed25519),
        }
    }
}

impl Material {
    /// Reads what belongs to the `kty`, and that alone.
    pub(super) fn read(jwk: &Map<String, Value>) -> Result<Self, KeyError> {
        let no_kty = KeyError::malformed("kty is not a string");
        match text(jwk, "kty").map_err(|_| no_kty)?.ok_or(no_kty)? {
            "RSA" => Self::rsa(jwk),
            "EC" => match curve(jwk)? {
                "P-256" => Self::ec(jwk, Kind::P256, 32, &ECDSA_P256_SHA256_FIXED),
                "P-384" => Self::ec(jwk, Kind::P384, 48, &ECDSA_P384_SHA384_FIXED),
                "P-521" => Self::ec(jwk, Kind::P521, 66, &ECDSA_P521_SHA512_FIXED),
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
        let (n, e) = (octets(jwk, "n")?, octets(jwk, "e")?);
        let (n, e) = (significant(&n), significant(&e));
        rsa::check(n, e)?;
        let octets = rsa::public_key(n, e);
        let parsed = Box::new([const { OnceLock::new() }; 6]);
        let first = parse(&RSA_PKCS1_2048_8192_SHA256, &octets)?;
        parsed[0].get_or_init(|| first);
        let (e, n) = (encode(e), encode(n));
        Ok(Self {
            kind: Kind::Rsa,
            octets: octets.into(),
            thumbprint: thumbprint(&format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#)),
            parsed: Parsed::Rsa(parsed),
        })
    }

    fn ec(
        jwk: &Map<String, Value>,
        kind: Kind,
        width: usize,
        algorithm: &'static dyn VerificationAlgorithm,
    ) -> Result<Self, KeyError> {
        let x = coordinate(jwk, "x", width)?;
        let y = coordinate(jwk, "y", width)?;
        // SEC 1 §2.3.3, uncompressed. That the point is on its curve is found by the parser.
        let octets = [&[4], x.as_slice(), y.as_slice()].concat();
        let (crv, x, y) = (curve(jwk)?, encode(&x), encode(&y));
        Ok(Self {
            kind,
            parsed: Parsed::Other(parse(algorithm, &octets)?),
            octets: octets.into(),
            thumbprint: thumbprint(&format!(
                r#"{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}"#
            )),
        })
    }

    fn ed25519(jwk: &Map<String, Value>) -> Result<Self, KeyError> {
        let x = octets(jwk, "x")?;
        ed25519::check(x.as_slice().try_into().map_err(|_| wrong_length())?)?;
        let text = encode(&x);
        Ok(Self {
            kind: Kind::Ed25519,
            parsed: Parsed::Other(parse(&ED25519, &x)?),
            octets: x.into(),
            thumbprint: thumbprint(&format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{text}"}}"#)),
        })
    }

    /// Whether the signature is of this key. The algorithm is one that the kind admits.
    pub(super) fn verify(&self, algorithm: Algorithm, input: &[u8], signature: &[u8]) -> bool {
        if !self.kind.admits(algorithm) {
            return false;
        }
        let key = match &self.parsed {
            Parsed::Other(key) => Some(key),
            Parsed::Rsa(keys) => rsa_key(keys, &self.octets, algorithm),
        };
        #[cfg(test)]
        super::tests::effort::count();
        key.is_some_and(|key| key.verify_sig(input, signature).is_ok())
    }
}

fn rsa_key<'a>(
    keys: &'a [OnceLock<ParsedPublicKey>; 6],
    octets: &[u8],
    algorithm: Algorithm,
) -> Option<&'a ParsedPublicKey> {
    let (place, parameters) = rsa_place(algorithm)?;
    if let Some(key) = keys[place].get() {
        return Some(key);
    }
    let key = parse(parameters, octets).ok()?;
    Some(keys[place].get_or_init(|| key))
}

fn rsa_place(algorithm: Algorithm) -> Option<(usize, &'static dyn VerificationAlgorithm)> {
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
    octets: &[u8],
) -> Result<ParsedPublicKey, KeyError> {
    let unsound = KeyError::malformed("it is not a sound public key");
    ParsedPublicKey::new(algorithm, octets).map_err(|_| unsound)
}

fn curve(jwk: &Map<String, Value>) -> Result<&str, KeyError> {
    let no_crv = KeyError::malformed("crv is not a string");
    text(jwk, "crv").map_err(|_| no_crv)?.ok_or(no_crv)
}

fn octets(jwk: &Map<String, Value>, name: &str) -> Result<Vec<u8>, KeyError> {
    let written = text(jwk, name).ok().flatten();
    let written = written.ok_or(KeyError::malformed("a member of the key is not a string"))?;
    decode(written).ok_or(KeyError::malformed("a member of the key is not base64url"))
}

/// A coordinate in the width of its field (RFC 7518 §6.2.1.2). Some libraries drop leading zeros,
/// others write one too many: the number is the same.
fn coordinate(jwk: &Map<String, Value>, name: &str, width: usize) -> Result<Vec<u8>, KeyError> {
    let written = octets(jwk, name)?;
    let number = significant(&written);
    let zeros = width.checked_sub(number.len()).ok_or_else(wrong_length)?;
    Ok([&vec![0; zeros], number].concat())
}

fn wrong_length() -> KeyError {
    KeyError::malformed("a coordinate has not the length of its field")
}

/// The members that make up the key, in their order, without white space (RFC 7638 §3).
fn thumbprint(members: &str) -> [u8; 32] {
    Sha256::digest(members).into()
}
