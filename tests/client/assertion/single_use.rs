//! Single use of assertions (`OpenID` Connect Core §9).

use jsonwebtoken::Algorithm;
use serde_json::json;
use tower_revocation::client::{
    Refusal, assertion::Assertions, registry::ClientAuthenticator, replay::MemoryGuard,
};

use crate::fixture::{
    ISSUER, Key, PK, PKR, ask, authenticator, by, claims, clients, form, fresh, header, layer, pk,
    post, refused, with,
};

#[tokio::test]
async fn jti_is_required() {
    for jti in [
        json!(null),
        json!(""),
        json!(123),
        json!("j".repeat(10 * 1024)),
    ] {
        refused(&pk(&json!({ "jti": jti })), Refusal::NoIdentifier).await;
    }
}

#[tokio::test]
async fn assertion_works_once() {
    let authenticator = authenticator();
    let assertion = pk(&json!({}));
    assert_eq!(by(&authenticator, &assertion).await.status, 200);
    assert_eq!(
        by(&authenticator, &assertion).await.refusal(),
        Some(Refusal::Replayed)
    );
}

#[tokio::test]
async fn exactly_one_of_twenty_concurrent_uses_wins() {
    let authenticator = authenticator();
    let assertion = pk(&json!({}));
    let attempts = (0..20).map(|_| {
        let (authenticator, assertion) = (authenticator.clone(), assertion.clone());
        tokio::spawn(async move { by(&authenticator, &assertion).await.status.as_u16() })
    });
    let mut statuses = Vec::new();
    for attempt in attempts.collect::<Vec<_>>() {
        statuses.push(attempt.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200);
    assert!(statuses[1..].iter().all(|status| *status == 401));
}

#[tokio::test]
async fn client_beyond_its_quota_is_503_and_others_are_not() {
    let guard = MemoryGuard::new(100).quota(2);
    let assertions = Assertions::new(ISSUER).replay_guard(guard);
    let authenticator = ClientAuthenticator::new(clients()).assertions(assertions);
    for status in [200, 200, 503] {
        let response = by(&authenticator, &pk(&json!({}))).await;
        assert_eq!(response.status, status, "{response:?}");
        assert_eq!(response.headers.contains_key("retry-after"), status == 503);
    }
    let rsa = json!({ "alg": "RS256", "kid": "r1" });
    let rsa = PKR.sign(Algorithm::RS256, &rsa, &claims("rsa-client"));
    assert_eq!(by(&authenticator, &rsa).await.status, 200);
}

#[tokio::test]
async fn two_clients_may_use_the_same_jti() {
    let authenticator = authenticator();
    let jti = json!({ "jti": fresh() });
    assert_eq!(by(&authenticator, &pk(&jti)).await.status, 200);
    let r1 = json!({ "alg": "RS256", "kid": "r1" });
    let other = PKR.sign(Algorithm::RS256, &r1, &with(claims("rsa-client"), &jti));
    assert_eq!(by(&authenticator, &other).await.status, 200);
}

#[tokio::test]
async fn forged_assertion_does_not_use_up_the_jti() {
    let authenticator = authenticator();
    let claims = claims("pk-client");
    let forged = Key::ec().sign(Algorithm::ES256, &header(), &claims);
    assert_eq!(
        by(&authenticator, &forged).await.refusal(),
        Some(Refusal::BadSignature)
    );
    let genuine = PK.sign(Algorithm::ES256, &header(), &claims);
    assert_eq!(by(&authenticator, &genuine).await.status, 200);
}

#[tokio::test]
async fn request_that_fails_later_has_used_up_the_jti() {
    let authenticator = authenticator();
    let assertion = pk(&json!({}));
    let without_token = form(&assertion).replace("token=rt1&", "");
    let response = ask(layer(authenticator.clone()), post(without_token)).await;
    assert_eq!(response.status, 400);
    assert_eq!(
        by(&authenticator, &assertion).await.refusal(),
        Some(Refusal::Replayed)
    );
}
