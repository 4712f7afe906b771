//! Which keys are refused, and how lenient the form is.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::vectors::{A2_KEY, A3_KEY, A4_KEY, ED_KEY};
use crate::jose::{Algorithm, Jwk, KeyErrorKind, public_key::KeyType};

const KEYS: [&str; 4] = [A2_KEY, A3_KEY, A4_KEY, ED_KEY];

pub(super) fn with(jwk: &str, name: &str, value: impl Into<Value>) -> String {
    let mut jwk: Value = serde_json::from_str(jwk).unwrap();
    jwk[name] = value.into();
    jwk.to_string()
}

pub(super) fn refusal(jwk: &str) -> Option<KeyErrorKind> {
    Jwk::from_json(jwk).err().map(|error| error.kind())
}

pub(super) fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[test]
fn private_members_are_refused_in_every_key() {
    let unknown = r#"{"kty":"AKP","alg":"ML-DSA-44","pub":"AA"}"#;
    for jwk in KEYS.into_iter().chain([unknown]) {
        for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"] {
            for value in [json!("AA"), json!(7), json!([])] {
                let refused = refusal(&with(jwk, name, value));
                assert_eq!(refused, Some(KeyErrorKind::Private), "{name}");
            }
            // Some serializers write absent members like this.
            for value in [json!(null), json!("")] {
                let plain = refusal(jwk);
                assert_eq!(refusal(&with(jwk, name, value)), plain, "{name}");
            }
        }
    }
    assert_eq!(refusal(r#"{"kty":"oct"}"#), Some(KeyErrorKind::Private));
}

#[test]
fn keys_for_other_uses_are_unsupported() {
    for jwk in KEYS {
        for (name, value) in [
            ("use", json!("enc")),
            ("use", json!("SIG")),
            ("use", json!(1)),
            ("use", json!(["sig"])),
            ("key_ops", json!([])),
            ("key_ops", json!(["sign"])),
            ("key_ops", json!(["wrapKey", "encrypt"])),
            ("key_ops", json!("encrypt")),
            ("key_ops", json!({})),
            ("key_ops", json!(1)),
            ("alg", json!("RSA-OAEP")),
            ("alg", json!("ECDH-ES")),
            ("alg", json!("ES256K")),
            ("alg", json!("none")),
            ("alg", json!("es256")),
            ("alg", json!("HS256")),
            ("alg", json!(1)),
            ("kty", json!("AKP")),
            ("kty", json!("ec")),
        ] {
            let refused = refusal(&with(jwk, name, value));
            assert_eq!(refused, Some(KeyErrorKind::Unsupported), "{name}");
        }
    }
    for (jwk, crv) in [
        (A3_KEY, "secp256k1"),
        (A3_KEY, "p-256"),
        (ED_KEY, "Ed448"),
        (ED_KEY, "X25519"),
    ] {
        let refused = refusal(&with(jwk, "crv", crv));
        assert_eq!(refused, Some(KeyErrorKind::Unsupported), "{crv}");
    }
}

#[test]
fn members_of_wrong_types_are_refused() {
    for jwk in KEYS {
        assert_eq!(refusal(jwk), None);
        for value in [json!(1), json!(null), json!({}), json!([1])] {
            let refused = refusal(&with(jwk, "kty", value));
            assert_eq!(refused, Some(KeyErrorKind::Malformed));
        }
    }
    for (jwk, names) in [
        (A2_KEY, &["n", "e"][..]),
        (A3_KEY, &["crv", "x", "y"]),
        (ED_KEY, &["crv", "x"]),
    ] {
        for name in names {
            for value in [json!(1), json!(null), json!([])] {
                assert_eq!(
                    refusal(&with(jwk, name, value)),
                    Some(KeyErrorKind::Malformed)
                );
            }
            let without = jwk.replace(&format!("\"{name}\""), "\"other\"");
            assert_eq!(refusal(&without), Some(KeyErrorKind::Malformed), "{name}");
        }
    }
    for jwk in [
        "",
        "[]",
        "null",
        "{}",
        "{",
        &format!("{ED_KEY} x"),
        &format!("[{ED_KEY}]"),
    ] {
        assert_eq!(refusal(jwk), Some(KeyErrorKind::Malformed), "{jwk}");
    }
    let twice = ED_KEY.replace("\"kty\"", "\"kty\":\"OKP\",\"kty\"");
    assert_eq!(refusal(&twice), Some(KeyErrorKind::Malformed));
}

#[test]
fn members_without_effect_on_verification_are_ignored() {
    let odd = [
        json!(1),
        json!(null),
        json!({}),
        json!([]),
        json!([1]),
        json!(""),
        json!("no base64!"),
        json!("MAEB"),
        json!(vec!["MAEB"; 50]),
        json!(["M-A=", "\n"]),
        json!(true),
    ];
    let names = ["kid", "x5c", "x5t", "x5t#S256", "x5u", "exp", "ext", "iat"];
    for jwk in KEYS {
        let thumbprint = Jwk::from_json(jwk).unwrap().thumbprint();
        for name in names {
            for value in &odd {
                let read = Jwk::from_json(&with(jwk, name, value.clone()));
                let read = read.unwrap_or_else(|error| panic!("{name} {value}: {error}"));
                assert_eq!(read.thumbprint(), thumbprint);
            }
        }
        for name in ["use", "key_ops", "alg"] {
            for absent in [json!(null), json!("")] {
                assert_eq!(refusal(&with(jwk, name, absent)), None, "{name}");
            }
        }
    }
}

#[test]
fn key_operations_include_verify() {
    for operations in [
        json!(["verify"]),
        json!(["sign", "verify"]),
        json!(["verify", "verify"]),
        json!(["verify", 7]),
        json!("verify"),
    ] {
        assert_eq!(refusal(&with(ED_KEY, "key_ops", operations)), None);
    }
    assert_eq!(refusal(&with(ED_KEY, "use", "sig")), None);
}

/// Comparing each operation with all others would take minutes.
#[test]
fn many_key_operations_take_linear_time() {
    let names: Vec<_> = (0..100_000).map(|n| n.to_string()).collect();
    let key = with(ED_KEY, "key_ops", names);
    assert_eq!(refusal(&key), Some(KeyErrorKind::Unsupported));
}

#[test]
fn kid_of_another_length_or_type_counts_as_absent() {
    for (length, named) in [(0, false), (1, true), (256, true), (257, false)] {
        let kid = "k".repeat(length);
        let key = Jwk::from_json(&with(ED_KEY, "kid", kid.clone())).unwrap();
        assert_eq!(key.kid(), Some(&*kid).filter(|_| named), "{length}");
    }
    let key = Jwk::from_json(&with(ED_KEY, "kid", 7)).unwrap();
    assert_eq!(key.kid(), None);
}

#[test]
fn alg_must_fit_the_key_type() {
    let types = [KeyType::Rsa, KeyType::P256, KeyType::P521, KeyType::Ed25519];
    for (jwk, key_type) in KEYS.into_iter().zip(types) {
        for &alg in Algorithm::ALL {
            let key = Jwk::from_json(&with(jwk, "alg", alg.as_str()));
            assert_eq!(key.is_ok(), key_type.admits(alg), "{key_type:?} {alg}");
            let Ok(key) = key else { continue };
            let admitted: Vec<_> = Algorithm::ALL
                .iter()
                .copied()
                .filter(|it| key.admits(*it))
                .collect();
            match key_type {
                KeyType::Ed25519 => assert_eq!(admitted, [Algorithm::EdDsa, Algorithm::Ed25519]),
                _ => assert_eq!(admitted, [alg]),
            }
        }
        let all = Algorithm::ALL.iter();
        let admitted = all
            .filter(|it| Jwk::from_json(jwk).unwrap().admits(**it))
            .count();
        assert_eq!(
            admitted,
            match key_type {
                KeyType::Rsa => 6,
                KeyType::Ed25519 => 2,
                _ => 1,
            }
        );
    }
}

#[test]
fn errors_contain_nothing_of_the_key() {
    for jwk in [
        with(ED_KEY, "d", "c2VjcmV0"),
        with(ED_KEY, "x", "c2VjcmV0"),
        with(ED_KEY, "kty", json!(["c2VjcmV0"])),
        with(ED_KEY, "alg", "c2VjcmV0"),
    ] {
        let error = Jwk::from_json(&jwk).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("c2VjcmV0"));
        let error = serde_json::from_str::<Jwk>(&jwk).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("c2VjcmV0"));
    }
}
