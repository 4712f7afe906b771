//! The timeouts of the body and of the whole request.

use std::{
    convert::Infallible,
    future::pending,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{Full, StreamBody};
use hyper::{
    Request, StatusCode,
    body::{Body, Frame},
};
use hyper_util::rt::TokioTimer;
use tower::{BoxError, Layer as _, Service, ServiceExt as _, service_fn};
use tower_revocation::{Outcome, RevocationLayer, client::Credentials};
use tower_test::mock;

use super::{PATH, Revocation, Strict, empty, known, revocation, revoked, status_of, with_body};

#[tokio::test(start_paused = true)]
async fn backend_that_never_becomes_ready_is_503_after_the_timeout() {
    let (backend, mut backends) = mock::pair::<Revocation, Outcome>();
    backends.allow(0);
    let layer = RevocationLayer::new(PATH, service_fn(known), backend)
        .timer(TokioTimer::new())
        .body_timeout(Duration::from_secs(1))
        .timeout(Duration::from_secs(3));
    let begun = tokio::time::Instant::now();
    let unavailable = (StatusCode::SERVICE_UNAVAILABLE, Some("1".to_owned()));
    assert_eq!(status_of(layer).await, unavailable);
    assert_eq!(begun.elapsed().as_secs(), 3);
    assert!(backends.next_request().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn authenticator_that_never_responds_is_503_after_the_timeout() {
    let silent = service_fn(async |_| pending::<Result<Option<_>, BoxError>>().await);
    let backend = Strict::new(|_: Revocation| panic!("no client was authenticated"));
    let layer = RevocationLayer::new(PATH, silent, backend)
        .timer(TokioTimer::new())
        .timeout(Duration::from_secs(3));
    let begun = tokio::time::Instant::now();
    assert_eq!(status_of(layer).await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(begun.elapsed().as_secs(), 3);
}

/// Counts drops.
struct Dropped(Arc<AtomicUsize>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// An outer service may keep the future while it sends the response. Permits of a concurrency limit
/// and locks must not wait for that.
#[tokio::test(start_paused = true)]
async fn slow_backend_is_dropped_with_the_response() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let held = dropped.clone();
    let backend = service_fn(move |_: Revocation| {
        let held = Dropped(held.clone());
        async move {
            pending::<()>().await;
            drop(held);
            Ok::<_, BoxError>(Outcome::Revoked)
        }
    });
    let mut service = RevocationLayer::new(PATH, service_fn(known), backend)
        .timer(TokioTimer::new())
        .layer(service_fn(empty::<Full<Bytes>>));
    let mut response = pin!(service.call(revocation()));
    let result = response.as_mut().await.unwrap();
    assert_eq!(result.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(dropped.load(Ordering::Relaxed), 1);
}

/// Sends the beginning of a form, and then stalls.
fn stalled() -> impl Body<Data = Bytes, Error = Infallible> {
    use futures::StreamExt as _;

    let beginning = futures::stream::iter([Ok(Frame::data(Bytes::from("token=45gh")))]);
    StreamBody::new(beginning.chain(futures::stream::pending()))
}

#[tokio::test(start_paused = true)]
async fn stalled_body_is_408_after_the_timeout() {
    let authenticator = Strict::new(|_: Request<Credentials>| panic!("the form is not complete"));
    let service = RevocationLayer::new(PATH, authenticator, service_fn(revoked))
        .timer(TokioTimer::new())
        .body_timeout(Duration::from_secs(2))
        .layer(service_fn(empty));
    let begun = tokio::time::Instant::now();
    let response = service.oneshot(with_body(stalled())).await.unwrap();
    assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
    assert_eq!(response.headers()["connection"], "close");
    assert_eq!(begun.elapsed().as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn without_a_timer_there_is_no_timeout() {
    let service = RevocationLayer::new(PATH, service_fn(known), service_fn(revoked))
        .body_timeout(Duration::from_secs(2))
        .timeout(Duration::from_secs(3))
        .layer(service_fn(empty));
    let response = service.oneshot(with_body(stalled()));
    let waited = tokio::time::timeout(Duration::from_secs(3600), response).await;
    assert!(waited.is_err());
}
