//! `JwtTokens` has verified the token before. Whether it is revoked is checked every time.

use std::time::Duration;

use hyper::StatusCode;
use tower::ServiceExt as _;
use tower_revocation::{
    Outcome, RevocationRequest, Secret,
    enforce::{EnforcementLayer, Index, Verdict},
    introspect::jwt::JwtTokens,
    log::{MemoryLog, NumericDate, Revocation, RevocationLog as _, Selector},
    revoke::RecordRevocation,
    test_util::TestIssuer,
};

use crate::{
    fixture::{RemoteLog, forever, request, verdict},
    freshness::stale,
};

const LIVE: (StatusCode, Option<Verdict>) = (StatusCode::OK, None);
const UNKNOWN: (StatusCode, Option<Verdict>) =
    (StatusCode::SERVICE_UNAVAILABLE, Some(Verdict::Unknown));
/// Of a token.
const LIFETIME: Duration = Duration::from_secs(3000);

/// The verdict on a token.
async fn on(layer: &EnforcementLayer<JwtTokens>, token: &str) -> (StatusCode, Option<Verdict>) {
    verdict(layer, request(Some(&format!("Bearer {token}")))).await
}

async fn refused_as_revoked(layer: &EnforcementLayer<JwtTokens>, token: &str) {
    for _ in 0..3 {
        let (status, verdict) = on(layer, token).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert!(
            matches!(verdict, Some(Verdict::Revoked { .. })),
            "{verdict:?}"
        );
    }
}

#[tokio::test]
async fn cached_token_is_refused_once_one_of_its_selectors_is_revoked() {
    let issuer = TestIssuer::new("https://issuer.test");
    let token = || issuer.token().session("s1").grant("g1").sign();
    let introspection = issuer.tokens().oneshot(Secret::new(token())).await;
    let selectors = introspection
        .unwrap()
        .into_token()
        .unwrap()
        .selectors()
        .count();
    assert_eq!(selectors, 7);
    for place in 0..selectors {
        let (tokens, log) = (issuer.tokens(), MemoryLog::new());
        let index = Index::follow(&log).await.unwrap();
        let layer = EnforcementLayer::new(tokens.clone(), index);
        let token = token();
        for _ in 0..4 {
            assert_eq!(on(&layer, &token).await, LIVE);
        }
        let known = tokens.oneshot(Secret::new(&*token)).await.unwrap();
        let selector = known.token().unwrap().selectors().nth(place).unwrap();
        log.append(forever(selector)).await.unwrap();
        refused_as_revoked(&layer, &token).await;
    }
}

#[tokio::test]
async fn revocation_endpoint_and_enforcement_share_the_cache() {
    let issuer = TestIssuer::new("https://issuer.test");
    let (tokens, log) = (issuer.tokens(), MemoryLog::new());
    let index = Index::follow(&log).await.unwrap();
    let layer = EnforcementLayer::new(tokens.clone(), index);
    let (token, other) = (issuer.token().sign(), issuer.token().sign());
    assert_eq!(on(&layer, &token).await, LIVE);
    assert_eq!(on(&layer, &other).await, LIVE);
    let request = RevocationRequest::new("test-client", Secret::new(&*token));
    let revoked = RecordRevocation::new(tokens, log).oneshot(request).await;
    assert_eq!(revoked.unwrap(), Outcome::Revoked);
    refused_as_revoked(&layer, &token).await;
    assert_eq!(on(&layer, &other).await, LIVE);
}

#[tokio::test]
async fn cached_token_is_unknown_while_the_index_is_stale() {
    let issuer = TestIssuer::new("https://issuer.test");
    let (tokens, token) = (issuer.tokens(), issuer.token().sign());
    let fresh = EnforcementLayer::new(
        tokens.clone(),
        Index::follow(&MemoryLog::new()).await.unwrap(),
    );
    assert_eq!(on(&fresh, &token).await, LIVE);
    let layer = EnforcementLayer::new(tokens, stale(&RemoteLog::default()).await);
    assert_eq!(on(&layer, &token).await, UNKNOWN);
}

/// The clock was ahead for one sweep.
#[tokio::test]
async fn cached_token_is_unknown_once_its_record_may_have_been_forgotten() {
    let issuer = TestIssuer::new("https://issuer.test");
    let log = MemoryLog::new();
    let index = Index::follow(&log).await.unwrap();
    let layer = EnforcementLayer::new(issuer.tokens(), index.clone());
    let end = NumericDate::now() + Duration::from_secs(3600);
    let record = Revocation::forever(Selector::grant("another"), end);
    log.append(vec![record]).await.unwrap();
    let token = |lifetime| issuer.token().expires_in(lifetime).sign();
    let tokens = [token(LIFETIME), token(2 * LIFETIME)];
    for token in tokens.iter().cycle().take(6) {
        assert_eq!(on(&layer, token).await, LIVE);
    }
    index.sweep(end);
    for _ in 0..3 {
        assert_eq!(on(&layer, &tokens[0]).await, UNKNOWN);
        assert_eq!(on(&layer, &tokens[1]).await, LIVE);
    }
}

#[tokio::test]
async fn forged_or_expired_copy_of_a_cached_token_is_refused() {
    let issuer = TestIssuer::new("https://issuer.test");
    let index = Index::follow(&MemoryLog::new()).await.unwrap();
    let layer = EnforcementLayer::new(issuer.tokens(), index);
    let token = issuer.token().id("1");
    let genuine = token.sign();
    for _ in 0..2 {
        assert_eq!(on(&layer, &genuine).await, LIVE);
        for other in [
            token.clone().forged().sign(),
            token.clone().expired().sign(),
        ] {
            let (status, _) = on(&layer, &other).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED);
        }
    }
}
