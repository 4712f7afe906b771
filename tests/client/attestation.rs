//! Attestation-based client authentication: an attester signs for an instance, and the instance
//! proves that it has the attested key.

use std::sync::LazyLock;

use hyper::{Request, header::HeaderName};
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use tower_revocation::{
    client::{
        Credentials, Refusal,
        attestation::{Attestations, Challenges},
        registry::{ClientAuthenticator, Registry},
    },
    jose::{self, KeySet, Keys},
};

use crate::fixture::{ISSUER, Key, Reply, ask, fresh, layer, now, post, registry, sign_hmac, with};

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
async fn only_a_known_attester_is_trusted() {
    let genuine = proof(&json!({}), &json!({}));
    let typ = json!({ "alg": "ES256", "kid": "a1", "typ": "oauth-client-attestation+jwt" });
    let claims = json!({
        "iss": ATTESTER, "sub": "app", "exp": now() + 3600,
        "cnf": { "jwk": INSTANCE.jwk(&json!({})) },
    });
    let forged = INSTANCE.sign(Algorithm::ES256, &typ, &claims);
    refused(&forged, &genuine, Refusal::UntrustedAttestation).await;
    let stranger = attested(
        &json!({}),
        &json!({ "iss": "https://attester.example.org" }),
    );
    refused(&stranger, &genuine, Refusal::UntrustedAttestation).await;
    let other_key = attested(&json!({ "kid": "a2" }), &json!({}));
    refused(&other_key, &genuine, Refusal::UntrustedAttestation).await;
    // The issuer is optional. Without it, the key decides.
    let unnamed = attested(&json!({}), &json!({ "iss": null }));
    assert_eq!(
        by(&unnamed, &proof(&json!({}), &json!({}))).await.status,
        200
    );
}

#[tokio::test]
async fn only_the_attested_instance_can_sign_the_proof() {
    let attestation = attested(&json!({}), &json!({}));
    let by_other = proof_by(&Key::ec(), &json!({}), &json!({}));
    refused(&attestation, &by_other, Refusal::BadProof).await;
    // The attested instance of somebody else is another instance.
    let secret = INSTANCE.jwk(&json!({ "d": "AAAA" }));
    let leaked = attested(&json!({}), &json!({ "cnf": { "jwk": secret } }));
    refused(
        &leaked,
        &proof(&json!({}), &json!({})),
        Refusal::UntrustedAttestation,
    )
    .await;
    for cnf in [json!(null), json!({}), json!({ "jkt": "x" }), json!("key")] {
        let unbound = attested(&json!({}), &json!({ "cnf": cnf }));
        refused(
            &unbound,
            &proof(&json!({}), &json!({})),
            Refusal::UntrustedAttestation,
        )
        .await;
    }
}

#[tokio::test]
async fn attestation_and_proof_need_their_own_types() {
    for typ in [
        json!(null),
        json!("JWT"),
        json!("oauth-client-attestation-pop+jwt"),
    ] {
        let attestation = attested(&json!({ "typ": typ }), &json!({}));
        let proof = proof(&json!({}), &json!({}));
        refused(&attestation, &proof, Refusal::UntrustedAttestation).await;
    }
    for typ in [
        json!(null),
        json!("JWT"),
        json!("oauth-client-attestation+jwt"),
    ] {
        let proof = proof(&json!({ "typ": typ }), &json!({}));
        refused(&attested(&json!({}), &json!({})), &proof, Refusal::BadProof).await;
    }
}

#[tokio::test]
async fn shared_secret_algorithms_are_refused() {
    let header = json!({ "alg": "HS256", "typ": "oauth-client-attestation+jwt" });
    let claims = json!({
        "iss": ATTESTER, "sub": "app", "exp": now() + 3600,
        "cnf": { "jwk": INSTANCE.jwk(&json!({})) },
    });
    let pem = ATTESTER_KEY.pair().public_key_pem();
    let forged = sign_hmac(Algorithm::HS256, pem.as_bytes(), &header, &claims);
    refused(
        &forged,
        &proof(&json!({}), &json!({})),
        Refusal::UntrustedAttestation,
    )
    .await;
    let all = attestations().algorithms(jose::Algorithm::ALL.iter().copied());
    let authenticator = ClientAuthenticator::new(clients()).attestations(all);
    let response = ask(
        layer(authenticator),
        request(&forged, &proof(&json!({}), &json!({}))),
    )
    .await;
    assert_eq!(response.status, 401);
}

#[tokio::test]
async fn proof_must_be_fresh_and_for_this_server() {
    let attestation = attested(&json!({}), &json!({}));
    for claims in [
        json!({ "aud": "https://other.example.com" }),
        json!({ "aud": "https://as.example.com/" }),
        json!({ "aud": [ISSUER, "https://other.example.com"] }),
        json!({ "aud": null }),
        json!({ "iat": null }),
        json!({ "iat": now() - 600 }),
        json!({ "iat": now() + 120 }),
        json!({ "iat": "now" }),
        json!({ "exp": now() - 60 }),
        json!({ "exp": "soon" }),
        json!({ "nbf": now() + 120 }),
        json!({ "jti": null }),
        json!({ "jti": "" }),
        json!({ "jti": 1 }),
        json!({ "jti": "j".repeat(300) }),
        json!({ "iss": "spa-1" }),
        json!({ "sub": "spa-1" }),
    ] {
        let proof = proof(&json!({}), &claims);
        refused(&attestation, &proof, Refusal::BadProof).await;
    }
    for claims in [
        json!({ "aud": [ISSUER] }),
        json!({ "iss": "app", "exp": now() + 60 }),
        json!({ "iat": now() - 200 }),
    ] {
        let response = by(&attestation, &proof(&json!({}), &claims)).await;
        assert_eq!(response.status, 200, "{claims}");
    }
}

#[tokio::test]
async fn attestation_is_for_one_client_and_expires() {
    for claims in [
        json!({ "sub": null }),
        json!({ "sub": 1 }),
        json!({ "exp": null }),
        json!({ "exp": "later" }),
        json!({ "nbf": now() + 120 }),
        json!({ "iat": now() + 120 }),
        json!({ "iss": 7 }),
    ] {
        let attestation = attested(&json!({}), &claims);
        let response = by(&attestation, &proof(&json!({}), &json!({}))).await;
        assert_eq!(
            (response.status.as_u16(), code(&response)),
            (401, "invalid_client_attestation".to_owned()),
            "{claims}"
        );
    }
    let other = attested(&json!({}), &json!({ "sub": "spa-1" }));
    refused(
        &other,
        &proof(&json!({}), &json!({})),
        Refusal::WrongSubject,
    )
    .await;

    // The attestation was genuine, so the instance should get a new one.
    let expired = attested(&json!({}), &json!({ "exp": now() - 60 }));
    let response = by(&expired, &proof(&json!({}), &json!({}))).await;
    assert_eq!(
        (response.status.as_u16(), code(&response)),
        (400, "use_fresh_attestation".to_owned())
    );
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
async fn challenge_is_issued_and_accepted() {
    let challenges = Challenges::new();
    let demanding = attestations().challenges(challenges.clone());
    let authenticator = ClientAuthenticator::new(clients()).attestations(demanding);
    let attestation = attested(&json!({}), &json!({}));
    let try_with = |claims: Value| {
        let request = request(&attestation, &proof(&json!({}), &claims));
        ask(layer(authenticator.clone()), request)
    };
    for claims in [
        json!({}),
        json!({ "challenge": "made-up" }),
        json!({ "challenge": Challenges::new().issue() }),
        json!({ "challenge": 1 }),
    ] {
        let response = try_with(claims).await;
        assert_eq!(
            (response.status.as_u16(), code(&response)),
            (400, "use_attestation_challenge".to_owned())
        );
        let given = response.headers[CHALLENGE].to_str().unwrap();
        let response = try_with(json!({ "challenge": given })).await;
        assert_eq!(response.status, 200);
    }
    // A challenge of the challenge endpoint works too.
    assert_eq!(
        try_with(json!({ "challenge": challenges.issue() }))
            .await
            .status,
        200
    );
    // A forged proof gets no challenge.
    let forged = proof_by(&Key::ec(), &json!({}), &json!({}));
    let response = ask(layer(authenticator.clone()), request(&attestation, &forged)).await;
    assert!(response.status == 401 && !response.headers.contains_key(CHALLENGE));
}

#[tokio::test]
async fn attestation_beside_another_method_does_not_authenticate() {
    let mut request = request("no attestation", "no proof");
    *request.body_mut() = "token=rt1&client_id=app&client_secret=s".to_owned();
    let response = ask(layer(authenticator()), request).await;
    assert_eq!(response.refusal(), Some(Refusal::MethodNotRegistered));
}

#[tokio::test]
async fn malformed_jws_is_refused() {
    let (attestation, proof) = (
        attested(&json!({}), &json!({})),
        proof(&json!({}), &json!({})),
    );
    for garbage in [
        "abc",
        "a.b.c",
        "",
        "\u{e9}",
        &format!("{attestation}."),
        &"a".repeat(20_000),
    ] {
        let value = hyper::header::HeaderValue::from_bytes(garbage.as_bytes()).unwrap();
        let mut request = request(&attestation, &proof);
        request
            .headers_mut()
            .insert(Credentials::ATTESTATION, value.clone());
        let response = ask(layer(authenticator()), request).await;
        assert_eq!(
            response.refusal(),
            Some(Refusal::UntrustedAttestation),
            "{garbage}"
        );
    }
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

#[tokio::test]
async fn attester_with_unavailable_keys_does_not_block_others() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = format!(
        "https://127.0.0.1:{}/keys",
        listener.local_addr().unwrap().port()
    );
    drop(listener);
    let keys = ATTESTER_KEY.jwks(&json!({})).to_string();
    let both = || {
        Attestations::new(ISSUER)
            .attester("https://other.example.com", Keys::from_uri(&gone).unwrap())
            .attester(ATTESTER, KeySet::from_json(&keys).unwrap())
    };
    let by = |iss: Value| {
        let attestation = attested(&json!({}), &json!({ "iss": iss }));
        let authenticator = ClientAuthenticator::new(clients()).attestations(both());
        ask(
            layer(authenticator),
            request(&attestation, &proof(&json!({}), &json!({}))),
        )
    };
    assert_eq!(by(json!(null)).await.status, 200);
    assert_eq!(by(json!(ATTESTER)).await.status, 200);
    // The result is unknown.
    assert_eq!(by(json!("https://other.example.com")).await.status, 503);
}

#[tokio::test]
async fn browser_app_can_read_its_challenge() {
    let demanding = attestations().challenges(Challenges::new());
    let authenticator = ClientAuthenticator::new(clients()).attestations(demanding);
    let mut request = genuine();
    let origin = "https://spa.example".parse().unwrap();
    request.headers_mut().insert("origin", origin);
    let layer = layer(authenticator).cors(["https://spa.example".parse().unwrap()]);
    let response = ask(layer, request).await;
    assert_eq!(code(&response), "use_attestation_challenge");
    let exposed = response.headers.get_all("access-control-expose-headers");
    assert!(
        exposed.iter().any(|exposed| exposed == CHALLENGE),
        "{response:?}"
    );
}

#[tokio::test]
async fn missing_challenge_does_not_reveal_registrations() {
    let demanding = || attestations().challenges(Challenges::new());
    let ask_as = |sub: &str| {
        let attestation = attested(&json!({}), &json!({ "sub": sub }));
        let mut request = request(&attestation, &proof(&json!({}), &json!({})));
        *request.body_mut() = "token=rt1".to_owned();
        let authenticator = ClientAuthenticator::new(clients()).attestations(demanding());
        ask(layer(authenticator), request)
    };
    for sub in ["app", "nobody", "spa-1"] {
        assert_eq!(
            code(&ask_as(sub).await),
            "use_attestation_challenge",
            "{sub}"
        );
    }
}
