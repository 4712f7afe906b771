//! Keys are valid while a lookup returns them without a fetch.

use super::*;

async fn validity(cache: &Cache, uri: &str) -> Arc<Validity> {
    cache.get(&at(uri), None).await.unwrap().validity
}

fn is_fresh(validity: &Validity) -> bool {
    validity.is_fresh(Instant::now())
}

#[tokio::test(start_paused = true)]
async fn keys_are_valid_until_a_fetch_is_due() {
    let source = source(Reply::Keys("k1", Some(600)));
    let cache = source.cache();
    let keys = validity(&cache, URI).await;
    seconds(599).await;
    assert!(is_fresh(&keys));
    advance(Duration::from_millis(999)).await;
    assert!(is_fresh(&keys));
    advance(Duration::from_millis(1)).await;
    assert!(!is_fresh(&keys));
    assert_eq!(source.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn fetch_of_the_same_keys_prolongs_their_validity() {
    let source = source(Reply::Keys("k1", Some(600)));
    let cache = source.cache();
    let keys = validity(&cache, URI).await;
    seconds(600).await;
    let again = validity(&cache, URI).await;
    assert!(Arc::ptr_eq(&keys, &again));
    assert_eq!(source.asked(), 2);
    seconds(599).await;
    assert!(is_fresh(&keys));
    seconds(1).await;
    assert!(!is_fresh(&keys));
}

#[tokio::test(start_paused = true)]
async fn fetch_of_other_keys_ends_the_validity_of_the_old_ones() {
    let source = source(Reply::Keys("k1", Some(600)));
    let cache = source.cache();
    let old = validity(&cache, URI).await;
    source.replies(Reply::Keys("k2", Some(600)));
    // A token names an unknown key.
    let new = cache.get(&at(URI), Some("k2")).await.unwrap().validity;
    assert!(!is_fresh(&old) && is_fresh(&new));
    // The old keys are back. What was verified by them before is not looked at.
    seconds(600).await;
    source.replies(Reply::Keys("k1", Some(600)));
    let back = validity(&cache, URI).await;
    assert!(!is_fresh(&old) && !is_fresh(&new) && is_fresh(&back));
    assert!(!Arc::ptr_eq(&old, &back));
}

#[tokio::test(start_paused = true)]
async fn keys_of_a_source_that_is_down_are_the_same_but_not_fresh() {
    let source = source(Reply::Keys("k1", Some(600)));
    let cache = source.cache();
    let keys = validity(&cache, URI).await;
    source.replies(Reply::Failure);
    seconds(600).await;
    let stale = validity(&cache, URI).await;
    assert!(Arc::ptr_eq(&keys, &stale) && !is_fresh(&stale));
    assert_eq!(source.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn keys_of_a_source_that_is_no_longer_cached_are_not_valid() {
    let source = source(Reply::Keys("k1", Some(600)));
    let cache = source.cache_with(Limits {
        capacity: 1,
        ..Limits::default()
    });
    let keys = validity(&cache, URI).await;
    seconds(1).await;
    validity(&cache, "https://other.example/").await;
    assert!(!is_fresh(&keys));
    let again = validity(&cache, URI).await;
    assert!(!Arc::ptr_eq(&keys, &again) && is_fresh(&again));
}

/// The entry is removed while its keys are being fetched.
#[tokio::test(start_paused = true)]
async fn fetch_for_a_removed_entry_brings_no_valid_keys() {
    let source = source(Reply::Keys("k1", Some(600)));
    let cache = source.cache_with(Limits {
        capacity: 1,
        ..Limits::default()
    });
    source.hold();
    let KeyLookup::Pending(fetch) = cache.lookup(&at(URI), None) else {
        panic!("nothing is cached yet");
    };
    seconds(1).await;
    let other = cache.lookup(&at("https://other.example/"), None);
    source.permits.add_permits(2);
    assert!(!is_fresh(&fetch.await.unwrap().validity));
    drop(other);
}

#[tokio::test(start_paused = true)]
async fn use_of_valid_keys_keeps_their_source_in_the_cache() {
    let source = source(Reply::Keys("k1", Some(600)));
    let cache = source.cache_with(Limits {
        capacity: 2,
        ..Limits::default()
    });
    let uri = |name: &str| format!("https://{name}.example/");
    let used = validity(&cache, &uri("used")).await;
    for name in ["a", "b", "c", "d"] {
        seconds(1).await;
        validity(&cache, &uri(name)).await;
        assert!(is_fresh(&used), "{name}");
    }
    assert_eq!((cache.len(), source.asked()), (2, 5));
}

/// One pass over all entries notices every use since the last one.
#[tokio::test(start_paused = true)]
async fn old_use_of_valid_keys_does_not_outlast_a_later_look_up() {
    let source = source(Reply::Keys("k1", Some(600)));
    let cache = source.cache_with(Limits {
        capacity: 3,
        ..Limits::default()
    });
    let mut keys = Vec::new();
    for name in ["a", "b", "c"] {
        keys.push(validity(&cache, &format!("https://{name}.example/")).await);
        seconds(1).await;
    }
    assert!(is_fresh(&keys[1]));
    seconds(1).await;
    // It replaces `a`.
    keys.push(validity(&cache, "https://d.example/").await);
    for name in ["c", "d"] {
        seconds(1).await;
        validity(&cache, &format!("https://{name}.example/")).await;
    }
    seconds(1).await;
    // By now, `b` was used before the others.
    validity(&cache, "https://e.example/").await;
    let fresh: Vec<_> = keys.iter().map(|keys| is_fresh(keys)).collect();
    assert_eq!(fresh, [false, false, true, true]);
}
