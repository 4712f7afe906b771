//! The claims, types and signatures of attestations and proofs.

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use tower_revocation::{
    client::{Credentials, Refusal, attestation::Attestations, registry::ClientAuthenticator},
    jose::{self, KeySet, Keys},
};

use crate::{
    fixture::{ISSUER, Key, ask, layer, now, sign_hmac},
    port::free_port,
};

use super::{
    ATTESTER, ATTESTER_KEY, INSTANCE, attestations, attested, authenticator, by, clients, code,
    proof, proof_by, refused, request,
};

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

#[tokio::test]
async fn attester_with_unavailable_keys_does_not_block_others() {
    let gone = format!("https://127.0.0.1:{}/keys", free_port());
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
