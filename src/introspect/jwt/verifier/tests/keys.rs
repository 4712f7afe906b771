//! A cached token lives no longer than the keys that verified it.

use futures::future::join_all;
use tokio::time::advance;

use super::*;
use crate::introspect::jwt::JwtErrorKind;

const LIFETIME: Duration = Duration::from_secs(600);

/// An issuer with a key `k1`, and a source that publishes it.
fn published() -> (TestIssuer, Arc<FakeSource>) {
    let issuer = issuer();
    let source = FakeSource::new(key_set([(&issuer, "k1")]), LIFETIME);
    (issuer, source)
}

#[tokio::test(start_paused = true)]
async fn fetched_keys_verify_a_token_once() {
    let (issuer, source) = published();
    let tokens = fetched(&source);
    let token = old_token(&issuer, "k1").sign();
    assert_eq!(genuine(&tokens, &token).await, VERIFIED);
    advance(Duration::from_secs(599)).await;
    assert_eq!(genuine(&tokens, &token).await, CACHED);
    assert_eq!(source.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn token_stays_cached_if_the_same_keys_are_fetched_again() {
    let (issuer, source) = published();
    let tokens = fetched(&source);
    let token = old_token(&issuer, "k1").sign();
    assert_eq!(genuine(&tokens, &token).await, VERIFIED);
    for fetches in 2..5 {
        advance(LIFETIME).await;
        assert_eq!(genuine(&tokens, &token).await, CACHED);
        assert_eq!(source.fetches(), fetches);
    }
}

#[tokio::test(start_paused = true)]
async fn token_of_a_removed_key_is_refused() {
    let (issuer, source) = published();
    let tokens = fetched(&source);
    let token = old_token(&issuer, "k1").sign();
    assert_eq!(genuine(&tokens, &token).await, VERIFIED);
    source.publishes(Some(key_set([(&self::issuer(), "k2")])));
    // Until the keys expire, nobody knows.
    assert_eq!(genuine(&tokens, &token).await, CACHED);
    advance(LIFETIME).await;
    assert_eq!(
        refused(ask(&tokens, &token).await.0),
        Some(Reason::UnknownKey)
    );
    assert_eq!(tokens.verifier.cached(), 0);
    assert_eq!(
        refused(ask(&tokens, &token).await.0),
        Some(Reason::UnknownKey)
    );
}

/// A token of a new key causes a fetch before the old keys expire.
#[tokio::test(start_paused = true)]
async fn token_of_a_removed_key_is_refused_as_soon_as_the_new_keys_are_fetched() {
    let (issuer, source) = published();
    let tokens = fetched(&source);
    let token = old_token(&issuer, "k1").sign();
    assert_eq!(genuine(&tokens, &token).await, VERIFIED);
    let new = self::issuer();
    source.publishes(Some(key_set([(&new, "k2")])));
    assert_eq!(genuine(&tokens, &token).await, CACHED);
    // The keys were not fetched for this token.
    advance(Duration::from_secs(1)).await;
    let by_new = new.token().kid("k2").sign();
    assert_eq!(genuine(&tokens, &by_new).await, VERIFIED);
    assert_eq!(
        refused(ask(&tokens, &token).await.0),
        Some(Reason::UnknownKey)
    );
    assert_eq!(source.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn token_of_an_old_key_is_refused_if_the_new_one_has_its_name() {
    let (issuer, source) = published();
    let tokens = fetched(&source);
    let token = old_token(&issuer, "k1").sign();
    assert_eq!(genuine(&tokens, &token).await, VERIFIED);
    source.publishes(Some(key_set([(&self::issuer(), "k1")])));
    advance(LIFETIME).await;
    let (outcome, verified) = ask(&tokens, &token).await;
    assert_eq!((refused(outcome), verified), (Some(Reason::Signature), 1));
}

/// The other key may have been added because the first is about to be removed.
#[tokio::test(start_paused = true)]
async fn token_is_verified_again_if_a_key_was_added() {
    let (issuer, source) = published();
    let tokens = fetched(&source);
    let token = old_token(&issuer, "k1").sign();
    assert_eq!(genuine(&tokens, &token).await, VERIFIED);
    source.publishes(Some(key_set([(&issuer, "k1"), (&self::issuer(), "k2")])));
    advance(LIFETIME).await;
    assert_eq!(genuine(&tokens, &token).await, VERIFIED);
    assert_eq!(genuine(&tokens, &token).await, CACHED);
}

#[tokio::test(start_paused = true)]
async fn stale_keys_are_used_as_long_as_without_a_cache() {
    let (issuer, source) = published();
    let (cached, uncached) = (fetched(&source), fetched(&source).cache_capacity(0));
    let token = old_token(&issuer, "k1").sign();
    assert_eq!(genuine(&cached, &token).await, VERIFIED);
    assert_eq!(genuine(&uncached, &token).await, VERIFIED);
    source.publishes(None);
    advance(LIFETIME).await;
    for (tokens, expected) in [(&cached, CACHED), (&uncached, VERIFIED)] {
        assert_eq!(genuine(tokens, &token).await, expected);
        assert_eq!(genuine(tokens, &token).await, expected);
    }
    // Each of them has asked the source once more.
    assert_eq!(source.fetches(), 4);
    advance(24 * HOUR).await;
    for tokens in [&cached, &uncached] {
        let error = ask(tokens, &token).await.0.unwrap_err();
        assert_eq!(error.kind(), JwtErrorKind::NoKeys);
    }
    // The source is back.
    source.publishes(Some(key_set([(&issuer, "k1")])));
    advance(HOUR).await;
    assert_eq!(genuine(&cached, &token).await, CACHED);
}

#[tokio::test(start_paused = true)]
async fn keys_that_are_no_longer_cached_are_fetched_again() {
    let (issuer, source) = published();
    let remote = source.remote_keys(1);
    let tokens = fetched(&source).remote_keys(remote.clone());
    let token = old_token(&issuer, "k1").sign();
    assert_eq!(genuine(&tokens, &token).await, VERIFIED);
    advance(Duration::from_secs(1)).await;
    source.publishes(Some(key_set([(&self::issuer(), "k2")])));
    remote.keys("https://other.test/", None).await.unwrap();
    // The cached token was used after the other keys.
    assert_eq!(
        refused(ask(&tokens, &token).await.0),
        Some(Reason::UnknownKey)
    );
}

#[tokio::test(start_paused = true)]
async fn tokens_that_wait_for_the_same_keys_are_verified_once() {
    let (issuer, source) = published();
    let tokens = fetched(&source);
    let token = old_token(&issuer, "k1").sign();
    verified();
    let waiting = join_all((0..100).map(|_| tokens.clone().oneshot(Secret::new(&*token))));
    assert!(
        waiting
            .await
            .into_iter()
            .all(|it| it.unwrap().token().is_some())
    );
    assert_eq!((verified(), source.fetches()), (1, 1));
}
