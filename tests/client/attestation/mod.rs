//! Attestation-based client authentication: an attester signs for an instance, and the instance
//! proves that it has the attested key.

mod challenge;
mod claims;

use std::sync::LazyLock;

use hyper::{Request, header::HeaderName};
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use tower_revocation::{
    client::{
        Credentials, Refusal,
        attestation::Attestations,
        registry::{ClientAuthenticator, Registry},
    },
    jose::{self, KeySet},
};

use crate::fixture::{ISSUER, Key, Reply, ask, fresh, layer, now, post, registry, with};

const ATTESTER: &str = "https://attester.example.com";

const CHALLENGE: &str = "oauth-client-attestation-challenge";

static ATTESTER_KEY: LazyLock<Key> = LazyLock::new(Key::ec);

static INSTANCE: LazyLock<Key> = LazyLock::new(Key::ec);

fn clients() -> Registry {
    registry(&json!([
        { "client_id": "app", "token_endpoint_auth_method": "attest_jwt_client_auth" },
        { "client_id": "spa-1", "token_endpoint_auth_method": "none" },
    ]))
}

pub(crate) fn attestations() -> Attestations {
    let keys = ATTESTER_KEY.jwks(&json!({ "kid": "a1" })).to_string();
    Attestations::new(ISSUER).attester(ATTESTER, KeySet::from_json(&keys).unwrap())
}

fn authenticator() -> ClientAuthenticator<Registry> {
    ClientAuthenticator::new(clients()).attestations(attestations())
}

fn attested(header: &Value, claims: &Value) -> String {
    let typ = json!({ "alg": "ES256", "kid": "a1", "typ": "oauth-client-attestation+jwt" });
    let of_app = json!({
        "iss": ATTESTER, "sub": "app", "exp": now() + 3600,
        "cnf": { "jwk": INSTANCE.jwk(&json!({})) },
    });
    ATTESTER_KEY.sign(Algorithm::ES256, &with(typ, header), &with(of_app, claims))
}

fn proof(header: &Value, claims: &Value) -> String {
    proof_by(&INSTANCE, header, claims)
}

fn proof_by(key: &Key, header: &Value, claims: &Value) -> String {
    let typ = json!({ "alg": "ES256", "typ": "oauth-client-attestation-pop+jwt" });
    let fresh = json!({ "aud": ISSUER, "iat": now(), "jti": fresh() });
    key.sign(Algorithm::ES256, &with(typ, header), &with(fresh, claims))
}

/// A valid request of `app`.
pub(crate) fn genuine() -> Request<String> {
    request(
        &attested(&json!({}), &json!({})),
        &proof(&json!({}), &json!({})),
    )
}

fn request(attestation: &str, proof: &str) -> Request<String> {
    let mut request = post("token=rt1&client_id=app");
    let headers = request.headers_mut();
    headers.insert(Credentials::ATTESTATION, attestation.parse().unwrap());
    headers.insert(Credentials::ATTESTATION_POP, proof.parse().unwrap());
    request
}

async fn by(attestation: &str, proof: &str) -> Reply {
    ask(layer(authenticator()), request(attestation, proof)).await
}

async fn refused(attestation: &str, proof: &str, reason: Refusal) {
    let response = by(attestation, proof).await;
    assert_eq!(response.refusal(), Some(reason), "{response:?}");
    assert_eq!(response.status, 401);
}

fn code(response: &Reply) -> String {
    let object: Value = serde_json::from_slice(&response.body).unwrap();
    object["error"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn attested_instance_is_authenticated() {
    let response = by(
        &attested(&json!({}), &json!({})),
        &proof(&json!({}), &json!({})),
    )
    .await;
    assert_eq!(response.status, 200, "{response:?}");
    // The attestation names the client.
    let mut request = request(
        &attested(&json!({}), &json!({})),
        &proof(&json!({}), &json!({})),
    );
    *request.body_mut() = "token=rt1".to_owned();
    assert_eq!(ask(layer(authenticator()), request).await.status, 200);
}

#[tokio::test]
async fn attestation_works_often_and_a_proof_once() {
    let authenticator = authenticator();
    let attestation = attested(&json!({}), &json!({}));
    for _ in 0..3 {
        let proof = proof(&json!({}), &json!({}));
        let response = ask(layer(authenticator.clone()), request(&attestation, &proof)).await;
        assert_eq!(response.status, 200);
        let again = ask(layer(authenticator.clone()), request(&attestation, &proof)).await;
        assert_eq!(again.refusal(), Some(Refusal::Replayed));
    }
}

#[tokio::test]
async fn exactly_one_attestation_and_one_proof_are_required() {
    let attestation = attested(&json!({}), &json!({}));
    let proof = proof(&json!({}), &json!({}));
    let without = |name: HeaderName| {
        let mut request = request(&attestation, &proof);
        request.headers_mut().remove(name);
        request
    };
    let twice = |name: HeaderName, value: &str| {
        let mut request = request(&attestation, &proof);
        request.headers_mut().append(name, value.parse().unwrap());
        request
    };
    for request in [
        without(Credentials::ATTESTATION),
        without(Credentials::ATTESTATION_POP),
        twice(Credentials::ATTESTATION, &attestation),
        twice(Credentials::ATTESTATION_POP, &proof),
    ] {
        assert_eq!(ask(layer(authenticator()), request).await.status, 400);
    }
    let neither = ask(layer(authenticator()), post("token=rt1&client_id=app")).await;
    assert_eq!(neither.status, 401);
}

#[tokio::test]
async fn method_is_binding_and_the_response_does_not_reveal_registrations() {
    let vouched = |sub: &str| {
        let attestation = attested(&json!({}), &json!({ "sub": sub }));
        let mut request = request(&attestation, &proof(&json!({}), &json!({})));
        *request.body_mut() = "token=rt1".to_owned();
        ask(layer(authenticator()), request)
    };
    let (public, nobody) = (vouched("spa-1").await, vouched("nobody").await);
    assert_eq!(public.refusal(), Some(Refusal::MethodNotRegistered));
    assert_eq!(nobody.refusal(), Some(Refusal::UnknownClient));
    assert_eq!(public.visible(), nobody.visible());
    // A `client_id` without an attestation is not enough.
    let bare = ask(layer(authenticator()), post("token=rt1&client_id=app")).await;
    assert_eq!(bare.refusal(), Some(Refusal::MethodNotRegistered));
}

#[tokio::test]
async fn attestation_beside_another_method_does_not_authenticate() {
    let mut request = request("no attestation", "no proof");
    *request.body_mut() = "token=rt1&client_id=app&client_secret=s".to_owned();
    let response = ask(layer(authenticator()), request).await;
    assert_eq!(response.refusal(), Some(Refusal::MethodNotRegistered));
}

#[test]
fn metadata_list_the_algorithms() {
    let two = [jose::Algorithm::Es256, jose::Algorithm::Hs256];
    let authenticator =
        ClientAuthenticator::new(clients()).attestations(attestations().algorithms(two));
    let metadata = layer(authenticator).metadata("https://as.example.com/revoke");
    assert_eq!(
        metadata.client_attestation_signing_alg_values_supported,
        ["ES256"]
    );
    assert_eq!(
        metadata.client_attestation_pop_signing_alg_values_supported,
        ["ES256"]
    );
    assert!(
        metadata
            .revocation_endpoint_auth_methods_supported
            .contains(&"attest_jwt_client_auth")
    );
}

#[test]
fn attestation_is_not_printed() {
    let attestation = attested(&json!({}), &json!({}));
    let (head, body) = request(&attestation, &proof(&json!({}), &json!({}))).into_parts();
    let request = Credentials::from_request(head, body.as_bytes()).unwrap();
    assert!(matches!(request.body(), Credentials::Attestation { .. }));
    assert!(!format!("{request:?}").contains(&attestation[..20]));
}
