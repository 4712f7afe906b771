//! What the introspection says of the issuer's tokens.

use std::time::Duration;

use tower::ServiceExt as _;
use tower_revocation::{
    Secret,
    introspect::{Introspected, Introspection, Reason, TokenKind, jwt::JwtTokens},
    jose::Algorithm,
    log::NumericDate,
    test_util::{TestIssuer, TestToken},
};

const ISSUER: &str = "https://issuer.test";

async fn introspect(tokens: JwtTokens, token: String) -> Introspected {
    tokens.oneshot(Secret::from(token)).await.unwrap()
}

async fn genuine(tokens: JwtTokens, token: String) -> Introspection {
    match introspect(tokens, token).await {
        Introspected::Token(token) => token,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn token_has_the_claims_of_rfc_9068_by_default() {
    let issuer = TestIssuer::new(ISSUER);
    let before = NumericDate::now();
    let token = genuine(issuer.tokens(), issuer.token().sign()).await;
    assert_eq!(token.kind, TokenKind::AccessToken);
    assert_eq!(token.iss.as_deref(), Some(ISSUER));
    assert_eq!(token.sub.as_deref(), Some("test-subject"));
    assert_eq!(token.client_id, "test-client");
    let (iat, exp) = (token.iat.unwrap(), token.exp.unwrap());
    assert!(before <= iat && iat <= NumericDate::now());
    assert_eq!(exp, iat + Duration::from_mins(5));
    assert!(token.token.is_some());
}

#[tokio::test]
async fn setters_change_the_claims() {
    let issuer = TestIssuer::new(ISSUER).audience("https://photos.test");
    let iat = NumericDate::new(1_700_000_000);
    let token = issuer
        .token()
        .subject("alice")
        .client("s6BhdRkqt3")
        .scope("read write")
        .session("s1")
        .grant("g1")
        .issued_at(iat)
        .expires_in(Duration::from_millis(59_500));
    let token = genuine(issuer.tokens(), token.sign()).await;
    assert_eq!(token.sub.as_deref(), Some("alice"));
    assert_eq!(token.client_id, "s6BhdRkqt3");
    assert_eq!(token.sid.as_deref(), Some("s1"));
    assert_eq!(token.grant.as_deref(), Some("g1"));
    assert_eq!(token.iat, Some(iat));
    assert_eq!(token.exp, Some(iat + Duration::from_mins(1)));
}

#[tokio::test]
async fn two_tokens_have_different_identifiers() {
    let issuer = TestIssuer::new(ISSUER);
    let token = issuer.token();
    let [one, same, other] = [&token, &token, &issuer.token()].map(TestToken::sign);
    let [one, same, other] = [one, same, other].map(|token| genuine(issuer.tokens(), token));
    let (one, same, other) = (one.await.token, same.await.token, other.await.token);
    assert_eq!(one, same);
    assert_ne!(one, other);
}

#[tokio::test]
async fn rs256_tokens_are_genuine() {
    let issuer = TestIssuer::rs256(ISSUER);
    let tokens = issuer.tokens().algorithms([Algorithm::Rs256]);
    genuine(tokens, issuer.token().sign()).await;
    let tokens = issuer.tokens().algorithms([Algorithm::Es256]);
    let refused = introspect(tokens, issuer.token().sign()).await;
    assert!(
        matches!(refused, Introspected::Unrecognised(_)),
        "{refused:?}"
    );
}

#[tokio::test]
async fn expired_token_is_genuine_and_has_expired() {
    let issuer = TestIssuer::new(ISSUER);
    let token = genuine(issuer.tokens(), issuer.token().expired().sign()).await;
    let now = NumericDate::now();
    assert!(token.is_expired(now), "{token:?}");
}

#[tokio::test]
async fn wrong_tokens_are_refused_for_the_reason_that_the_test_chose() {
    let issuer = TestIssuer::new(ISSUER);
    for (token, reason) in [
        (issuer.token().forged(), Reason::Signature),
        (
            issuer.token().audience("https://other.test"),
            Reason::Audience,
        ),
        (issuer.token().typ("JWT"), Reason::Typ),
        (
            issuer.token().claim("iss", "https://other.test"),
            Reason::Issuer,
        ),
        (issuer.token().without("exp"), Reason::Claim),
        (issuer.token().without("client_id"), Reason::Client),
    ] {
        let introspected = introspect(issuer.tokens(), token.sign()).await;
        assert_eq!(introspected.reason(), Some(reason), "{token:?}");
    }
}

#[tokio::test]
async fn token_of_another_issuer_with_the_same_name_is_refused() {
    let (issuer, other) = (TestIssuer::new(ISSUER), TestIssuer::new(ISSUER));
    let introspected = introspect(issuer.tokens(), other.token().sign()).await;
    assert!(matches!(introspected, Introspected::Unrecognised(_)));
}

#[tokio::test]
async fn kid_selects_the_key() {
    let issuer = TestIssuer::new(ISSUER);
    genuine(issuer.tokens(), issuer.token().kid(None).sign()).await;
    let introspected = introspect(issuer.tokens(), issuer.token().kid("another").sign()).await;
    assert_eq!(introspected.reason(), Some(Reason::UnknownKey));
}

#[tokio::test]
async fn old_key_verifies_until_it_is_retired() {
    let issuer = TestIssuer::new(ISSUER);
    let old = issuer.token().sign();
    issuer.rotate();
    let new = issuer.token().sign();
    for token in [&old, &new] {
        genuine(issuer.tokens(), token.clone()).await;
    }
    issuer.retire_old_keys();
    genuine(issuer.tokens(), new).await;
    let introspected = introspect(issuer.tokens(), old).await;
    assert!(matches!(introspected, Introspected::Unrecognised(_)));
}

#[test]
fn debug_output_shows_no_private_key() {
    let issuer = TestIssuer::new(ISSUER);
    let output = format!("{issuer:?}");
    assert!(output.contains(ISSUER) && output.contains("SigningKey"));
    // A kid is random; everything else is short.
    assert!(output.len() < 400, "{output}");
}
