//! Callers that share a request.

use futures::{future::join_all, poll};

use super::*;

#[tokio::test(start_paused = true)]
async fn thousand_callers_share_one_request_about_a_token() {
    let server = server();
    for cache in [server.cache(10, 100), server.cache(0, 0)] {
        let before = server.requests();
        server.hold();
        let mut all = Box::pin(join_all((0..1000).map(|_| cache.introspect("t"))));
        assert!(poll!(&mut all).is_pending());
        server.permits.add_permits(Semaphore::MAX_PERMITS);
        assert!(all.await.iter().all(is_active));
        assert_eq!(server.requests(), before + 1);
        assert!(cache.pending().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn all_waiting_callers_get_the_error() {
    let server = server();
    server.respond_with(Canned::Error);
    server.hold();
    let cache = server.cache(10, 100);
    let mut all = Box::pin(join_all((0..10).map(|_| cache.introspect("t"))));
    assert!(poll!(&mut all).is_pending());
    server.permits.add_permits(1);
    assert!(all.await.iter().all(Result::is_err));
    assert_eq!(server.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn different_tokens_are_different_requests() {
    let server = server();
    server.hold();
    let cache = server.cache(10, 100);
    let mut all = Box::pin(join_all(
        ["a", "b", "c"].map(|token| cache.introspect(token)),
    ));
    assert!(poll!(&mut all).is_pending());
    assert_eq!(server.requests(), 3);
    server.permits.add_permits(3);
    for (outcome, token) in all.await.into_iter().zip(["a", "b", "c"]) {
        assert_eq!(outcome.unwrap().into_token().unwrap().client_id, token);
    }
}

#[tokio::test(start_paused = true)]
async fn caller_that_stops_waiting_does_not_disturb_the_others() {
    let server = server();
    server.hold();
    let cache = server.cache(10, 100);
    let mut leader = Box::pin(cache.introspect("t"));
    assert!(poll!(&mut leader).is_pending());
    let followers: Vec<_> = (0..10)
        .map(|_| {
            let cache = Arc::clone(&cache);
            tokio::spawn(async move { cache.introspect("t").await })
        })
        .collect();
    tokio::task::yield_now().await;
    drop(leader);
    server.permits.add_permits(1);
    for follower in followers {
        assert!(is_active(&follower.await.unwrap()));
    }
    assert_eq!(server.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn abandoned_request_is_dropped_and_sent_again() {
    let server = server();
    server.hold();
    let cache = server.cache(10, 100);
    for requests in 1..=3 {
        let mut waiting = Box::pin(cache.introspect("t"));
        assert!(poll!(&mut waiting).is_pending());
        assert_eq!((server.requests(), cache.pending().len()), (requests, 1));
        drop(waiting);
        assert!(cache.pending().is_empty());
    }
    server.permits.add_permits(1);
    assert!(is_active(&cache.introspect("t").await));
}

#[tokio::test(start_paused = true)]
async fn request_that_is_dropped_late_does_not_remove_its_successor() {
    let server = server();
    server.hold();
    let cache = server.cache(10, 100);
    let token = || Secret::new("t");
    let Lookup::Pending(first) = cache.look_up(token()) else {
        panic!("nothing is cached");
    };
    // As if the first request were being dropped at this moment.
    let old = cache.pending().remove(&cache.tag("t")).unwrap();
    let Lookup::Pending(second) = cache.look_up(token()) else {
        panic!("nothing is cached");
    };
    drop((first, old));
    let Lookup::Pending(third) = cache.look_up(token()) else {
        panic!("nothing is cached");
    };
    assert!(second.ptr_eq(&third));
    assert_eq!(server.requests(), 2);
}
