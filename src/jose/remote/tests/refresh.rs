//! Fetches for tokens that the cached keys do not verify.

use super::*;

/// Refreshes. Returns how many seconds remain until a fetch is due, or `None` after a fetch.
async fn wait(cache: &Cache, since: Instant, client: Option<&str>) -> Option<u64> {
    match cache.refresh(&at(URI), since, client) {
        KeyRefresh::NotDue(wait) | KeyRefresh::AlreadyFetched(wait) => Some(wait.as_secs()),
        KeyRefresh::Pending(running) => {
            let _ = running.await;
            None
        }
    }
}

#[tokio::test(start_paused = true)]
async fn token_causes_one_fetch_and_then_none_for_a_cool_down() {
    let source = source(Reply::Keys("k1", None));
    let cache = source.cache();
    let first = Instant::now();
    cache.get(&at(URI), None).await.unwrap();
    // The keys were fetched for this token already.
    assert_eq!(wait(&cache, first, None).await, Some(0));
    assert_eq!(source.asked(), 1);

    seconds(1).await;
    assert_eq!(wait(&cache, Instant::now(), None).await, None);
    seconds(1).await;
    for _ in 0..100 {
        assert_eq!(wait(&cache, Instant::now(), None).await, Some(59));
    }
    seconds(59).await;
    assert_eq!(wait(&cache, Instant::now(), None).await, None);
    assert_eq!(source.asked(), 3);
}

#[tokio::test(start_paused = true)]
async fn cached_keys_have_the_time_of_their_request() {
    let source = source(Reply::Keys("k1", None));
    let cache = source.cache();
    let before = Instant::now();
    let first = cache.get(&at(URI), None).await.unwrap();
    assert_eq!(first.requested.instant, before);
    seconds(10).await;
    source.replies(Reply::Failure);
    assert_eq!(wait(&cache, Instant::now(), None).await, None);
    // The fetch failed: the cached keys are no newer.
    let again = cache.get(&at(URI), None).await.unwrap();
    assert_eq!(again.requested.instant, before);
}

#[tokio::test(start_paused = true)]
async fn authenticated_client_does_not_wait_for_the_cool_down() {
    let source = source(Reply::Keys("k1", None));
    let cache = source.cache();
    cache.get(&at(URI), None).await.unwrap();
    seconds(1).await;
    assert_eq!(wait(&cache, Instant::now(), None).await, None);
    for client in ["a", "b"] {
        for _ in 0..3 {
            seconds(1).await;
            assert_eq!(wait(&cache, Instant::now(), Some(client)).await, None);
        }
        seconds(1).await;
        // This client has used up its budget, and the others have not.
        let left = wait(&cache, Instant::now(), Some(client)).await;
        assert_eq!(left, Some(59));
    }
    assert_eq!(source.asked(), 8);
    assert_eq!(wait(&cache, Instant::now(), None).await, Some(59));
}

#[tokio::test(start_paused = true)]
async fn all_clients_together_cause_at_most_one_fetch_a_second() {
    let source = source(Reply::Keys("k1", None));
    let cache = source.cache();
    cache.get(&at(URI), None).await.unwrap();
    seconds(1).await;
    assert_eq!(wait(&cache, Instant::now(), None).await, None);
    for client in 0..100 {
        advance(Duration::from_millis(10)).await;
        wait(&cache, Instant::now(), Some(&client.to_string())).await;
    }
    assert_eq!(source.asked(), 3);
}

#[tokio::test(start_paused = true)]
async fn back_off_after_a_failure_applies_to_all_clients() {
    let source = source(Reply::Keys("k1", None));
    let cache = source.cache();
    cache.get(&at(URI), None).await.unwrap();
    source.replies(Reply::Failure);
    seconds(1).await;
    assert_eq!(wait(&cache, Instant::now(), None).await, None);
    seconds(2).await;
    assert_eq!(wait(&cache, Instant::now(), Some("a")).await, Some(3));
    assert_eq!(source.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn one_token_causes_no_second_fetch_without_a_cool_down() {
    let source = source(Reply::Keys("k1", None));
    let cache = source.cache_with(Limits {
        cool_down: Duration::ZERO,
        ..Limits::default()
    });
    cache.get(&at(URI), None).await.unwrap();
    for reply in [Reply::Failure, Reply::Keys("k1", None)] {
        source.replies(reply);
        seconds(1).await;
        let since = Instant::now();
        assert_eq!(wait(&cache, since, None).await, None);
        assert_eq!(wait(&cache, since, None).await, Some(0));
    }
    assert_eq!(source.asked(), 3);
}
