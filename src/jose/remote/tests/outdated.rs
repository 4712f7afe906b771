//! Whether the source may have newer keys than the cached ones.

use super::*;

/// Whether the keys are returned although they could not be refreshed.
async fn is_outdated(cache: &Cache, kid: Option<&str>) -> bool {
    let served = cache.get(&at(URI), kid).await.unwrap();
    served.refresh_error_for(None).is_some()
}

#[tokio::test(start_paused = true)]
async fn fresh_keys_are_up_to_date() {
    let source = source(Reply::Keys("k1", Some(600)));
    let cache = source.cache();
    assert!(!is_outdated(&cache, Some("k1")).await);
    // The fetch for an unknown `kid` succeeded without it, so the keys are up to date.
    assert!(!is_outdated(&cache, Some("k2")).await);
    assert!(!is_outdated(&cache, Some("k3")).await);
    assert_eq!(source.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn keys_may_be_outdated_after_a_failed_fetch_for_a_kid() {
    let source = source(Reply::Keys("k1", Some(600)));
    let cache = source.cache();
    assert!(!is_outdated(&cache, Some("k1")).await);
    source.replies(Reply::Failure);
    assert!(is_outdated(&cache, Some("k2")).await);
    // During the back-off, and after it during the cool-down.
    assert!(is_outdated(&cache, Some("k2")).await);
    seconds(6).await;
    assert!(is_outdated(&cache, Some("k2")).await);
    assert!(!is_outdated(&cache, Some("k1")).await);
    assert_eq!(source.asked(), 2);

    source.replies(Reply::Keys("k1", Some(600)));
    seconds(60).await;
    assert!(!is_outdated(&cache, Some("k2")).await);
    assert!(!is_outdated(&cache, Some("k3")).await);
}

#[tokio::test(start_paused = true)]
async fn keys_may_be_outdated_while_the_source_is_down() {
    let source = source(Reply::Keys("k1", Some(600)));
    let cache = source.cache();
    assert!(!is_outdated(&cache, None).await);
    source.replies(Reply::Failure);
    seconds(600).await;
    for _ in 0..3 {
        assert!(is_outdated(&cache, None).await);
        assert!(is_outdated(&cache, Some("k1")).await);
        // The first result comes from its own fetch, the others from the last one.
        seconds(6).await;
    }
}
