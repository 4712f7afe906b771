//! A source that is down.

use super::*;

#[tokio::test(start_paused = true)]
async fn failure_without_an_earlier_set_is_an_error_and_backs_off() {
    let source = source(Reply::Failure);
    let cache = source.cache();
    for _ in 0..10 {
        cache.keys(URI, Some("k1")).await.unwrap_err();
    }
    assert_eq!(source.asked(), 1);
    source.replies(Reply::Keys("k1", None));
    seconds(4).await;
    cache.keys(URI, Some("k1")).await.unwrap_err();
    seconds(1).await;
    assert!(cache.keys(URI, Some("k1")).await.unwrap().has_kid("k1"));
    assert_eq!(source.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn last_good_set_is_used_while_the_source_is_down_until_it_is_too_old() {
    let source = source(Reply::Keys("k1", Some(60)));
    let cache = source.cache();
    cache.keys(URI, None).await.unwrap();
    source.replies(Reply::Failure);
    seconds(60).await;
    for _ in 0..10 {
        assert!(cache.keys(URI, Some("k1")).await.unwrap().has_kid("k1"));
    }
    assert_eq!(source.asked(), 2);

    seconds(24 * 60 * 60 - 1).await;
    assert!(cache.keys(URI, Some("k1")).await.unwrap().has_kid("k1"));
    assert_eq!(source.asked(), 3);
    // Neither during the back-off nor after it.
    seconds(1).await;
    cache.keys(URI, Some("k1")).await.unwrap_err();
    seconds(5).await;
    cache.keys(URI, Some("k1")).await.unwrap_err();
    assert_eq!(source.asked(), 4);
}

#[tokio::test(start_paused = true)]
async fn unknown_kid_returns_the_last_good_set_while_the_source_is_down() {
    let source = source(Reply::Keys("k1", None));
    let cache = source.cache();
    cache.keys(URI, None).await.unwrap();
    source.replies(Reply::Failure);
    for _ in 0..10 {
        assert!(cache.keys(URI, Some("k2")).await.unwrap().has_kid("k1"));
    }
    assert_eq!(source.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn callers_do_not_wait_for_a_source_that_is_down() {
    let source = source(Reply::Keys("k1", Some(60)));
    let cache = source.cache();
    cache.keys(URI, None).await.unwrap();
    source.replies(Reply::Failure);
    seconds(60).await;
    cache.keys(URI, None).await.unwrap();

    // The next fetch stalls, and the last set is returned at once.
    source.hold();
    seconds(5).await;
    let at_once = timeout(Duration::from_millis(1), cache.keys(URI, Some("k1"))).await;
    assert!(at_once.unwrap().unwrap().has_kid("k1"));
    tokio::task::yield_now().await;
    assert_eq!(source.asked(), 3);

    // The source is back, and the fetch without callers brings the new set.
    source.replies(Reply::Keys("k2", Some(60)));
    source.permits.add_permits(1);
    assert!(cache.keys(URI, Some("k2")).await.unwrap().has_kid("k2"));
    assert_eq!(source.asked(), 3);
}

#[tokio::test(start_paused = true)]
async fn old_failure_does_not_make_callers_use_the_last_set() {
    let source = source(Reply::Keys("k1", Some(600)));
    let cache = source.cache();
    cache.keys(URI, None).await.unwrap();
    source.replies(Reply::Failure);
    cache.keys(URI, Some("k2")).await.unwrap();
    source.replies(Reply::Keys("k2", Some(600)));
    seconds(600).await;
    assert!(!cache.keys(URI, Some("k1")).await.unwrap().has_kid("k1"));
}

#[tokio::test(start_paused = true)]
async fn callers_wait_again_for_a_source_that_is_back() {
    let source = source(Reply::Keys("k1", Some(1)));
    let cache = source.cache_with(Limits {
        min_lifetime: Duration::ZERO,
        ..Limits::default()
    });
    cache.keys(URI, None).await.unwrap();
    source.replies(Reply::Failure);
    seconds(1).await;
    cache.keys(URI, None).await.unwrap();
    source.replies(Reply::Keys("k2", Some(1)));
    seconds(5).await;
    assert!(cache.keys(URI, Some("k2")).await.unwrap().has_kid("k2"));

    source.replies(Reply::Keys("k3", Some(1)));
    seconds(1).await;
    assert!(cache.keys(URI, None).await.unwrap().has_kid("k3"));
}
