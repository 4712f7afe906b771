//! The cache of responses, and revocations that take effect despite it.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;
use tower::ServiceExt as _;
use tower_revocation::{
    Outcome, RevocationRequest, Secret,
    enforce::Index,
    introspect::upstream::Upstream,
    log::{MemoryLog, NumericDate, Revocation, RevocationLog as _},
    revoke::RecordRevocation,
};

use crate::upstream::{
    active, ask,
    server::{Does, PATIENCE, Server, with_status},
};

#[tokio::test]
async fn clones_share_the_cache_and_each_build_has_its_own() {
    let server = Server::json(active(json!({}))).await;
    let builder = server.builder();
    let upstream = builder.clone().build().unwrap();
    for _ in 0..3 {
        assert!(ask(&upstream.clone(), "t").await.unwrap().is_some());
    }
    assert_eq!(server.asked(), 1);
    ask(&upstream, "u").await.unwrap();
    assert_eq!(server.asked(), 2);
    // The cached response was read with other settings.
    let upstream = builder.tenant("one").build().unwrap();
    let token = ask(&upstream, "t").await.unwrap().unwrap();
    assert_eq!((token.tenant.as_deref(), server.asked()), (Some("one"), 3));
}

#[tokio::test]
async fn cache_does_not_delay_a_revocation() {
    let log = MemoryLog::new();
    let index = Index::follow(&log).await.unwrap();
    let now = NumericDate::now();
    let server = Server::json(active(json!({
        "iss": "https://as.example.com", "jti": "j1", "sub": "alice", "sid": "s1",
        "iat": now.seconds(), "exp": now.seconds() + 3600,
        "cnf": { "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" },
    })))
    .await;
    let upstream = server
        .builder()
        .cache(Duration::from_secs(3600), 10)
        .build()
        .unwrap();
    let known = ask(&upstream, "t").await.unwrap().unwrap();
    assert_eq!(known.selectors().count(), 7);
    for selector in known.selectors() {
        // Each selector has a log of its own: one record is enough.
        let (log, before) = (MemoryLog::new(), server.asked());
        let index = Index::follow(&log).await.unwrap();
        let token = ask(&upstream, "t").await.unwrap().unwrap();
        assert!(index.is_live(&token, now), "{selector:?}");
        let record = Revocation::watermark(selector, now, NumericDate::FOREVER);
        log.append(vec![record]).await.unwrap();
        let token = ask(&upstream, "t").await.unwrap().unwrap();
        assert!(!index.is_live(&token, now), "{selector:?}");
        // The responses came from the cache.
        assert_eq!(server.asked(), before);
    }

    // An opaque token, by its digest.
    server.says(&active(json!({ "iat": now.seconds() })));
    let opaque = ask(&upstream, "opaque").await.unwrap().unwrap();
    let record = Revocation::forever(opaque.token.unwrap(), NumericDate::FOREVER);
    assert!(index.is_live(&opaque, now));
    log.append(vec![record]).await.unwrap();
    let (opaque, other) = (
        ask(&upstream, "opaque").await,
        ask(&upstream, "other").await,
    );
    assert!(!index.is_live(&opaque.unwrap().unwrap(), now));
    assert!(index.is_live(&other.unwrap().unwrap(), now));
}

#[tokio::test]
async fn cached_response_expires_with_its_token() {
    let server = Server::json(json!({})).await;
    let upstream = server
        .builder()
        .cache(Duration::from_secs(3600), 10)
        .build()
        .unwrap();
    let (began, exp) = (Instant::now(), NumericDate::now().seconds() + 2);
    server.says(&active(json!({ "exp": exp })));
    assert!(ask(&upstream, "t").await.unwrap().is_some());
    server.says(&json!({ "active": false }));
    while ask(&upstream, "t").await.unwrap().is_some() {
        assert!(began.elapsed() < PATIENCE, "it is still cached");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(NumericDate::now().seconds() >= exp);
    assert_eq!(server.asked(), 2);
}

#[tokio::test]
async fn response_is_cached_for_the_configured_time() {
    let server = Server::json(active(json!({}))).await;
    let ttl = Duration::from_millis(50);
    let upstream = server.builder().cache(ttl, 10).build().unwrap();
    let began = Instant::now();
    ask(&upstream, "t").await.unwrap();
    while server.asked() < 2 {
        assert!(began.elapsed() < PATIENCE, "it is still cached");
        ask(&upstream, "t").await.unwrap();
    }
    assert!(began.elapsed() >= ttl);
}

#[tokio::test]
async fn error_is_not_cached() {
    let server = Server::start(Does::Respond(with_status(503))).await;
    let upstream = server.upstream();
    for _ in 0..3 {
        ask(&upstream, "t").await.unwrap_err();
    }
    assert_eq!(server.asked(), 3);
    server.says(&active(json!({})));
    assert!(ask(&upstream, "t").await.unwrap().is_some());
}

#[tokio::test]
async fn cache_is_bounded() {
    let server = Server::json(active(json!({}))).await;
    let upstream = server
        .builder()
        .cache(Duration::from_secs(3600), 3)
        .build()
        .unwrap();
    for token in 0..30 {
        ask(&upstream, &token.to_string()).await.unwrap();
    }
    for token in 0..30 {
        ask(&upstream, &token.to_string()).await.unwrap();
    }
    // At most three were still cached the second time.
    assert!(server.asked() >= 57, "{}", server.asked());
}

#[tokio::test]
async fn response_that_is_too_large_for_the_cache_is_used() {
    let server = Server::json(active(json!({ "fill": "a".repeat(4096) }))).await;
    let upstream = server.upstream();
    for _ in 0..2 {
        assert!(ask(&upstream, "t").await.unwrap().is_some());
    }
    assert_eq!(server.asked(), 2);
}

#[tokio::test]
async fn response_that_takes_too_much_memory_is_not_cached() {
    // 2 000 bytes of JSON, but 24 bytes and more for each name.
    for (names, requests) in [(100, 1), (700, 2)] {
        let server = Server::json(active(json!({ "aud": vec![""; names] }))).await;
        let upstream = server.upstream();
        for _ in 0..2 {
            let token = ask(&upstream, "t").await.unwrap().unwrap();
            assert_eq!(token.aud.len(), names);
        }
        assert_eq!(server.asked(), requests, "{names}");
    }
}

#[tokio::test]
async fn thousand_callers_at_once_cause_one_request() {
    let server = Server::json(active(json!({}))).await;
    for upstream in [server.upstream(), server.uncached()] {
        let before = server.asked();
        for outcome in join_all((0..1000).map(|_| ask(&upstream, "t"))).await {
            assert!(outcome.unwrap().is_some());
        }
        assert_eq!(server.asked(), before + 1);
    }
}

#[tokio::test]
async fn caller_that_stops_waiting_disturbs_no_other() {
    let server = Server::json(active(json!({}))).await;
    server.hold();
    let upstream = server.uncached();
    let asking = |upstream: Upstream| tokio::spawn(async move { ask(&upstream, "t").await });
    let first = asking(upstream.clone());
    server.has_been_asked(1).await;
    let others: Vec<_> = (0..10).map(|_| asking(upstream.clone())).collect();
    // All callers have joined the request.
    tokio::task::yield_now().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    server.permit(1);
    for other in others {
        assert!(other.await.unwrap().unwrap().is_some());
    }
    assert_eq!(server.asked(), 1);
}

#[tokio::test]
async fn token_revoked_here_is_refused_without_another_request() {
    let log = MemoryLog::new();
    let index = Index::follow(&log).await.unwrap();
    let now = NumericDate::now();
    let beside = json!({ "iat": now.seconds(), "exp": now.seconds() + 3600 });
    let server = Server::json(active(beside)).await;
    let upstream = server
        .builder()
        .cache(Duration::from_secs(3600), 10)
        .build()
        .unwrap();
    assert!(index.is_live(&ask(&upstream, "t").await.unwrap().unwrap(), now));

    let backend = RecordRevocation::new(upstream.clone(), log);
    let revoke = async |client: &str| {
        let request = RevocationRequest::new(client.to_owned(), Secret::new("t"));
        backend.clone().oneshot(request).await.unwrap()
    };
    assert_eq!(revoke("c2").await, Outcome::IssuedToAnother);
    assert!(index.is_live(&ask(&upstream, "t").await.unwrap().unwrap(), now));
    assert_eq!(revoke("c1").await, Outcome::Revoked);
    assert!(!index.is_live(&ask(&upstream, "t").await.unwrap().unwrap(), now));
    assert_eq!(server.asked(), 1);
}
