//! The cache, against a simulated server.

mod sharing;

use std::sync::atomic::AtomicUsize;

use futures::poll;
use tokio::{sync::Semaphore, time::advance};

use super::{super::UpstreamErrorKind, *};
use crate::introspect::{Introspection, TokenKind};

/// A simulated server: its response, and how many requests it has received.
struct Server {
    response: Mutex<Canned>,
    requests: AtomicUsize,
    permits: Semaphore,
}

#[derive(Clone)]
enum Canned {
    Active,
    Until(NumericDate),
    Large,
    Inactive,
    Error,
}

fn server() -> Arc<Server> {
    Arc::new(Server {
        response: Mutex::new(Canned::Active),
        requests: AtomicUsize::new(0),
        permits: Semaphore::new(Semaphore::MAX_PERMITS),
    })
}

impl Server {
    fn respond_with(&self, response: Canned) {
        *self.response.lock().unwrap() = response;
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// Holds all responses back until permits are added.
    fn hold(&self) {
        self.permits.forget_permits(Semaphore::MAX_PERMITS);
    }

    fn cache(self: &Arc<Self>, ttl: u64, capacity: usize) -> Arc<ResponseCache> {
        let server = Arc::clone(self);
        let ttl = Duration::from_secs(ttl);
        let send = move |token: Secret| -> BoxFuture<'static, Result<Response, UpstreamError>> {
            let server = Arc::clone(&server);
            server.requests.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move {
                server.permits.acquire().await.unwrap().forget();
                let response = server.response.lock().unwrap().clone();
                let mut known = Introspection::new(TokenKind::AccessToken, token.expose());
                if let Canned::Until(exp) = response {
                    known.exp = Some(exp);
                }
                match response {
                    Canned::Error => Err(UpstreamError::malformed("an error")),
                    Canned::Inactive => Ok(Response {
                        introspected: None.into(),
                        is_cacheable: true,
                    }),
                    Canned::Active | Canned::Until(_) | Canned::Large => Ok(Response {
                        introspected: known.into(),
                        is_cacheable: !matches!(response, Canned::Large),
                    }),
                }
            })
        };
        Arc::new(ResponseCache::new(
            CacheLimits { ttl, capacity },
            Box::new(send),
        ))
    }
}

impl ResponseCache {
    async fn introspect(self: &Arc<Self>, token: &str) -> UpstreamResult {
        match self.look_up(Secret::new(token)) {
            Lookup::Cached(introspected) => Ok(introspected),
            Lookup::Pending(request) => request.await,
        }
    }
}

fn is_active(outcome: &UpstreamResult) -> bool {
    outcome.as_ref().unwrap().token().is_some()
}

async fn seconds(seconds: u64) {
    advance(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn response_is_cached_for_its_time_and_no_longer() {
    let server = server();
    let cache = server.cache(10, 100);
    for _ in 0..3 {
        assert_eq!(
            cache
                .introspect("t")
                .await
                .unwrap()
                .into_token()
                .unwrap()
                .client_id,
            "t"
        );
    }
    server.respond_with(Canned::Inactive);
    advance(Duration::from_millis(9_999)).await;
    assert!(is_active(&cache.introspect("t").await));
    assert_eq!(server.requests(), 1);
    advance(Duration::from_millis(1)).await;
    assert!(!is_active(&cache.introspect("t").await));
    assert_eq!(server.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn cache_time_starts_with_the_request() {
    let server = server();
    server.hold();
    let cache = server.cache(10, 100);
    let mut waiting = Box::pin(cache.introspect("t"));
    assert!(poll!(&mut waiting).is_pending());
    seconds(9).await;
    server.permits.add_permits(2);
    waiting.await.unwrap();
    seconds(1).await;
    cache.introspect("t").await.unwrap();
    assert_eq!(server.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn unknown_token_is_cached_for_a_second() {
    let server = server();
    server.respond_with(Canned::Inactive);
    let cache = server.cache(10, 100);
    assert!(!is_active(&cache.introspect("t").await));
    server.respond_with(Canned::Active);
    assert!(!is_active(&cache.introspect("t").await));
    assert_eq!(server.requests(), 1);
    seconds(1).await;
    assert!(is_active(&cache.introspect("t").await));
}

#[tokio::test(start_paused = true)]
async fn error_is_not_cached() {
    let server = server();
    server.respond_with(Canned::Error);
    let cache = server.cache(10, 100);
    for _ in 0..2 {
        let error = cache.introspect("t").await.unwrap_err();
        assert_eq!(error.kind(), UpstreamErrorKind::Malformed);
    }
    assert_eq!((server.requests(), cache.len()), (2, 0));
    server.respond_with(Canned::Active);
    assert!(is_active(&cache.introspect("t").await));
}

/// The test pauses tokio's clock. `exp` is compared with the system's clock.
#[tokio::test(start_paused = true)]
async fn response_is_not_cached_beyond_the_expiry_of_the_token() {
    let server = server();
    let cache = server.cache(10_000, 100);
    let now = NumericDate::now();
    server.respond_with(Canned::Until(now));
    cache.introspect("past").await.unwrap();
    cache.introspect("past").await.unwrap();
    assert_eq!(server.requests(), 2);
    server.respond_with(Canned::Until(now + Duration::from_secs(3600)));
    cache.introspect("future").await.unwrap();
    cache.introspect("future").await.unwrap();
    assert_eq!(server.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn large_response_is_not_cached() {
    let server = server();
    server.respond_with(Canned::Large);
    let cache = server.cache(10, 100);
    for _ in 0..2 {
        assert!(is_active(&cache.introspect("t").await));
    }
    assert_eq!((server.requests(), cache.len()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_cached_with_zero_time_or_zero_capacity() {
    for (ttl, capacity) in [(0, 100), (10, 0)] {
        let server = server();
        let cache = server.cache(ttl, capacity);
        for _ in 0..3 {
            cache.introspect("t").await.unwrap();
        }
        assert_eq!((server.requests(), cache.len()), (3, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn cache_never_exceeds_its_capacity() {
    for capacity in [1, 3, 100] {
        let server = server();
        let cache = server.cache(10, capacity);
        for token in 0..1000 {
            cache.introspect(&token.to_string()).await.unwrap();
            assert!(cache.len() <= capacity);
        }
        assert!(cache.len() > 0);
    }
}

#[test]
fn tag_depends_on_the_token_and_on_a_random_key() {
    let server = server();
    let (one, other) = (server.cache(10, 1), server.cache(10, 1));
    assert_eq!(one.tag("t"), one.tag("t"));
    assert_ne!(one.tag("t"), one.tag("u"));
    assert_ne!(one.tag("t"), other.tag("t"));
}

#[tokio::test(start_paused = true)]
async fn index_may_keep_something_with_a_cached_token() {
    let server = server();
    for (capacity, keeps) in [(100, true), (0, false)] {
        let cache = server.cache(10, capacity);
        let read = async || {
            let token = cache.introspect("t").await.unwrap().into_token().unwrap();
            token.numbers(7).is_some()
        };
        assert!(!read().await);
        assert_eq!(read().await, keeps);
        assert_eq!(read().await, keeps);
    }
}
