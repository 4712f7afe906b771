//! Keys that are newer than those at hand, for a question that these leave open.

use super::*;

/// How long until a fetch is due, if none is now. Otherwise it is done.
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
async fn question_is_worth_one_fetch_and_then_none_for_a_cool_down() {
    let source = source(Says::Keys("k1", None));
    let cache = source.cache();
    let first = Instant::now();
    cache.get(&at(URI), None).await.unwrap();
    // These were fetched for that very question.
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
async fn fetched_keys_say_when_they_were_asked_for() {
    let source = source(Says::Keys("k1", None));
    let cache = source.cache();
    let before = Instant::now();
    let first = cache.get(&at(URI), None).await.unwrap();
    assert_eq!(first.requested.instant, before);
    seconds(10).await;
    source.says(Says::Nothing);
    assert_eq!(wait(&cache, Instant::now(), None).await, None);
    // In vain: those at hand are no newer for it.
    let again = cache.get(&at(URI), None).await.unwrap();
    assert_eq!(again.requested.instant, before);
}

#[tokio::test(start_paused = true)]
async fn authenticated_client_does_not_wait_for_the_cool_down() {
    let source = source(Says::Keys("k1", None));
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
        // It has spent what it has, and the others have not.
        let left = wait(&cache, Instant::now(), Some(client)).await;
        assert_eq!(left, Some(59));
    }
    assert_eq!(source.asked(), 8);
    assert_eq!(wait(&cache, Instant::now(), None).await, Some(59));
}

#[tokio::test(start_paused = true)]
async fn clients_together_ask_a_source_once_a_second_at_most() {
    let source = source(Says::Keys("k1", None));
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
async fn source_that_failed_is_not_asked_again_at_once_for_anybody() {
    let source = source(Says::Keys("k1", None));
    let cache = source.cache();
    cache.get(&at(URI), None).await.unwrap();
    source.says(Says::Nothing);
    seconds(1).await;
    assert_eq!(wait(&cache, Instant::now(), None).await, None);
    seconds(2).await;
    assert_eq!(wait(&cache, Instant::now(), Some("a")).await, Some(3));
    assert_eq!(source.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_fetched_without_end_for_one_question() {
    let source = source(Says::Keys("k1", None));
    let cache = source.cache_with(Limits {
        cool_down: Duration::ZERO,
        ..Limits::default()
    });
    cache.get(&at(URI), None).await.unwrap();
    for says in [Says::Nothing, Says::Keys("k1", None)] {
        source.says(says);
        seconds(1).await;
        let since = Instant::now();
        assert_eq!(wait(&cache, since, None).await, None);
        assert_eq!(wait(&cache, since, None).await, Some(0));
    }
    assert_eq!(source.asked(), 3);
}
