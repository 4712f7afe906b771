//! How long a set is used, and how many are cached.

use super::*;

#[tokio::test(start_paused = true)]
async fn expired_set_is_fetched_again() {
    let source = source(Reply::Keys("k1", Some(600)));
    let cache = source.cache();
    for _ in 0..3 {
        assert!(cache.keys(URI, Some("k1")).await.unwrap().has_kid("k1"));
    }
    seconds(599).await;
    cache.keys(URI, None).await.unwrap();
    assert_eq!(source.asked(), 1);

    seconds(1).await;
    source.replies(Reply::Keys("k2", Some(600)));
    assert!(cache.keys(URI, None).await.unwrap().has_kid("k2"));
    assert_eq!(source.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn each_uri_has_keys_of_its_own() {
    let source = source(Reply::Keys("k1", None));
    let cache = source.cache();
    cache.keys(URI, None).await.unwrap();
    source.replies(Reply::Keys("k2", None));
    let other = "https://other.example/";
    assert!(cache.keys(other, None).await.unwrap().has_kid("k2"));
    assert!(cache.keys(URI, None).await.unwrap().has_kid("k1"));
    assert_eq!(source.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn lifetime_stays_within_its_bounds() {
    let day = 24 * 60 * 60;
    for (said, fresh) in [
        (Some(0), 60),
        (Some(59), 60),
        (Some(10 * day), day),
        (None, 3600),
    ] {
        let source = source(Reply::Keys("k1", said));
        let cache = source.cache();
        cache.keys(URI, None).await.unwrap();
        seconds(fresh - 1).await;
        cache.keys(URI, None).await.unwrap();
        assert_eq!(source.asked(), 1, "{said:?}");
        seconds(1).await;
        cache.keys(URI, None).await.unwrap();
        assert_eq!(source.asked(), 2, "{said:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn bounds_may_be_infinite() {
    let source = source(Reply::Keys("k1", Some(u32::MAX.into())));
    let cache = source.cache_with(Limits {
        max_lifetime: Duration::MAX,
        stale: Duration::MAX,
        cool_down: Duration::MAX,
        ..Limits::default()
    });
    cache.keys(URI, Some("k2")).await.unwrap();
    cache.keys(URI, Some("k2")).await.unwrap();
    seconds(10 * 365 * 24 * 60 * 60).await;
    cache.keys(URI, Some("k2")).await.unwrap();
    assert_eq!(source.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn least_recently_used_uri_is_removed_beyond_the_capacity() {
    let source = source(Reply::Keys("k1", None));
    let cache = source.cache_with(Limits {
        capacity: 3,
        ..Limits::default()
    });
    let uri = |name: &str| format!("https://{name}.example/");
    for name in ["a", "b", "c", "a", "d"] {
        cache.keys(&uri(name), None).await.unwrap();
        seconds(1).await;
    }
    assert_eq!((cache.len(), source.asked()), (3, 4));
    for name in ["a", "c", "d"] {
        cache.keys(&uri(name), None).await.unwrap();
    }
    assert_eq!(source.asked(), 4);
    cache.keys(&uri("b"), None).await.unwrap();
    assert_eq!((cache.len(), source.asked()), (3, 5));
}
