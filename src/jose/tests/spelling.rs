//! Different spellings of the same key, and what certificates contain of it.

use serde_json::{Value, json};

use super::{
    keys::{encoded, refusal, with},
    vectors::{A2_KEY, A3_KEY, A4_KEY, ED_KEY, bytes},
};
use crate::jose::Jwk;

/// As certificates write them: RFC 3279 §2.3.1 and §2.3.5, RFC 8410 §4.
#[cfg(feature = "mtls")]
#[test]
fn subject_public_key_info_is_that_of_certificates() {
    let member = |jwk: &str, name: &str| {
        let jwk: Value = serde_json::from_str(jwk).unwrap();
        bytes(jwk[name].as_str().unwrap())
    };
    let point = |jwk| [member(jwk, "x"), member(jwk, "y")].concat();
    for (jwk, header, key) in [
        (
            A2_KEY,
            "30820122300d06092a864886f70d01010105000382010f003082010a0282010100",
            [member(A2_KEY, "n"), vec![2, 3, 1, 0, 1]].concat(),
        ),
        (
            A3_KEY,
            "3059301306072a8648ce3d020106082a8648ce3d03010703420004",
            point(A3_KEY),
        ),
        (
            A4_KEY,
            "30819b301006072a8648ce3d020106052b810400230381860004",
            point(A4_KEY),
        ),
        (ED_KEY, "302a300506032b6570032100", member(ED_KEY, "x")),
    ] {
        let key_info = Jwk::from_json(jwk).unwrap();
        let key_info = key_info.subject_public_key_info();
        let header: Vec<u8> = (0..header.len())
            .step_by(2)
            .map(|place| u8::from_str_radix(&header[place..place + 2], 16).unwrap())
            .collect();
        assert_eq!(key_info, [header, key].concat());
    }
}

/// One coordinate in 256 begins with a zero.
#[test]
fn coordinate_may_lack_its_leading_zeros() {
    let x = bytes("AAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAMDk");
    let y = "b3RbJfp-p2lRP4BeiCEXjb8I7BiHYzm-oJ99MB2PzYw";
    let point = |x: &[u8]| json!({ "kty": "EC", "crv": "P-256", "x": encoded(x), "y": y });
    assert_eq!(x[0], 0);
    let thumbprint = |x| Jwk::from_json(&point(x).to_string()).unwrap().thumbprint();
    assert_eq!(thumbprint(&x), thumbprint(&x[1..]));
}

#[test]
fn other_spellings_of_a_number_are_the_same_key() {
    let jwk: Value = serde_json::from_str(ED_KEY).unwrap();
    let x = jwk["x"].as_str().unwrap();
    let thumbprint = Jwk::from_json(ED_KEY).unwrap().thumbprint();
    for other in [
        format!("{x}="),
        format!("{x}\n"),
        x.replace('_', "/"),
        x.replace("URo", "URp"),
        format!(" {}\r\n{}", &x[..20], &x[20..]),
    ] {
        assert_ne!(other, x);
        let read = Jwk::from_json(&with(ED_KEY, "x", other.clone())).unwrap();
        assert_eq!(read.thumbprint(), thumbprint, "{other}");
    }
    let rsa: Value = serde_json::from_str(A2_KEY).unwrap();
    let n = bytes(rsa["n"].as_str().unwrap());
    let padded = with(A2_KEY, "n", encoded(&[&[0], n.as_slice()].concat()));
    let padded = Jwk::from_json(&with(&padded, "e", "AAEAAQ==")).unwrap();
    let thumbprint = Jwk::from_json(A2_KEY).unwrap().thumbprint();
    assert_eq!(padded.thumbprint(), thumbprint);
    for other in ["", "=", "A", &format!("{x}A"), &x[1..], "%"] {
        assert!(refusal(&with(ED_KEY, "x", other)).is_some(), "{other}");
    }
}

#[cfg(feature = "mtls")]
#[test]
fn readable_certificates_are_kept() {
    let read = |name: &str, value: Value| Jwk::from_json(&with(ED_KEY, name, value)).unwrap();
    for chain in [
        json!(["MAEB", "MAA="]),
        json!(["MAEB", 7]),
        json!(["MA\nEB\n"]),
        json!("MAEB"),
        json!(vec!["MAEB"; 5]),
    ] {
        let key = read("x5c", chain);
        assert_eq!(key.certificate(), Some(&[0x30, 1, 1][..]));
    }
    for chain in [
        json!([]),
        json!([""]),
        json!([7]),
        json!(["!"]),
        json!(null),
    ] {
        assert_eq!(read("x5c", chain).certificate(), None);
    }
    let digits = "07".repeat(32);
    for digest in [encoded(&[7; 32]), encoded(digits.as_bytes())] {
        let key = read("x5t#S256", json!(digest));
        assert_eq!(key.x5t_s256(), Some(&[7; 32]));
    }
    for odd in [encoded(&[7; 31]), encoded("0x".repeat(32).as_bytes())] {
        assert_eq!(read("x5t#S256", json!(odd)).x5t_s256(), None);
    }
}
