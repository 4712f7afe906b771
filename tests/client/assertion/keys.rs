//! Forged signatures, and keys that are not the client's.

use jsonwebtoken::Algorithm;
use serde_json::json;
use tower_revocation::client::{Refusal, assertion::Assertions, registry::ClientAuthenticator};

use crate::fixture::{
    ISSUER, Key, PK, PKR, authenticator, by, claims, header, pk, refused, registry, sign_hmac, with,
};

use super::accepted;

#[tokio::test]
async fn public_key_is_not_an_hmac_secret() {
    let pem = PKR.pair().public_key_pem();
    let jwk = PKR.jwk(&json!({})).to_string();
    let secrets: [&[u8]; 4] = [
        pem.as_bytes(),
        PKR.pair().public_key_raw(),
        jwk.as_bytes(),
        PKR.jwk(&json!({}))["n"].as_str().unwrap().as_bytes(),
    ]
    .map(|bytes: &[u8]| -> &[u8] { Box::leak(bytes.to_vec().into_boxed_slice()) });
    for secret in secrets {
        let header = json!({ "alg": "HS256", "kid": "r1" });
        let assertion = sign_hmac(Algorithm::HS256, secret, &header, &claims("rsa-client"));
        refused(&assertion, Refusal::MethodNotRegistered).await;
    }
}

#[tokio::test]
async fn client_secret_jwt_client_cannot_use_a_key() {
    let assertion = PKR.sign(
        Algorithm::RS256,
        &json!({ "alg": "RS256" }),
        &claims("sj-client"),
    );
    refused(&assertion, Refusal::MethodNotRegistered).await;
}

#[tokio::test]
async fn unsigned_assertion_is_refused() {
    let genuine = pk(&json!({}));
    let claims = genuine.split('.').nth(1).unwrap();
    for header in [
        "eyJhbGciOiJub25lIn0",                    // {"alg":"none"}
        "eyJhbGciOiJOT05FIn0",                    // {"alg":"NONE"}
        "eyJhbGciOiJIUzI1NiIsImFsZyI6Im5vbmUifQ", // twice
    ] {
        for signature in ["", "AA"] {
            let response = by(&authenticator(), &format!("{header}.{claims}.{signature}")).await;
            assert_eq!(response.status, 401);
        }
    }
}

#[tokio::test]
async fn algorithm_needs_a_key_of_its_type() {
    let p384 = Key::generate(&rcgen::PKCS_ECDSA_P384_SHA384);
    let clients = registry(&json!({
        "client_id": "pk-client",
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": { "keys": [PK.jwk(&json!({ "kid": "k1" })), p384.jwk(&json!({ "kid": "k2" }))] },
    }));
    let authenticator = ClientAuthenticator::new(clients).assertions(Assertions::new(ISSUER));
    for (alg, kid) in [
        ("ES256", "k2"),
        ("ES384", "k1"),
        ("EdDSA", "k1"),
        ("RS256", "k1"),
    ] {
        let header = json!({ "alg": alg, "kid": kid });
        let assertion = PK.sign(Algorithm::ES256, &header, &claims("pk-client"));
        let response = by(&authenticator, &assertion).await;
        assert_eq!(response.refusal(), Some(Refusal::NoSuchKey), "{alg} {kid}");
    }
}

#[tokio::test]
async fn keys_in_the_token_are_not_used() {
    let own = Key::ec();
    for member in [
        json!({ "jwk": own.jwk(&json!({})) }),
        json!({ "jku": "https://attacker.example/keys" }),
        json!({ "x5u": "https://attacker.example/cert" }),
        json!({ "x5c": ["MIIB"] }),
    ] {
        let header = with(header(), &member);
        let assertion = own.sign(Algorithm::ES256, &header, &claims("pk-client"));
        refused(&assertion, Refusal::BadSignature).await;
        accepted(&PK.sign(Algorithm::ES256, &header, &claims("pk-client"))).await;
    }
}

#[tokio::test]
async fn hostile_kid_selects_no_key() {
    for kid in [
        json!("../../etc/passwd"),
        json!("' OR 1=1--"),
        json!("\u{0}"),
        json!("k".repeat(10 * 1024)),
        json!(1),
        json!(["k1"]),
    ] {
        let header = with(header(), &json!({ "kid": kid }));
        let assertion = PK.sign(Algorithm::ES256, &header, &claims("pk-client"));
        assert_eq!(by(&authenticator(), &assertion).await.status, 401, "{kid}");
    }
}

#[tokio::test]
async fn critical_extensions_are_refused() {
    let header = with(header(), &json!({ "crit": ["exp"], "exp": 1 }));
    let assertion = PK.sign(Algorithm::ES256, &header, &claims("pk-client"));
    refused(&assertion, Refusal::MalformedAssertion).await;
}

#[tokio::test]
async fn every_changed_bit_is_noticed() {
    let genuine = pk(&json!({}));
    for place in (0..genuine.len()).step_by(7) {
        let mut bytes = genuine.clone().into_bytes();
        if bytes[place] == b'.' {
            continue;
        }
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert_eq!(by(&authenticator(), &changed).await.status, 401, "{place}");
    }
}
