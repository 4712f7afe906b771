//! Challenges that a proof must contain.

use serde_json::{Value, json};
use tower_revocation::client::{attestation::Challenges, registry::ClientAuthenticator};

use crate::fixture::{Key, ask, layer};

use super::{CHALLENGE, attestations, attested, clients, code, genuine, proof, proof_by, request};

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
