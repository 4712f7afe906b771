//! Registrations of keys that are refused, and the reasons (RFC 7591 §2).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tower_revocation::client::registry::{Registry, RegistryError};

use crate::fixture::{Key, SHARED_SECRET, with};

/// The client is in the third line.
pub(crate) fn read(client: &Value) -> Result<Registry, RegistryError> {
    let first = r#"{ "client_id": "first", "token_endpoint_auth_method": "none" }"#;
    Registry::from_json(&format!("[\n{first},\n{client}\n]"))
}

/// The registration is refused with these changes, at this position and for this reason, and
/// accepted without them.
#[track_caller]
pub(crate) fn refused(client: &Value, changes: &Value, reason: &str) {
    read(client).unwrap();
    let other = with(client.clone(), changes);
    let error = read(&other).unwrap_err();
    assert_eq!(error.line(), 3, "{error}");
    let end = format!(": {reason}");
    assert!(error.to_string().ends_with(&end), "{error}");
}

pub(crate) fn by_key(key: &Key) -> Value {
    json!({
        "client_id": "ss",
        "token_endpoint_auth_method": "self_signed_tls_client_auth",
        "jwks": key.jwks(&json!({})),
    })
}

pub(crate) fn private_key_jwt() -> Value {
    json!({
        "client_id": "pk",
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": Key::ec().jwks(&json!({ "kid": "k1" })),
    })
}

fn client_secret_jwt() -> Value {
    json!({
        "client_id": "sj",
        "token_endpoint_auth_method": "client_secret_jwt",
        "client_secret": SHARED_SECRET,
    })
}

#[test]
fn key_methods_need_keys() {
    let none = json!({ "jwks": null });
    let reason = "the method needs jwks or jwks_uri";
    refused(
        &by_key(&Key::ec()),
        &none,
        &format!("client \"ss\": {reason}"),
    );
    refused(
        &private_key_jwt(),
        &none,
        &format!("client \"pk\": {reason}"),
    );
}

#[test]
fn keys_are_given_once_and_fetched_over_https() {
    // RFC 7591 §2.
    let uri = "https://client.example/keys";
    let moved = json!({ "jwks": null, "jwks_uri": uri });
    for (client, id) in [(by_key(&Key::ec()), "ss"), (private_key_jwt(), "pk")] {
        read(&with(client.clone(), &moved)).unwrap();
        refused(
            &client,
            &json!({ "jwks_uri": uri }),
            &format!("client {id:?}: there is a jwks and a jwks_uri"),
        );
        for (uri, reason) in [
            ("http://client.example/keys", "the URI is not https"),
            ("client.example/keys", "the URI is malformed"),
            ("ftp://client.example/keys", "the URI is not https"),
            ("file:///keys", "the URI is malformed"),
            ("", "the URI is malformed"),
            ("https://user@client.example/keys", "the URI has userinfo"),
            ("https://client.example/keys#1", "the URI has a fragment"),
            ("https://2130706433/keys", "the host is a number"),
        ] {
            refused(
                &client,
                &json!({ "jwks": null, "jwks_uri": uri }),
                &format!("client {id:?}: invalid jwks_uri: {reason}"),
            );
        }
    }
}

#[test]
fn keys_that_cannot_sign_are_left_out() {
    let good = Key::ec().jwk(&json!({ "kid": "k1", "x5c": "of no use here" }));
    let encrypts = json!({ "kty": "RSA", "alg": "RSA-OAEP", "n": "AQAB", "e": "AQAB" });
    let unknown = json!({ "kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA" });
    let keys = |keys: &[&Value]| json!({ "jwks": { "keys": keys } });
    read(&with(
        private_key_jwt(),
        &keys(&[&encrypts, &good, &unknown]),
    ))
    .unwrap();
    refused(
        &private_key_jwt(),
        &keys(&[&encrypts, &unknown]),
        "the set has no usable key: key 1: alg is not a signature algorithm",
    );
    refused(
        &private_key_jwt(),
        &keys(&[]),
        "the set has no usable key: it is empty",
    );
}

#[test]
fn private_key_is_refused_and_not_repeated() {
    // RFC 7591 §2: `jwks` contains public keys.
    let private = URL_SAFE_NO_PAD.encode([0xa7; 32]);
    let key = Key::ec();
    for (jwks, reason) in [
        (
            key.jwks(&json!({ "d": private })),
            "key 1: the key is not public",
        ),
        (
            key.jwks(&json!({ "d": private, "use": "enc" })),
            "key 1: the key is not public",
        ),
        (
            json!({ "keys": [key.jwk(&json!({})), { "kty": "oct", "k": private }] }),
            "key 2: the key is not public",
        ),
    ] {
        refused(&private_key_jwt(), &json!({ "jwks": jwks }), reason);
        refused(&by_key(&key), &json!({ "jwks": jwks }), reason);
    }

    // Also if it is misplaced, or has the wrong type.
    let pair = key.pair().serialize_pem();
    for changes in [
        json!({ "jwks": key.jwks(&json!({ "d": private })) }),
        json!({ "jwks": private }),
        json!({ "jwks": pair }),
        json!({ "jwks": [private] }),
        json!({ "jwks": { "keys": private } }),
        json!({ "jwks": { "keys": [private] } }),
        json!({ "jwks": { "keys": [{ "kty": private }] } }),
        json!({ "jwks": { "keys": [{ "kty": "EC", "crv": private, "x": private }] } }),
        json!({ "jwks": null, "jwks_uri": pair }),
    ] {
        let error = read(&with(private_key_jwt(), &changes)).unwrap_err();
        let pem = pair.lines().nth(1).unwrap();
        for said in [error.to_string(), format!("{error:?}")] {
            assert!(!said.contains(&private) && !said.contains(pem), "{said}");
        }
        assert_eq!(error.line(), 3);
    }
}

#[test]
fn client_secret_jwt_needs_the_secret_in_plain_text() {
    let digest = json!({
        "client_secret": null,
        "client_secret_sha256": "2CF24DBA5FB0A30E26E83B2AC5B9E29E1B161E5C1FA7425E73043362938B9824",
    });
    let basic = json!({ "token_endpoint_auth_method": "client_secret_basic" });
    read(&with(with(client_secret_jwt(), &digest), &basic)).unwrap();
    refused(
        &client_secret_jwt(),
        &digest,
        "client \"sj\": client_secret_jwt needs the secret, not a digest of it",
    );
    refused(
        &client_secret_jwt(),
        &json!({ "client_secret": null }),
        "client \"sj\": a confidential client needs a secret",
    );
}

#[test]
fn secret_must_be_as_long_as_the_hash() {
    // RFC 7518 §3.2.
    for (algorithm, shortest) in [
        (None, 32),
        (Some("HS256"), 32),
        (Some("HS384"), 48),
        (Some("HS512"), 64),
    ] {
        let secret = |length| {
            json!({
                "client_secret": SHARED_SECRET[..length],
                "token_endpoint_auth_signing_alg": algorithm,
            })
        };
        read(&with(client_secret_jwt(), &secret(shortest))).unwrap();
        let reason = "client \"sj\": the secret is too short for its algorithm";
        refused(&client_secret_jwt(), &secret(shortest - 1), reason);
        let error = read(&with(client_secret_jwt(), &secret(shortest - 1))).unwrap_err();
        assert!(!error.to_string().contains(&SHARED_SECRET[..shortest - 1]));
    }
}

#[test]
fn unsupported_algorithm_is_refused() {
    // RFC 7591 §2 and OpenID Connect Core §9: `none` is not an algorithm for assertions.
    for algorithm in ["none", "None", "", "ES256K", "es256", "RSA1_5", "HS256 "] {
        for (client, id) in [(private_key_jwt(), "pk"), (client_secret_jwt(), "sj")] {
            let reason = "the signing algorithm is not supported";
            let reason = format!("client {id:?}: {reason}");
            let one = json!({ "token_endpoint_auth_signing_alg": algorithm });
            refused(&client, &one, &reason);
            let beside = ["ES256", "HS256", algorithm];
            let list = json!({ "token_endpoint_auth_signing_algs": beside });
            refused(&client, &list, &reason);
        }
    }
    refused(
        &private_key_jwt(),
        &json!({ "token_endpoint_auth_signing_algs": [] }),
        "client \"pk\": token_endpoint_auth_signing_algs is empty",
    );
    refused(
        &private_key_jwt(),
        &json!({
            "token_endpoint_auth_signing_alg": "ES256",
            "token_endpoint_auth_signing_algs": ["PS256"],
        }),
        "client \"pk\": token_endpoint_auth_signing_alg is not among \
         token_endpoint_auth_signing_algs",
    );
}
