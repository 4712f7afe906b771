//! Callers that share a fetch.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_share_one_fetch() {
    let source = source(Reply::Keys("k1", None));
    let cache = source.cache();
    for keys in join_all((0..1000).map(|_| cache.keys(URI, Some("k1")))).await {
        assert!(keys.unwrap().has_kid("k1"));
    }
    assert_eq!(source.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_share_one_failed_fetch() {
    let source = source(Reply::Failure);
    let cache = source.cache();
    for keys in join_all((0..1000).map(|_| cache.keys(URI, Some("k1")))).await {
        keys.unwrap_err();
    }
    assert_eq!(source.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn fetch_survives_the_caller_that_started_it() {
    let source = source(Reply::Keys("k1", None));
    source.hold();
    let cache = source.cache();
    let mut leader = Box::pin(cache.keys(URI, None));
    assert!(futures::poll!(&mut leader).is_pending());
    let mut followers: Vec<_> = (0..10).map(|_| Box::pin(cache.keys(URI, None))).collect();
    for follower in &mut followers {
        assert!(futures::poll!(follower).is_pending());
    }
    tokio::task::yield_now().await;
    assert_eq!(source.asked(), 1);

    drop(leader);
    source.permits.add_permits(1);
    for keys in join_all(followers).await {
        assert!(keys.unwrap().has_kid("k1"));
    }
    assert_eq!(source.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn fetch_continues_without_callers() {
    let source = source(Reply::Keys("k1", None));
    let cache = source.cache();
    assert!(futures::poll!(Box::pin(cache.keys(URI, None))).is_pending());
    tokio::task::yield_now().await;
    source.replies(Reply::Failure);
    assert!(cache.keys(URI, None).await.unwrap().has_kid("k1"));
    assert_eq!(source.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn panic_in_a_fetch_fails_only_that_fetch() {
    let source = source(Reply::Panic);
    let cache = source.cache();
    cache.keys(URI, None).await.unwrap_err();
    source.replies(Reply::Keys("k1", None));
    assert!(cache.keys(URI, None).await.unwrap().has_kid("k1"));
}
