//! The Tower contract, on both sides: the inner service and the introspection.

use std::{
    cell::Cell,
    future::{Future as _, Ready, ready},
    pin::pin,
    rc::Rc,
    sync::{Arc, Mutex, mpsc::channel},
    task::{Context, Poll, Wake},
};

use http_body_util::Empty;
use hyper::{Request, Response, StatusCode, Version, body::Bytes, header};
use tokio::io::AsyncWriteExt as _;
use tokio_test::{assert_pending, assert_ready_ok, task};
use tower::{BoxError, Layer as _, Service, ServiceExt, service_fn};
use tower_revocation::{
    Secret,
    enforce::{Abortable, EnforcementLayer, Index, Policy, TokenLife},
    introspect::Introspection,
    log::{MemoryLog, RevocationLog as _, Selector},
};
use tower_test::mock;

use crate::fixture::{Known, TOKEN, forever, good, guarded, with_token};

async fn index() -> Index {
    Index::follow(&MemoryLog::new()).await.unwrap()
}

#[tokio::test]
async fn readiness_is_that_of_the_inner_service() {
    let (inner, mut handle) = mock::pair::<Request<_>, Response<Empty<Bytes>>>();
    let (layer, _) = guarded(good()).await;
    let mut service = layer.layer(inner);
    handle.allow(0);
    let mut readiness = task::spawn(());
    let mut poll = |service: &mut _| {
        readiness
            .enter(|cx, _| Service::<Request<http_body_util::Full<Bytes>>>::poll_ready(service, cx))
    };
    assert_pending!(poll(&mut service));
    handle.allow(1);
    assert_ready_ok!(poll(&mut service));
    handle.send_error("closed");
    assert!(matches!(poll(&mut service), Poll::Ready(Err(_))));
}

/// Panics if the instance that is called is not the one that was polled.
#[derive(Default)]
struct Particular {
    ready: bool,
    calls: Rc<Cell<usize>>,
}

impl Clone for Particular {
    fn clone(&self) -> Self {
        Self {
            ready: false,
            calls: self.calls.clone(),
        }
    }
}

impl<B> Service<Request<B>> for Particular {
    type Response = Response<Empty<Bytes>>;
    type Error = BoxError;
    type Future = Ready<Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        assert!(
            std::mem::take(&mut self.ready),
            "called without being ready"
        );
        self.calls.set(self.calls.get() + 1);
        ready(Ok(Response::new(Empty::new())))
    }
}

#[tokio::test]
async fn the_instance_that_was_ready_is_called() {
    let inner = Particular::default();
    let calls = inner.calls.clone();
    let (layer, _) = guarded(good()).await;
    let mut service = layer.layer(inner);
    for _ in 0..3 {
        let request = with_token();
        let response = ServiceExt::<Request<http_body_util::Full<Bytes>>>::ready(&mut service)
            .await
            .unwrap()
            .call(request)
            .await;
        assert_eq!(response.unwrap().status(), StatusCode::OK);
    }
    assert_eq!(calls.get(), 3);
}

#[tokio::test]
async fn the_layer_waits_until_the_introspection_is_ready() {
    let (introspect, mut handle) = mock::pair::<Secret, Option<Introspection>>();
    handle.allow(0);
    let service = EnforcementLayer::new(introspect, index().await).layer(Particular::default());
    let mut response = task::spawn(service.oneshot(with_token()));
    assert_pending!(response.poll());
    handle.allow(1);
    assert!(response.is_woken());
    assert_pending!(response.poll());
    let (token, respond) = handle.next_request().await.unwrap();
    assert_eq!(token.expose(), TOKEN);
    respond.send_response(Some(good()));
    assert_eq!(assert_ready_ok!(response.poll()).status(), StatusCode::OK);
}

#[tokio::test]
async fn refused_request_never_reaches_the_inner_service() {
    let inner = Particular::default();
    let calls = inner.calls.clone();
    let (layer, log) = guarded(good()).await;
    log.append(forever(Selector::grant("g1"))).await.unwrap();
    let refused = layer.layer(inner).oneshot(with_token()).await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(calls.get(), 0);
}

#[tokio::test]
async fn error_of_the_inner_service_is_passed_on() {
    let broken = service_fn(async |_: Request<_>| Err::<Response<Empty<Bytes>>, _>("broken"));
    let (layer, _) = guarded(good()).await;
    let error = layer.layer(broken).oneshot(with_token()).await.unwrap_err();
    assert_eq!(error, "broken");
}

#[tokio::test]
async fn request_has_the_life_of_its_token_if_streams_are_cut() {
    for cut in [true, false] {
        let inner = service_fn(move |request: Request<http_body_util::Full<Bytes>>| {
            assert_eq!(request.extensions().get::<TokenLife>().is_some(), cut);
            ready(Ok::<_, BoxError>(Response::new(request.into_body())))
        });
        let (layer, _) = guarded(good()).await;
        let layer = layer.policy(Policy::new().cut_streams(cut));
        let response = layer.layer(inner).oneshot(with_token()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    }
}

/// Looks a token up in the index when it is woken.
struct LooksUp {
    index: Index,
    found: Mutex<Vec<bool>>,
}

impl Wake for LooksUp {
    fn wake(self: Arc<Self>) {
        let found = self.index.covers(&good());
        self.found.lock().unwrap().push(found);
    }
}

#[tokio::test]
async fn record_is_in_the_index_before_streams_are_woken() {
    let log = MemoryLog::new();
    let index = Index::follow(&log).await.unwrap();
    let (send, lives) = channel();
    let inner = service_fn(move |request: Request<http_body_util::Full<Bytes>>| {
        let life = request.extensions().get::<TokenLife>().unwrap();
        send.send(life.clone()).unwrap();
        ready(Ok::<_, BoxError>(Response::new(request.into_body())))
    });
    let layer = EnforcementLayer::new(Known::with(good()).service(), index.clone());
    layer.layer(inner).oneshot(with_token()).await.unwrap();

    let stream = Arc::new(LooksUp {
        index,
        found: Mutex::default(),
    });
    let waker = stream.clone().into();
    let mut end = pin!(lives.recv().unwrap().end());
    assert_pending!(end.as_mut().poll(&mut Context::from_waker(&waker)));
    log.append(forever(Selector::grant("g1"))).await.unwrap();
    assert_eq!(*stream.found.lock().unwrap(), [true]);
}

#[tokio::test]
async fn rest_of_the_request_is_unchanged() {
    let inner = service_fn(async |request: Request<http_body_util::Full<Bytes>>| {
        assert_eq!(
            request.headers()[header::AUTHORIZATION],
            format!("Bearer {TOKEN}")
        );
        assert_eq!(request.uri(), "/api/me");
        Ok::<_, BoxError>(Response::new(request.into_body()))
    });
    let (layer, _) = guarded(good()).await;
    layer.layer(inner).oneshot(with_token()).await.unwrap();
}

#[tokio::test]
async fn token_that_is_revoked_during_its_introspection_is_refused() {
    let log = MemoryLog::new();
    let (introspect, mut handle) = mock::pair::<Secret, Option<Introspection>>();
    let index = Index::follow(&log).await.unwrap();
    let service = EnforcementLayer::new(introspect, index).layer(Particular::default());
    let mut response = task::spawn(service.oneshot(with_token()));
    handle.allow(1);
    assert_pending!(response.poll());
    let (_, respond) = handle.next_request().await.unwrap();
    log.append(forever(Selector::grant("g1"))).await.unwrap();
    respond.send_response(Some(good()));
    assert_eq!(
        assert_ready_ok!(response.poll()).status(),
        StatusCode::UNAUTHORIZED
    );
}

#[test]
fn service_and_future_are_send_if_their_parts_are() {
    fn is_send<T: Send>(_: &T) {}
    let layer = EnforcementLayer::new(Known::default().service(), Index::new());
    let inner = service_fn(|_: Request<Empty<Bytes>>| {
        ready(Ok::<_, BoxError>(Response::new(Empty::<Bytes>::new())))
    });
    let mut service = layer.layer(inner);
    is_send(&service);
    is_send(&service.call(Request::new(Empty::new())));
}

#[tokio::test]
async fn stream_of_http_2_does_not_take_the_connection_that_it_shares() {
    for (version, aborts) in [(Version::HTTP_11, true), (Version::HTTP_2, false)] {
        let (layer, log) = guarded(good()).await;
        let service = layer.layer(service_fn(async |_| {
            let mut response = Response::new(Empty::<Bytes>::new());
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            Ok::<_, BoxError>(response)
        }));
        let (ours, _theirs) = tokio::io::duplex(8);
        let mut io = Abortable::new(ours);
        let mut request = with_token();
        *request.version_mut() = version;
        request.extensions_mut().insert(io.handle());
        service.oneshot(request).await.unwrap();
        log.append(forever(Selector::grant("g1"))).await.unwrap();
        let written = io.write_all(b"x").await;
        assert_eq!(written.is_err(), aborts, "{version:?}");
    }
}
