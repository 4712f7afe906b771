//! Forged signatures.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::vectors::{
    A2, A2_KEY, A3, A3_KEY, A4, A4_KEY, C33_KEY, C42, ED, ED_KEY, bytes, halves, key,
};
use crate::jose::{Algorithm, HmacKey, KeySet};

const SIGNED: [(&str, Algorithm, &str); 5] = [
    (A2_KEY, Algorithm::Rs256, A2),
    (C33_KEY, Algorithm::Ps384, C42),
    (A3_KEY, Algorithm::Es256, A3),
    (A4_KEY, Algorithm::Es512, A4),
    (ED_KEY, Algorithm::EdDsa, ED),
];

/// Where the `RSAPublicKey` begins in the `SubjectPublicKeyInfo` of a key of 2048 bits.
const PKCS1: usize = 24;

/// Where its modulus is.
const MODULUS: std::ops::Range<usize> = PKCS1 + 9..PKCS1 + 265;

/// The order of P-256 (SEC 2 §2.4.2).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// The prime of P-256.
const PRIME: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
];

/// The order of Ed25519 (RFC 8032 §5.1), in little-endian order.
const ED_ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// The difference of two big-endian numbers, as long as the first.
fn minus(one: &[u8], other: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut difference = vec![0; one.len()];
    for place in (0..one.len()).rev() {
        let value = 256 + i32::from(one[place]) - i32::from(other[place]) - borrow;
        borrow = i32::from(value < 256);
        difference[place] = u8::try_from(value % 256).unwrap();
    }
    difference
}

#[test]
fn every_flipped_bit_is_noticed() {
    for (jwk, algorithm, compact) in SIGNED {
        let key = key(jwk);
        let (input, signature) = halves(compact);
        assert!(key.verify(algorithm, input, &signature));
        for bit in 0..signature.len() * 8 {
            let mut signature = signature.clone();
            signature[bit / 8] ^= 1 << (bit % 8);
            assert!(
                !key.verify(algorithm, input, &signature),
                "{algorithm} {bit}"
            );
        }
        for bit in 0..input.len() * 8 {
            let mut input = input.to_vec();
            input[bit / 8] ^= 1 << (bit % 8);
            assert!(
                !key.verify(algorithm, &input, &signature),
                "{algorithm} {bit}"
            );
        }
    }
}

#[test]
fn signatures_have_one_length() {
    for (jwk, algorithm, compact) in SIGNED {
        let key = key(jwk);
        let (input, signature) = halves(compact);
        let half = signature.len() / 2;
        let zero: &[u8] = &[0];
        for other in [
            Vec::new(),
            vec![0],
            signature[..half].to_vec(),
            signature[1..].to_vec(),
            signature[..signature.len() - 1].to_vec(),
            [zero, &signature].concat(),
            [&signature, zero].concat(),
            [&signature[..half], zero, &signature[half..]].concat(),
            [zero, &signature[..half], zero, &signature[half..]].concat(),
            [&signature[..], &signature].concat(),
            vec![0; signature.len()],
            vec![0xff; signature.len()],
            [&signature[half..], &signature[..half]].concat(),
        ] {
            assert!(
                !key.verify(algorithm, input, &other),
                "{algorithm} {}",
                other.len()
            );
        }
    }
}

#[test]
fn edge_values_are_no_signatures() {
    let key = key(A3_KEY);
    let (input, signature) = halves(A3);
    let mut one = [0; 32];
    one[31] = 1;
    let minus_one: [u8; 32] = minus(&ORDER, &one).try_into().unwrap();
    let borders = [[0; 32], one, minus_one, ORDER, PRIME, [0xff; 32]];
    for r in borders {
        for s in borders {
            assert!(!key.verify(Algorithm::Es256, input, &[r, s].concat()));
        }
        assert!(!key.verify(Algorithm::Es256, input, &[&r, &signature[32..]].concat()));
        assert!(!key.verify(Algorithm::Es256, input, &[&signature[..32], &r].concat()));
    }
}

/// Every ECDSA signature has a second form, and RFC 7518 §3.4 admits both. So a token must not be
/// identified by its signature. Assertions are identified by their `jti`.
#[test]
fn negated_s_verifies_too() {
    let (input, signature) = halves(A3);
    let second = minus(&ORDER, &signature[32..]);
    assert_ne!(second, signature[32..]);
    let second = [&signature[..32], &second].concat();
    assert!(key(A3_KEY).verify(Algorithm::Es256, input, &second));
}

/// `EdDSA` signatures have one form (RFC 8032 §5.1.7).
#[test]
fn ed25519_signature_has_no_second_form() {
    let (input, mut signature) = halves(ED);
    let mut carry = 0;
    for (byte, order) in signature[32..].iter_mut().zip(ED_ORDER) {
        carry += u16::from(*byte) + u16::from(order);
        *byte = u8::try_from(carry % 256).unwrap();
        carry /= 256;
    }
    assert_eq!(carry, 0);
    assert!(!key(ED_KEY).verify(Algorithm::EdDsa, input, &signature));
}

#[test]
fn ecdsa_signatures_are_not_in_der() {
    let (input, signature) = halves(A3);
    // `SEQUENCE { INTEGER r, INTEGER s }`. A positive number does not begin with a one bit.
    let integer = |number: &[u8]| {
        let sign = &[0][..usize::from(number[0] >> 7)];
        let length = u8::try_from(sign.len() + number.len()).unwrap();
        [&[2, length], sign, number].concat()
    };
    let numbers = [integer(&signature[..32]), integer(&signature[32..])].concat();
    let der = [&[0x30, u8::try_from(numbers.len()).unwrap()], &*numbers].concat();
    let unparsed = aws_lc_rs::signature::UnparsedPublicKey::new(
        &aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1,
        key(A3_KEY).subject_public_key_info().to_vec(),
    );
    assert!(unparsed.verify(input, &der).is_ok());
    assert!(!key(A3_KEY).verify(Algorithm::Es256, input, &der));
}

#[test]
fn rsa_signature_is_smaller_than_the_modulus() {
    let key = key(A2_KEY);
    let (input, signature) = halves(A2);
    let modulus = &key.subject_public_key_info()[MODULUS];
    let mut one = vec![0; 256];
    one[255] = 1;
    let beyond = minus(&vec![0; 256], &minus(modulus, &signature));
    let negative = minus(modulus, &signature);
    for other in [
        modulus.to_vec(),
        minus(modulus, &one),
        one,
        negative,
        beyond,
    ] {
        assert!(other.len() == 256 && other != signature);
        assert!(!key.verify(Algorithm::Rs256, input, &other));
    }
}

#[test]
fn public_key_is_not_accepted_as_hmac_secret() {
    let (input, _) = halves(A2);
    let set = KeySet::from_json(&format!(r#"{{"keys":[{A2_KEY}]}}"#)).unwrap();
    let spki = set.iter().next().unwrap().subject_public_key_info();
    let pkcs1 = &spki[PKCS1..];
    let pem = |label: &str, der: &[u8]| {
        let body = STANDARD.encode(der);
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    };
    for secret in [
        A2_KEY.as_bytes(),
        pem("PUBLIC KEY", spki).as_bytes(),
        pem("RSA PUBLIC KEY", pkcs1).as_bytes(),
        spki,
        pkcs1,
        &spki[MODULUS],
    ] {
        let forged = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), input);
        let forged = forged.as_ref();
        // The forgery is valid for a verifier that takes the public key for a secret.
        assert!(HmacKey::new(secret).verify(Algorithm::Hs256, input, forged));
        for key in &set {
            for &algorithm in Algorithm::ALL {
                assert!(!key.verify(algorithm, input, forged), "{algorithm}");
            }
        }
    }
}

#[test]
fn short_secrets_verify_nothing() {
    for (algorithm, function) in [
        (Algorithm::Hs256, hmac::HMAC_SHA256),
        (Algorithm::Hs384, hmac::HMAC_SHA384),
        (Algorithm::Hs512, hmac::HMAC_SHA512),
    ] {
        let shortest = algorithm.shortest_secret().unwrap();
        for length in [0, 8, shortest - 1, shortest, shortest + 1, 200] {
            let secret = vec![7; length];
            let tag = hmac::sign(&hmac::Key::new(function, &secret), b"input");
            let tag = tag.as_ref();
            let key = HmacKey::new(&secret);
            assert_eq!(key.admits(algorithm), length >= shortest);
            assert_eq!(key.verify(algorithm, b"input", tag), length >= shortest);
            assert!(!key.verify(algorithm, b"Input", tag));
            assert!(!key.verify(algorithm, b"input", &tag[..tag.len() - 1]));
            assert!(!key.verify(algorithm, b"input", &[]));
        }
    }
    assert_eq!(format!("{:?}", HmacKey::new(&bytes("AAAA"))), "HmacKey(..)");
}
