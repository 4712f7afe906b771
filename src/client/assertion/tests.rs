//! Every refusal of a signature costs the same work.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::executor::block_on;
use hyper::Request;

use super::*;
use crate::{
    client::{
        Credentials,
        registry::{Client, ClientAuthenticator, Registry},
    },
    error::ErrorKind,
    jose::tests::effort,
    token::Secret,
};

const ISSUER: &str = "https://as.example.com";

/// A client for each reason to refuse its assertion.
const CLIENTS: &str = r#"[
    { "client_id": "signs", "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [
        { "kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
          "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM" },
        { "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" },
        { "kty": "RSA", "e": "AQAB", "n": "v1TZfIIY5GZvXehDflw3p5BUcJcT2YTNfYK3_zuQ934YbeSSeSPVGnIikBg54FaJgLju9hn6-rc3i-zpZwtNXUlnxIrTmkxPOTOFnriXq3O3GsLIJXNHGbDHvXRleu089tGzBHwYARy5LlngVvCMPBLYnVtgIjhw2ZY_RleTAg9t8t3dF99vrKppEt0y6tnLUGxLG7pIO26vsomPx0cCyzvLUSDD763wQnpGijzzlEztpxkzOGKAnD6MecO73i6V8VNGtdy34--MhbXutjbZdKLL6Hn8nfjBzKU412FTcGkLy4XDI17ltRp6x__SFtByligb6xJFL3IB78Jinjmhgw" }
    ] } },
    { "client_id": "other-key", "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [
        { "kty": "EC", "crv": "P-384", "x": "WHVTVtHUC-ua5MLlmN8_jOp8QawXhAcC_B2KHx-CtZ1jm3n89RaovIldKkGrW7wo",
          "y": "o5eNGpsjqhtFKklogAYcQjaeNjFBm8YXs23XYvM2oxwliZWc1GyAHxrsBdXtaUxL" }
    ] } },
    { "client_id": "other-alg", "token_endpoint_auth_method": "private_key_jwt",
      "token_endpoint_auth_signing_alg": "ES384", "jwks": { "keys": [
        { "kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
          "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM" }
    ] } },
    { "client_id": "disabled", "token_endpoint_auth_method": "none", "disabled": true },
    { "client_id": "hmac", "token_endpoint_auth_method": "client_secret_jwt",
      "client_secret": "a-secret-of-at-least-thirty-two-bytes" },
    { "client_id": "other-hash", "token_endpoint_auth_method": "client_secret_jwt",
      "token_endpoint_auth_signing_alg": "HS384",
      "client_secret": "a-secret-of-at-least-forty-eight-bytes-for-this-hash" },
    { "client_id": "expired", "token_endpoint_auth_method": "client_secret_jwt",
      "client_secret": "a-secret-of-at-least-thirty-two-bytes", "client_secret_expires_at": 1 },
    { "client_id": "basic", "client_secret": "gX1fBat3bV" },
    { "client_id": "public", "token_endpoint_auth_method": "none" }
]"#;

fn authenticator() -> ClientAuthenticator<Registry> {
    let mut clients = Registry::from_json(CLIENTS).unwrap();
    // Only a registration in code can have a secret that is too short.
    clients.insert(
        Client::builder("short")
            .auth_methods([AuthMethod::ClientSecretJwt])
            .shared_secret(&Secret::new("short"))
            .build(),
    );
    ClientAuthenticator::new(clients).assertions(Assertions::new(ISSUER))
}

/// An assertion that is valid except for its signature.
fn forged(client_id: &str, algorithm: &str, signature: usize) -> Request<Credentials> {
    let encode = |part: &str| URL_SAFE_NO_PAD.encode(part);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let exp = now.as_secs() + 60;
    let header = format!(r#"{{"alg":"{algorithm}"}}"#);
    let claims = format!(
        r#"{{"iss":"{client_id}","sub":"{client_id}","aud":"{ISSUER}","exp":{exp},"jti":"1"}}"#
    );
    let signature = URL_SAFE_NO_PAD.encode(vec![1; signature]);
    let assertion = format!("{}.{}.{signature}", encode(&header), encode(&claims));
    Request::new(Credentials::Assertion {
        client_id: None,
        client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".into(),
        client_assertion: Secret::from(assertion),
    })
}

#[test]
fn every_refusal_has_verified_one_signature() {
    let authenticator = authenticator();
    let clients = [
        "signs",
        "other-key",
        "other-alg",
        "disabled",
        "hmac",
        "other-hash",
        "expired",
        "short",
        "basic",
        "public",
        "nobody",
    ];
    for (algorithm, signature) in [("ES256", 64), ("EdDSA", 64), ("PS256", 256), ("HS256", 32)] {
        for client_id in clients {
            effort::verified();
            let request = forged(client_id, algorithm, signature);
            let error = block_on(authenticator.authenticate(&request)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidClient, "{client_id}");
            assert_eq!(effort::verified(), 1, "{client_id} {algorithm}: {error:?}");
        }
    }
}
