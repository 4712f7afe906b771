//! Signatures of another library, for every algorithm that it supports.

use aws_lc_rs::{
    encoding::AsDer as _,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
        ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
        KeyPair as _, RsaKeyPair,
    },
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};

use crate::jose::{Algorithm, HmacKey, Jwk, Jws, KeySet};

/// How many messages each algorithm signs.
const ROUNDS: usize = 16;

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn rsa(size: KeySize) -> (EncodingKey, Value) {
    let pair = RsaKeyPair::generate(size).unwrap();
    let body = STANDARD.encode(pair.as_der().unwrap().as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
    // The last five bytes are the exponent with its tag and length. The modulus precedes them.
    let public = pair.public_key().as_ref();
    let end = public.len() - 5;
    let modulus = &public[end - pair.public_modulus_len()..end];
    let jwk = json!({ "kty": "RSA", "n": encoded(modulus), "e": "AQAB" });
    (EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap(), jwk)
}

fn point(pair: &EcdsaKeyPair, crv: &str) -> Value {
    let (x, y) = {
        let point = &pair.public_key().as_ref()[1..];
        point.split_at(point.len() / 2)
    };
    json!({ "kty": "EC", "crv": crv, "x": encoded(x), "y": encoded(y) })
}

fn ec(algorithm: &'static EcdsaSigningAlgorithm, crv: &str) -> (EncodingKey, Value) {
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref()).unwrap();
    (EncodingKey::from_ec_der(pkcs8.as_ref()), point(&pair, crv))
}

fn ed25519() -> (EncodingKey, Value) {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
    let x = encoded(pair.public_key().as_ref());
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": x });
    (EncodingKey::from_ed_der(pkcs8.as_ref()), jwk)
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}

/// Random claims, signed by the other library.
fn signed(key: &EncodingKey, algorithm: Algorithm) -> String {
    let mut header = Header::new(algorithm.as_str().parse().unwrap());
    header.kid = Some("k1".to_owned());
    let claims = json!({ "iss": "s6BhdRkqt3", "jti": encoded(&random::<40>()) });
    jsonwebtoken::encode(&header, &claims, key).unwrap()
}

/// Checks that `verify` accepts the signature and no other.
fn verifies_only(token: &str, algorithm: Algorithm, verify: impl Fn(&Jws<'_>) -> bool) {
    let mut jws = Jws::parse(token, 16 * 1024).unwrap();
    assert_eq!((jws.algorithm, jws.kid()), (algorithm, Some("k1")));
    assert_eq!(jws.claims.text("iss"), Ok(Some("s6BhdRkqt3")));
    assert!(verify(&jws), "{algorithm}");
    let place = usize::from(random::<1>()[0]) % jws.signature.len();
    jws.signature[place] ^= 0x10;
    assert!(!verify(&jws), "{algorithm}");
}

#[test]
fn signatures_of_another_library_are_verified() {
    use Algorithm::{EdDsa, Es256, Es384, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};

    let all_rsa = [Rs256, Rs384, Rs512, Ps256, Ps384, Ps512];
    for ((key, mut jwk), algorithms) in [
        (rsa(KeySize::Rsa2048), &all_rsa[..]),
        (rsa(KeySize::Rsa3072), &all_rsa),
        (ec(&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"), &[Es256]),
        (ec(&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"), &[Es384]),
        (ed25519(), &[EdDsa]),
    ] {
        jwk["kid"] = "k1".into();
        let set = json!({ "keys": [jwk] }).to_string();
        let set = KeySet::from_json(&set).unwrap();
        for algorithm in algorithms {
            for _ in 0..ROUNDS {
                verifies_only(&signed(&key, *algorithm), *algorithm, |jws| {
                    let mut keys = set.candidates(jws.kid(), jws.algorithm);
                    keys.any(|key| key.verify(jws.algorithm, jws.signing_input, &jws.signature))
                });
            }
        }
    }
}

#[test]
fn hmacs_of_another_library_are_verified() {
    for algorithm in [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512] {
        let secret = random::<64>();
        let (key, ours) = (EncodingKey::from_secret(&secret), HmacKey::new(&secret));
        for _ in 0..ROUNDS {
            verifies_only(&signed(&key, algorithm), algorithm, |jws| {
                ours.verify(jws.algorithm, jws.signing_input, &jws.signature)
            });
        }
    }
}

/// The other library does not support this algorithm.
#[test]
fn es512_is_verified() {
    let pair = EcdsaKeyPair::generate(&ECDSA_P521_SHA512_FIXED_SIGNING).unwrap();
    let key = Jwk::from_json(&point(&pair, "P-521").to_string()).unwrap();
    for _ in 0..ROUNDS {
        let input = random::<100>();
        let signature = pair.sign(&SystemRandom::new(), &input).unwrap();
        assert!(key.verify(Algorithm::Es512, &input, signature.as_ref()));
        assert!(!key.verify(Algorithm::Es512, &input[1..], signature.as_ref()));
    }
}
