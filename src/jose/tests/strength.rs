//! Weak and malformed numbers in keys.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::{Value, json};

use super::{
    keys::{encoded, refusal, with},
    vectors::{A3_KEY, A4_KEY, ED_KEY, bytes},
};
use crate::jose::{Jwk, KeyErrorKind};

fn reason(jwk: &str) -> String {
    Jwk::from_json(jwk).unwrap_err().to_string()
}

fn rsa(modulus: &[u8], exponent: &[u8]) -> String {
    json!({ "kty": "RSA", "n": encoded(modulus), "e": encoded(exponent) }).to_string()
}

/// An odd number of this many bits.
fn odd(bits: usize) -> Vec<u8> {
    let mut number = vec![0x55; bits.div_ceil(8)];
    number[0] = 1 << ((bits - 1) % 8);
    *number.last_mut().unwrap() |= 1;
    number
}

#[test]
fn rsa_modulus_has_2048_to_8192_bits() {
    for (bits, refused) in [
        (512, true),
        (1024, true),
        (2047, true),
        (2048, false),
        (2049, false),
        (4096, false),
        (8192, false),
        (8193, true),
        (16_384, true),
    ] {
        assert_eq!(
            refusal(&rsa(&odd(bits), &[1, 0, 1])).is_some(),
            refused,
            "{bits}"
        );
    }
    let mut even = odd(2048);
    even[255] &= 0xfe;
    assert!(refusal(&rsa(&even, &[1, 0, 1])).is_some());
    // Leading zeros do not count.
    for zeros in [1, 2, 300] {
        let long = [vec![0; zeros], odd(2048)].concat();
        assert_eq!(refusal(&rsa(&long, &[1, 0, 1])), None);
        let short = [vec![0; zeros], odd(2047)].concat();
        assert!(refusal(&rsa(&short, &[1, 0, 1])).is_some());
    }
    assert!(refusal(&rsa(&[], &[1, 0, 1])).is_some());
    assert!(refusal(&rsa(&[0], &[1, 0, 1])).is_some());
}

#[test]
fn rsa_exponent_is_odd_and_not_1() {
    let modulus = odd(2048);
    for exponent in [
        &[3][..],
        &[17],
        &[1, 0, 1],
        &[0, 1, 0, 1],
        &[0, 3],
        &[1, 0, 0, 0, 1],
    ] {
        assert_eq!(refusal(&rsa(&modulus, exponent)), None);
    }
    let long = odd(2048);
    // More than 33 bits are refused by aws-lc-rs: they make verification slow.
    let bits34 = [2, 0, 0, 0, 1];
    for exponent in [
        &[][..],
        &[0],
        &[1],
        &[2],
        &[4],
        &[1, 0, 0],
        &[0, 1],
        &bits34,
        &long,
    ] {
        let refused = refusal(&rsa(&modulus, exponent));
        assert_eq!(refused, Some(KeyErrorKind::Malformed), "{exponent:?}");
    }
    let one = reason(&rsa(&modulus, &[1]));
    assert_eq!(one, "the modulus is even, or the exponent is even or 1");
}

/// Why the strength is checked here.
#[test]
fn aws_lc_rs_builds_weak_keys_from_their_components() {
    for (bits, e) in [(2048, 1), (1024, 3), (16_384, 3)] {
        let n = odd(bits);
        let components = RsaPublicKeyComponents {
            n: &*n,
            e: &[e][..],
        };
        let built = components.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256);
        assert!(built.is_ok(), "{bits} {e}");
        assert_eq!(refusal(&rsa(&n, &[e])), Some(KeyErrorKind::Malformed));
    }
}

#[test]
fn points_must_be_on_their_curve() {
    for jwk in [A3_KEY, A4_KEY] {
        let parsed: Value = serde_json::from_str(jwk).unwrap();
        let [x, y] = ["x", "y"].map(|name| bytes(parsed[name].as_str().unwrap()));
        let with_point =
            |x: &[u8], y: &[u8]| refusal(&with(&with(jwk, "x", encoded(x)), "y", encoded(y)));
        assert_eq!(with_point(&x, &y), None);

        let mut off = y.clone();
        *off.last_mut().unwrap() ^= 1;
        let zeros = vec![0; x.len()];
        let most = vec![0xff; x.len()];
        let longer = [&[0], x.as_slice()].concat();
        assert_eq!(with_point(&longer, &y), None);
        // The same bytes, split elsewhere.
        let [more, less] = [[x.as_slice(), &y[..1]].concat(), y[1..].to_vec()];
        let [x, y] = [x.as_slice(), y.as_slice()];
        assert_eq!(with_point(&more, &less), Some(KeyErrorKind::Malformed));
        for (x, y) in [
            (x, off.as_slice()),
            (y, x),
            (x, x),
            (&zeros, &zeros),
            (&zeros, y),
            (x, &zeros),
            (&most, y),
            (x, &most),
            (&x[..x.len() - 1], y),
            (x, &y[..y.len() - 1]),
            (x, &[]),
            (&[], &[]),
            (&[x, &[0]].concat(), y),
        ] {
            assert_eq!(with_point(x, y), Some(KeyErrorKind::Malformed));
        }
    }
    let p384 = with(A3_KEY, "crv", "P-384");
    assert_eq!(refusal(&p384), Some(KeyErrorKind::Malformed));
    let okp = with(ED_KEY, "x", encoded(&[0x55; 31]));
    assert_eq!(refusal(&okp), Some(KeyErrorKind::Malformed));
    assert!(refusal(&with(ED_KEY, "x", encoded(&[0; 32]))).is_some());
}
