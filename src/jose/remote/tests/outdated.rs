//! Whether the keys that are served may not be the latest.

use super::*;

/// Whether the source was asked in vain for what is served, of which there is something.
async fn is_outdated(cache: &Cache, kid: Option<&str>) -> bool {
    let served = cache.get(&at(URI), kid).await.unwrap();
    served.refresh_error_for(None).is_some()
}

#[tokio::test(start_paused = true)]
async fn what_was_fetched_in_time_is_the_latest() {
    let source = source(Says::Keys("k1", Some(600)));
    let cache = source.cache();
    assert!(!is_outdated(&cache, Some("k1")).await);
    // Asked for, not there, and not asked for again: still the latest.
    assert!(!is_outdated(&cache, Some("k2")).await);
    assert!(!is_outdated(&cache, Some("k3")).await);
    assert_eq!(source.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_kid_that_was_asked_for_in_vain_may_be_a_newer_one() {
    let source = source(Says::Keys("k1", Some(600)));
    let cache = source.cache();
    assert!(!is_outdated(&cache, Some("k1")).await);
    source.says(Says::Nothing);
    assert!(is_outdated(&cache, Some("k2")).await);
    // In the back-off, and after it in the cool-down.
    assert!(is_outdated(&cache, Some("k2")).await);
    seconds(6).await;
    assert!(is_outdated(&cache, Some("k2")).await);
    assert!(!is_outdated(&cache, Some("k1")).await);
    assert_eq!(source.asked(), 2);

    source.says(Says::Keys("k1", Some(600)));
    seconds(60).await;
    assert!(!is_outdated(&cache, Some("k2")).await);
    assert!(!is_outdated(&cache, Some("k3")).await);
}

#[tokio::test(start_paused = true)]
async fn what_is_served_while_the_source_is_down_may_be_outdated() {
    let source = source(Says::Keys("k1", Some(600)));
    let cache = source.cache();
    assert!(!is_outdated(&cache, None).await);
    source.says(Says::Nothing);
    seconds(600).await;
    for _ in 0..3 {
        assert!(is_outdated(&cache, None).await);
        assert!(is_outdated(&cache, Some("k1")).await);
        // The first is told by its own fetch, the others by the last one.
        seconds(6).await;
    }
}
