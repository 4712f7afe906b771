//! Key sets as real issuers publish them.

use jsonwebtoken::{Algorithm as Signing, EncodingKey};
use rcgen::KeyPair;
use rcgen::PublicKeyData as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use tower_revocation::{
    Secret,
    introspect::jwt::{Audience, JwtError, JwtTokens},
    jose::KeySet,
};

use crate::jwt::{
    fixture::{
        AUDIENCE, ISSUER, KEY, Key, claims, encode, header, now, sign_by, token, with, without,
    },
    server::Server,
};

/// Whether the token is genuine if the issuer publishes this set.
async fn is_known(jwks: Value, token: &str) -> Result<bool, JwtError> {
    let server = Server::start().await;
    server.serves(Some(jwks));
    let tokens = JwtTokens::new(ISSUER, server.keys(), Audience::any_of([AUDIENCE]));
    let tokens = tokens.remote_keys(server.remote());
    let known = tokens.oneshot(Secret::new(token)).await?;
    Ok(known.token().is_some())
}

/// A token that was issued long before any set is fetched.
fn old(key: &Key, header: &Value) -> String {
    let claims = with(claims(), &json!({ "iat": now() - 600 }));
    key.sign(header, &claims)
}

#[tokio::test]
async fn certificate_members_of_a_key_are_ignored() {
    let hexadecimal = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    for more in [
        // WSO2
        json!({ "x5t#S256": encode(hexadecimal), "x5t": encode("0123456789abcdef01234567") }),
        json!({ "x5c": [] }),
        json!({ "x5c": "MIIB" }),
        json!({ "x5c": ["no certificate, nor base64"] }),
        json!({ "x5c": [null], "x5t": 7, "x5u": [] }),
        json!({ "x5c": vec!["MIIB"; 100] }),
        json!({ "x5c": null, "x5t": null, "use": null, "alg": null, "key_ops": null }),
        json!({ "use": "sig", "key_ops": "verify" }),
        json!({ "key_ops": ["verify", "verify"] }),
        json!({ "d": null, "p": null, "oth": null }),
        json!({ "kid": null }),
        json!({ "kid": 1 }),
    ] {
        let jwk = KEY.jwk(&with(json!({ "kid": "k1" }), &more));
        let known = is_known(json!({ "keys": [jwk] }), &token(&json!({}))).await;
        assert_eq!(known.ok(), Some(true), "{more}");
    }
}

#[tokio::test]
async fn modulus_may_start_with_zeros() {
    let pair = KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    // SEQUENCE { INTEGER n, INTEGER 65537 }. A leading zero byte makes n positive, with 257 bytes.
    let der = pair.der_bytes();
    let n = &der[8..8 + 257];
    assert_eq!(
        (der.len(), n[0], &der[265..]),
        (270, 0, &[2, 3, 1, 0, 1][..])
    );
    let signing = EncodingKey::from_rsa_pem(pair.serialize_pem().as_bytes()).unwrap();
    let header = with(header(), &json!({ "alg": "RS256" })).to_string();
    let input = format!("{}.{}", encode(header), encode(claims().to_string()));
    let token = sign_by(&signing, Signing::RS256, &input);
    for n in [encode(n), encode(&n[1..]), encode([&[0; 3], n].concat())] {
        let jwk = json!({ "kty": "RSA", "kid": "k1", "n": n, "e": "AQAB", "alg": "RS256" });
        let known = is_known(json!({ "keys": [jwk] }), &token).await;
        assert_eq!(known.ok(), Some(true), "{n}");
    }
}

#[tokio::test]
async fn unusable_keys_do_not_spoil_a_set() {
    let others = json!([
        { "kty": "RSA", "alg": "RSA-OAEP", "n": "AQAB", "e": "AQAB" },
        { "kty": "RSA", "use": "enc" },
        { "kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA", "alg": "ES256K" },
        { "kty": "OKP", "crv": "X25519", "x": "AA" },
        { "kty": "AKP", "alg": "ML-DSA-65", "pub": "AA" },
        { "kty": "EC", "crv": "P-256", "key_ops": ["deriveKey"], "x": "AA", "y": "AA" },
    ]);
    let mut keys = others.as_array().unwrap().clone();
    keys.push(KEY.jwk(&json!({ "kid": "k1" })));
    let jwks = json!({ "keys": keys });
    let known = is_known(jwks.clone(), &token(&json!({}))).await;
    assert_eq!(known.ok(), Some(true));
    // Certainly none of them signed the token.
    let forged = old(&Key::generate(), &without(header(), "kid"));
    assert_eq!(is_known(jwks.clone(), &forged).await.ok(), Some(false));

    let registered = KeySet::from_json(&jwks.to_string()).unwrap();
    assert_eq!((registered.len(), registered.left_out().count()), (1, 6));
}

#[tokio::test]
async fn token_of_an_unreadable_key_is_an_error() {
    let unread = KEY.jwk(&json!({ "kid": "k1", "y": "AA" }));
    let jwks = json!({ "keys": [unread, Key::generate().jwk(&json!({ "kid": "k2" }))] });
    let by = |kid| with(header(), &json!({ "kid": kid }));
    assert!(is_known(jwks.clone(), &old(&KEY, &by("k1"))).await.is_err());
    let unnamed = without(header(), "kid");
    assert!(is_known(jwks.clone(), &old(&KEY, &unnamed)).await.is_err());
    // The token names a key that is none of them.
    let other = is_known(jwks.clone(), &old(&KEY, &by("k3"))).await;
    assert_eq!(other.ok(), Some(false));
}

#[tokio::test]
async fn set_without_a_usable_key_settles_nothing() {
    let unread = KEY.jwk(&json!({ "kid": "k1", "y": "AA" }));
    let encrypts = KEY.jwk(&json!({ "kid": "k1", "use": "enc" }));
    for keys in [json!([]), json!([encrypts]), json!([unread]), json!([7])] {
        let jwks = json!({ "keys": keys });
        for kid in ["k1", "k2"] {
            let token = old(&KEY, &with(header(), &json!({ "kid": kid })));
            assert!(is_known(jwks.clone(), &token).await.is_err(), "{jwks}");
        }
    }
}

#[tokio::test]
async fn all_keys_of_a_set_without_kids_are_tried() {
    let unnamed = without(header(), "kid");
    let set = |before: usize| {
        let mut keys: Vec<_> = (0..before)
            .map(|_| Key::generate().jwk(&json!({})))
            .collect();
        keys.push(KEY.jwk(&json!({})));
        json!({ "keys": keys })
    };
    for before in [0, 4, 9, 15] {
        let known = is_known(set(before), &old(&KEY, &unnamed)).await;
        assert_eq!(known.ok(), Some(true), "{before}");
        let named = is_known(set(before), &old(&KEY, &header())).await;
        assert_eq!(named.ok(), Some(true), "{before}");
    }
    // One key more than are tried: the token is neither genuine nor refused.
    assert!(is_known(set(16), &old(&KEY, &unnamed)).await.is_err());
    let keys = KeySet::from_json(&set(16).to_string()).unwrap();
    for (keys, expected) in [(keys.clone(), None), (keys.max_candidates(17), Some(true))] {
        let tokens = JwtTokens::new(ISSUER, keys, Audience::any_of([AUDIENCE]));
        let known = tokens.oneshot(Secret::new(old(&KEY, &unnamed))).await;
        assert_eq!(known.ok().map(|known| known.token().is_some()), expected);
    }
}

#[tokio::test]
async fn limits_of_a_set_can_be_configured() {
    let server = Server::start().await;
    let keys: Vec<_> = (0..3).map(|_| KEY.jwk(&json!({}))).collect();
    server.serves(Some(json!({ "keys": keys })));
    let tokens = JwtTokens::new(ISSUER, server.keys(), Audience::any_of([AUDIENCE]));
    let forged = old(&Key::generate(), &header());
    for (remote, decided) in [
        (server.remote(), true),
        (server.remote_builder().max_keys(3).build(), true),
        (server.remote_builder().max_keys(2).build(), false),
        (server.remote_builder().max_candidates(3).build(), true),
        (server.remote_builder().max_candidates(2).build(), false),
        (server.remote_builder().max_size(100).build(), false),
    ] {
        let tokens = tokens.clone().remote_keys(remote);
        let known = tokens.oneshot(Secret::new(forged.clone())).await;
        assert_eq!(known.is_ok(), decided);
    }
}
