//! `private_key_jwt` and `client_secret_jwt`: what is accepted, and why an assertion is refused.

mod algorithms;
mod audience;
mod form;
mod keys;
mod single_use;
mod time;

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use tower_revocation::client::{
    AuthMethod, Refusal, assertion::Assertions, registry::ClientAuthenticator,
};

use crate::fixture::{
    ISSUER, PK, PKR, SHARED_SECRET, ask, authenticator, basic, by, claims, form, header, layer, pk,
    post, refused, registry, sign_hmac, with,
};

async fn accepted(assertion: &str) {
    let response = by(&authenticator(), assertion).await;
    assert_eq!(response.status, 200, "{response:?}");
}

#[tokio::test]
async fn valid_signature_authenticates_its_client() {
    accepted(&pk(&json!({}))).await;
    let r1 = json!({ "alg": "RS256", "kid": "r1" });
    accepted(&PKR.sign(Algorithm::RS256, &r1, &claims("rsa-client"))).await;
    let hs = json!({ "alg": "HS256" });
    let secret = SHARED_SECRET.as_bytes();
    accepted(&sign_hmac(
        Algorithm::HS256,
        secret,
        &hs,
        &claims("sj-client"),
    ))
    .await;
}

#[tokio::test]
async fn client_id_is_optional_and_must_match() {
    let authenticator = authenticator();
    for (client_id, status) in [("pk-client", 200), ("c1", 401), ("nobody", 401)] {
        let body = format!("{}&client_id={client_id}", form(&pk(&json!({}))));
        let response = ask(layer(authenticator.clone()), post(body)).await;
        assert_eq!(response.status, status, "{client_id}");
    }
}

#[tokio::test]
async fn unknown_assertion_type_is_refused() {
    let body = form(&pk(&json!({}))).replace("jwt-bearer", "saml2-bearer");
    let response = ask(layer(authenticator()), post(body)).await;
    assert_eq!(response.refusal(), Some(Refusal::MalformedAssertion));
}

#[tokio::test]
async fn token_for_another_purpose_is_refused() {
    let typed = |typ: Value| {
        PK.sign(
            Algorithm::ES256,
            &with(header(), &json!({ "typ": typ })),
            &claims("pk-client"),
        )
    };
    for typ in ["JWT", "jwt", "application/client-authentication+jwt"] {
        accepted(&typed(json!(typ))).await;
    }
    accepted(&typed(Value::Null)).await;
    for typ in [
        "at+jwt",
        "dpop+jwt",
        "secevent+jwt",
        "logout+jwt",
        "oauth-client-attestation-pop+jwt",
        "",
    ] {
        refused(&typed(json!(typ)), Refusal::MalformedAssertion).await;
    }
}

#[tokio::test]
async fn issuer_and_subject_must_be_the_same_client() {
    for changes in [
        json!({ "sub": "c1" }),
        json!({ "iss": "c1" }),
        json!({ "iss": null }),
        json!({ "sub": null }),
        json!({ "iss": 1, "sub": 1 }),
        json!({ "iss": "", "sub": "" }),
    ] {
        refused(&pk(&changes), Refusal::WrongSubject).await;
    }
}

#[tokio::test]
async fn client_cannot_sign_for_another_client() {
    let for_other = PK.sign(Algorithm::ES256, &header(), &claims("rsa-client"));
    refused(&for_other, Refusal::NoSuchKey).await;
    let for_secret = PK.sign(Algorithm::ES256, &header(), &claims("c1"));
    refused(&for_secret, Refusal::MethodNotRegistered).await;
    let for_public = PK.sign(Algorithm::ES256, &header(), &claims("spa-1"));
    refused(&for_public, Refusal::MethodNotRegistered).await;
}

#[tokio::test]
async fn method_that_the_endpoint_does_not_accept_is_refused() {
    // Both methods use assertions. The endpoint accepts one of them.
    let only_keys = || layer(authenticator()).auth_methods([AuthMethod::PrivateKeyJwt]);
    let secret = SHARED_SECRET.as_bytes();
    let by_secret = sign_hmac(
        Algorithm::HS256,
        secret,
        &json!({ "alg": "HS256" }),
        &claims("sj-client"),
    );
    assert_eq!(ask(only_keys(), post(form(&by_secret))).await.status, 400);
    assert_eq!(
        ask(only_keys(), post(form(&pk(&json!({}))))).await.status,
        200
    );
}

#[tokio::test]
async fn registered_methods_are_binding() {
    let registered = |methods: &[&str]| {
        ClientAuthenticator::new(registry(&json!({
            "client_id": "both",
            "client_secret": SHARED_SECRET,
            "token_endpoint_auth_methods": methods,
            "jwks": PK.jwks(&json!({})),
        })))
        .assertions(Assertions::new(ISSUER))
    };
    let by_secret = |authenticator| async move {
        let mut request = post("token=rt1");
        let field = basic("both", SHARED_SECRET).parse().unwrap();
        request.headers_mut().insert("authorization", field);
        ask(layer(authenticator), request).await.status.as_u16()
    };
    let by_key = |authenticator: ClientAuthenticator<_>| async move {
        let assertion = PK.sign(
            Algorithm::ES256,
            &json!({ "alg": "ES256" }),
            &claims("both"),
        );
        by(&authenticator, &assertion).await.status.as_u16()
    };
    let keys_alone = registered(&["private_key_jwt"]);
    assert_eq!(
        (
            by_secret(keys_alone.clone()).await,
            by_key(keys_alone).await
        ),
        (401, 200)
    );
    let secret_alone = registered(&["client_secret_basic"]);
    assert_eq!(
        (
            by_secret(secret_alone.clone()).await,
            by_key(secret_alone).await
        ),
        (200, 401)
    );
    let both = registered(&["client_secret_basic", "private_key_jwt"]);
    assert_eq!(
        (by_secret(both.clone()).await, by_key(both).await),
        (200, 200)
    );
}
