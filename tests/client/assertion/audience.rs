//! The audience of assertions (RFC 7523 §3).

use serde_json::{Value, json};
use tower_revocation::client::{
    Refusal,
    assertion::{Assertions, AudiencePolicy},
    registry::ClientAuthenticator,
};

use crate::fixture::{ISSUER, PK, authenticator, by, clients, pk, refused, registry};

use super::accepted;

#[tokio::test]
async fn audience_must_be_exactly_the_issuer() {
    accepted(&pk(&json!({ "aud": [ISSUER] }))).await;
    for aud in [
        json!("https://as.example.com/token"),
        json!("https://as.example.com/"),
        json!("HTTPS://AS.EXAMPLE.COM"),
        json!("https://as.example.com:443"),
        json!("https://other.example.com"),
        json!([ISSUER, "https://other.example.com"]),
        json!([]),
        json!({}),
        Value::Null,
    ] {
        refused(&pk(&json!({ "aud": aud })), Refusal::WrongAudience).await;
    }
}

#[tokio::test]
async fn legacy_audiences_are_accepted_if_configured() {
    let endpoints = [
        "https://as.example.com/token",
        "https://as.example.com/revoke",
    ];
    let assertions = Assertions::new(ISSUER).audience(AudiencePolicy::legacy(ISSUER, endpoints));
    let authenticator = ClientAuthenticator::new(clients()).assertions(assertions);
    for (aud, status) in [
        (json!("https://as.example.com/token"), 200),
        (json!("https://as.example.com/revoke"), 200),
        (json!(ISSUER), 200),
        (json!([ISSUER, "https://as.example.com/token"]), 200),
        (json!("https://as.example.com/other"), 401),
    ] {
        let response = by(&authenticator, &pk(&json!({ "aud": aud }))).await;
        assert_eq!(response.status, status, "{aud}");
    }
}

#[tokio::test]
async fn expected_audience_is_in_the_log_and_not_in_the_response() {
    let response = by(
        &authenticator(),
        &pk(&json!({ "aud": "https://elsewhere.example" })),
    )
    .await;
    let error = response.error.unwrap();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains(ISSUER), "{cause}");
    assert!(!String::from_utf8_lossy(&response.body).contains("example.com"));
}

#[tokio::test]
async fn assertion_for_another_tenant_is_refused() {
    let assertions = Assertions::new("https://b.example.com");
    let other = ClientAuthenticator::new(clients()).assertions(assertions);
    let response = by(&other, &pk(&json!({}))).await;
    assert_eq!(response.refusal(), Some(Refusal::WrongAudience));
}

#[tokio::test]
async fn issuers_of_the_client_are_the_audience_if_configured() {
    let other = "https://b.example.com";
    for (issuers, accepted) in [
        (json!([ISSUER]), vec![ISSUER]),
        (json!([other]), vec![other]),
        (json!(null), vec![ISSUER, other]),
    ] {
        let registry = registry(&json!({
            "client_id": "pk-client",
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": PK.jwks(&json!({ "kid": "k1" })),
            "issuers": issuers,
        }));
        let audience = AudiencePolicy::issuers_of_client([ISSUER, other]);
        let assertions = Assertions::new(ISSUER).audience(audience);
        let authenticator = ClientAuthenticator::new(registry).assertions(assertions);
        for aud in [ISSUER, other, "https://c.example.com"] {
            let response = by(&authenticator, &pk(&json!({ "aud": aud }))).await;
            let expected = (!accepted.contains(&aud)).then_some(Refusal::WrongAudience);
            assert_eq!(response.refusal(), expected, "{aud} for {issuers}");
        }
    }
}
