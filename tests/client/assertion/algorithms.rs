//! Algorithms of assertions, and the keys that they need (RFC 8725 §3.1).

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use tower_revocation::client::{Refusal, assertion::Assertions, registry::ClientAuthenticator};

use crate::fixture::{
    ISSUER, Key, PKR, SHARED_SECRET, by, claims, clients, pk, refused, registry, sign_hmac,
};

#[tokio::test]
async fn registered_algorithm_is_binding() {
    // The key of the client, with another algorithm that the key admits.
    let pinned = ClientAuthenticator::new(registry(&json!({
        "client_id": "rsa-client",
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "PS256",
        "jwks": PKR.jwks(&json!({})),
    })))
    .assertions(Assertions::new(ISSUER));
    for (algorithm, name, status) in [
        (Algorithm::PS256, "PS256", 200),
        (Algorithm::RS256, "RS256", 401),
        (Algorithm::RS512, "RS512", 401),
    ] {
        let assertion = PKR.sign(algorithm, &json!({ "alg": name }), &claims("rsa-client"));
        assert_eq!(by(&pinned, &assertion).await.status, status, "{name}");
    }
}

#[tokio::test]
async fn rsa_key_without_a_registered_algorithm_verifies_all_rsa_algorithms() {
    // OpenID Connect Registration §2: without an algorithm, every supported one is accepted.
    let client = |more: &Value| {
        ClientAuthenticator::new(registry(&json!({
            "client_id": "rsa-client",
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": PKR.jwks(more),
        })))
        .assertions(Assertions::new(ISSUER))
    };
    let (plain, ps384) = (client(&json!({})), client(&json!({ "alg": "PS384" })));
    for (algorithm, name) in [
        (Algorithm::RS256, "RS256"),
        (Algorithm::RS384, "RS384"),
        (Algorithm::RS512, "RS512"),
        (Algorithm::PS256, "PS256"),
        (Algorithm::PS384, "PS384"),
        (Algorithm::PS512, "PS512"),
    ] {
        let sign = || PKR.sign(algorithm, &json!({ "alg": name }), &claims("rsa-client"));
        assert_eq!(by(&plain, &sign()).await.status, 200, "{name}");
        // The algorithm of the key is binding.
        let of_ps384 = if name == "PS384" { 200 } else { 401 };
        assert_eq!(by(&ps384, &sign()).await.status, of_ps384, "{name}");
    }
}

#[tokio::test]
async fn missing_algorithm_registration_does_not_admit_forbidden_algorithms() {
    // An HMAC with the public key or an empty key, no signature, and a signature of another
    // algorithm than the header states.
    let n = PKR.jwk(&json!({}))["n"].as_str().unwrap().to_owned();
    for secret in [n.as_bytes(), b""] {
        for (algorithm, name) in [(Algorithm::HS256, "HS256"), (Algorithm::HS512, "HS512")] {
            let header = json!({ "alg": name, "kid": "r1" });
            let assertion = sign_hmac(algorithm, secret, &header, &claims("rsa-client"));
            refused(&assertion, Refusal::MethodNotRegistered).await;
        }
    }
    for name in ["none", "RSA-OAEP", "RS1", "rs256"] {
        let header = json!({ "alg": name, "kid": "r1" });
        let assertion = PKR.sign(Algorithm::RS256, &header, &claims("rsa-client"));
        refused(&assertion, Refusal::AlgorithmNotAllowed).await;
    }
    let header = json!({ "alg": "PS256", "kid": "r1" });
    let assertion = PKR.sign(Algorithm::RS256, &header, &claims("rsa-client"));
    refused(&assertion, Refusal::BadSignature).await;
}

#[tokio::test]
async fn algorithm_of_a_shared_secret_is_hs256_unless_another_is_registered() {
    // The secret is long enough for all three.
    let client = |algorithms: &Value| {
        ClientAuthenticator::new(registry(&json!({
            "client_id": "sj",
            "client_secret": SHARED_SECRET,
            "token_endpoint_auth_method": "client_secret_jwt",
            "token_endpoint_auth_signing_algs": algorithms,
        })))
        .assertions(Assertions::new(ISSUER))
    };
    for (algorithms, admitted) in [
        (json!(null), &["HS256"][..]),
        (json!(["HS384"]), &["HS384"]),
        (json!(["HS512"]), &["HS512"]),
        (json!(["HS256", "HS512"]), &["HS256", "HS512"]),
    ] {
        let authenticator = client(&algorithms);
        for (algorithm, name) in [
            (Algorithm::HS256, "HS256"),
            (Algorithm::HS384, "HS384"),
            (Algorithm::HS512, "HS512"),
        ] {
            let header = json!({ "alg": name });
            let secret = SHARED_SECRET.as_bytes();
            let assertion = sign_hmac(algorithm, secret, &header, &claims("sj"));
            let response = by(&authenticator, &assertion).await;
            let refusal = (!admitted.contains(&name)).then_some(Refusal::AlgorithmNotAllowed);
            assert_eq!(response.refusal(), refusal, "{name} of {algorithms}");
        }
    }
}

#[tokio::test]
async fn server_can_limit_the_algorithms() {
    use tower_revocation::jose::Algorithm as Accepted;
    let fapi = [Accepted::Ps256, Accepted::Es256, Accepted::Ed25519];
    let assertions = Assertions::new(ISSUER).algorithms(fapi);
    let authenticator = ClientAuthenticator::new(clients()).assertions(assertions);
    let rs256 = json!({ "alg": "RS256", "kid": "r1" });
    let rs256 = PKR.sign(Algorithm::RS256, &rs256, &claims("rsa-client"));
    let response = by(&authenticator, &rs256).await;
    assert_eq!(response.refusal(), Some(Refusal::AlgorithmNotAllowed));
    assert_eq!(by(&authenticator, &pk(&json!({}))).await.status, 200);
}

#[tokio::test]
async fn ed25519_needs_its_registered_name() {
    let key = Key::generate(&rcgen::PKCS_ED25519);
    let client = |alg: Option<&str>| {
        ClientAuthenticator::new(registry(&json!({
            "client_id": "ed",
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": alg,
            "jwks": key.jwks(&json!({})),
        })))
        .assertions(Assertions::new(ISSUER))
    };
    for (registered, named, status) in [
        (None, "EdDSA", 200),
        (None, "Ed25519", 200),
        (Some("EdDSA"), "EdDSA", 200),
        (Some("EdDSA"), "Ed25519", 401),
        (Some("Ed25519"), "Ed25519", 200),
        (Some("Ed25519"), "EdDSA", 401),
    ] {
        let assertion = key.sign(Algorithm::EdDSA, &json!({ "alg": named }), &claims("ed"));
        let response = by(&client(registered), &assertion).await;
        assert_eq!(response.status, status, "{registered:?} {named}");
    }
}
