//! The Tower contract of the inner service, the authenticator and the backend.

use std::{
    cell::Cell,
    convert::Infallible,
    fmt,
    future::{Future, Ready, pending, ready},
    marker::PhantomData,
    pin::{Pin, pin},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Full, StreamBody};
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    body::{Body, Frame},
};
use hyper_util::rt::TokioTimer;
use tokio_test::{assert_pending, assert_ready_err, assert_ready_ok, task};
use tower::{BoxError, Layer as _, Service, ServiceBuilder, ServiceExt as _, retry, service_fn};
use tower_http::catch_panic::CatchPanicLayer;
use tower_revocation::{
    Error, ErrorKind, Outcome, RevocationLayer, RevocationRequest, client::Credentials,
};
use tower_test::mock;

type Revocation = RevocationRequest<&'static str>;

const PATH: &str = "/revoke";

fn revocation() -> Request<Full<Bytes>> {
    with_body(Full::from("token=45ghiukldjahdnhzdauz&client_id=spa-1"))
}

fn with_body<B>(body: B) -> Request<B> {
    Request::post(PATH)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
        .unwrap()
}

fn elsewhere() -> Request<Full<Bytes>> {
    Request::new(Full::default())
}

async fn known(_: Request<Credentials>) -> Result<Option<&'static str>, BoxError> {
    Ok(Some("spa-1"))
}

async fn revoked(_: Revocation) -> Result<Outcome, BoxError> {
    Ok(Outcome::Revoked)
}

async fn empty<B>(_: Request<B>) -> Result<Response<Empty<Bytes>>, BoxError> {
    Ok(Response::new(Empty::new()))
}

/// The status and the `Retry-After` of one revocation.
async fn status_of<A, B>(layer: RevocationLayer<A, B>) -> (StatusCode, Option<String>)
where
    A: Service<Request<Credentials>, Response = Option<&'static str>> + Clone,
    A::Error: Into<BoxError>,
    B: Service<Revocation, Response = Outcome> + Clone,
    B::Error: Into<BoxError>,
{
    let service = layer.layer(service_fn(empty::<Full<Bytes>>));
    let response = service.oneshot(revocation()).await.unwrap();
    let retry_after = response.headers().get("retry-after");
    let retry_after = retry_after.map(|value| value.to_str().unwrap().to_owned());
    (response.status(), retry_after)
}

/// Panics if it is called without `poll_ready` on the same instance.
struct Strict<F> {
    ready: bool,
    respond: F,
}

impl<F> Strict<F> {
    fn new(respond: F) -> Self {
        Self {
            ready: false,
            respond,
        }
    }
}

/// A clone is not ready.
impl<F: Clone> Clone for Strict<F> {
    fn clone(&self) -> Self {
        Self::new(self.respond.clone())
    }
}

impl<F, Req, Res> Service<Req> for Strict<F>
where
    F: FnMut(Req) -> Res,
{
    type Response = Res;
    type Error = BoxError;
    type Future = Ready<Result<Res, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        if self.ready {
            return Poll::Ready(Ok(()));
        }
        // Not ready at the first poll.
        self.ready = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn call(&mut self, request: Req) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called while not ready");
        ready(Ok((self.respond)(request)))
    }
}

#[tokio::test]
async fn readiness_is_that_of_the_inner_service() {
    let layer = RevocationLayer::new(PATH, service_fn(known), service_fn(revoked));
    let (mut service, mut inner) =
        mock::spawn_with::<Request<Full<Bytes>>, Response<Empty<Bytes>>, _, _>(|inner| {
            layer.layer(inner)
        });

    inner.allow(0);
    assert_pending!(service.poll_ready());
    inner.allow(1);
    assert!(service.is_woken());
    assert_ready_ok!(service.poll_ready());

    let mut response = task::spawn(service.call(elsewhere()));
    let (_, reply) = inner.next_request().await.unwrap();
    assert_pending!(response.poll());
    reply.send_response(Response::new(Empty::new()));
    assert_ready_ok!(response.poll());

    inner.allow(0);
    assert_pending!(service.poll_ready());
    inner.send_error("broken");
    assert_eq!(
        assert_ready_err!(service.poll_ready()).to_string(),
        "broken"
    );
}

#[tokio::test]
async fn authenticator_and_backend_are_called_when_ready() {
    let (authenticator, mut authenticators) =
        mock::pair::<Request<Credentials>, Option<&'static str>>();
    let (backend, mut backends) = mock::pair::<Revocation, Outcome>();
    authenticators.allow(0);
    backends.allow(0);
    let mut service =
        RevocationLayer::new(PATH, authenticator, backend).layer(service_fn(empty::<Full<Bytes>>));

    let mut response = task::spawn(service.call(revocation()));
    assert_pending!(response.poll());
    assert_pending!(authenticators.poll_request());

    authenticators.allow(1);
    assert!(response.is_woken());
    assert_pending!(response.poll());
    let (request, reply) = authenticators.next_request().await.unwrap();
    assert_eq!(request.uri(), PATH);
    // The layer does not call the backend before it knows the client.
    assert_pending!(backends.poll_request());
    reply.send_response(Some("spa-1"));
    assert_pending!(response.poll());
    assert_pending!(backends.poll_request());

    backends.allow(1);
    assert!(response.is_woken());
    assert_pending!(response.poll());
    let (request, reply) = backends.next_request().await.unwrap();
    assert_eq!(
        (request.client, request.token.expose()),
        ("spa-1", "45ghiukldjahdnhzdauz")
    );
    reply.send_response(Outcome::Revoked);
    let response = assert_ready_ok!(response.poll());
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn no_service_is_called_before_it_is_ready() {
    let authenticator = Strict::new(|_: Request<Credentials>| Some("spa-1"));
    let backend = Strict::new(|_: Revocation| Outcome::Revoked);
    let inner = Strict::new(|_: Request<Full<Bytes>>| {
        let mut response = Response::new(Empty::<Bytes>::new());
        *response.status_mut() = StatusCode::IM_A_TEAPOT;
        response
    });
    let mut service = RevocationLayer::new(PATH, authenticator, backend).layer(inner);

    for (request, status) in [
        (revocation(), StatusCode::OK),
        (elsewhere(), StatusCode::IM_A_TEAPOT),
        (revocation(), StatusCode::OK),
        (revocation(), StatusCode::OK),
        (elsewhere(), StatusCode::IM_A_TEAPOT),
    ] {
        let service = service.ready().await.unwrap();
        assert_eq!(service.call(request).await.unwrap().status(), status);
    }
}

/// Neither `Clone` nor `Send`, and with a borrow.
struct Borrowing<'a> {
    calls: &'a Cell<u32>,
    not_send: PhantomData<Rc<()>>,
}

impl<'a> Service<Request<BorrowedBody<'a>>> for Borrowing<'a> {
    type Response = Response<Full<Bytes>>;
    type Error = &'a str;
    type Future = Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<BorrowedBody<'a>>) -> Self::Future {
        self.calls.set(self.calls.get() + 1);
        ready(match request.into_body().0 {
            "" => Ok(Response::default()),
            text => Err(text),
        })
    }
}

struct BorrowedBody<'a>(&'a str, PhantomData<Rc<()>>);

impl Body for BorrowedBody<'_> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let rest = std::mem::take(&mut self.0);
        Poll::Ready(
            (!rest.is_empty()).then(|| Ok(Frame::data(Bytes::copy_from_slice(rest.as_bytes())))),
        )
    }
}

#[tokio::test]
async fn inner_service_may_borrow_and_needs_neither_clone_nor_send() {
    let (calls, text) = (Cell::new(0), String::from("inner error"));
    let inner = Borrowing {
        calls: &calls,
        not_send: PhantomData,
    };
    let mut service =
        RevocationLayer::new(PATH, service_fn(known), service_fn(revoked)).layer(inner);
    let body = |text| BorrowedBody(text, PhantomData);

    let response = service.call(Request::new(body(""))).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let error = service.call(Request::new(body(&text))).await.unwrap_err();
    assert!(std::ptr::eq(error, text.as_str()));
    let form = String::from("token=45ghiukldjahdnhzdauz&client_id=spa-1");
    let response = service.call(with_body(body(&form))).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(calls.get(), 2);
}

#[derive(Debug, PartialEq)]
struct Broken(u8);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "broken {}", self.0)
    }
}

impl std::error::Error for Broken {}

#[tokio::test]
async fn bodies_trailers_errors_and_extensions_pass_unchanged() {
    #[derive(Clone, Debug, PartialEq)]
    struct Mark(u8);

    // Sends the body back frame by frame, so the test sees both directions.
    let inner = service_fn(async |request: Request<_>| {
        let (head, body) = request.into_parts();
        if head.uri.path() == "/broken" {
            Err(Broken(1))
        } else {
            let mut response = Response::new(body);
            response
                .extensions_mut()
                .insert(head.extensions.get::<Mark>().cloned());
            *response.headers_mut() = head.headers;
            Ok(response)
        }
    });
    let mut service =
        RevocationLayer::new(PATH, service_fn(known), service_fn(revoked)).layer(inner);

    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", "0".parse().unwrap());
    let frames = [
        Ok(Frame::data(Bytes::from("a"))),
        Ok(Frame::data(Bytes::from("b"))),
        Ok(Frame::trailers(trailers.clone())),
        Err(Broken(2)),
    ];
    let request = Request::get("/elsewhere")
        .header("authorization", "Bearer inner")
        .extension(Mark(7))
        .body(StreamBody::new(futures::stream::iter(Vec::from(frames))))
        .unwrap();

    let response = service.call(request).await.unwrap();
    assert_eq!(response.headers()["authorization"], "Bearer inner");
    assert_eq!(
        response.extensions().get::<Option<Mark>>(),
        Some(&Some(Mark(7)))
    );
    let mut body = response.into_body();
    assert!(!body.is_end_stream());
    for text in ["a", "b"] {
        let frame = body.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), text);
    }
    let frame = body.frame().await.unwrap().unwrap();
    assert_eq!(frame.into_trailers().unwrap(), trailers);
    assert_eq!(body.frame().await.unwrap().unwrap_err(), Broken(2));
    assert!(body.frame().await.is_none());

    let request = Request::get("/broken")
        .body(StreamBody::new(futures::stream::iter(Vec::new())))
        .unwrap();
    assert_eq!(service.call(request).await.unwrap_err(), Broken(1));
}

#[tokio::test]
async fn tower_middleware_composes_around_authenticator_and_backend() {
    let authenticator = ServiceBuilder::new()
        .load_shed()
        .buffer(8)
        .concurrency_limit(8)
        .timeout(Duration::from_secs(5))
        .service(Strict::new(|_: Request<Credentials>| Some("spa-1")));
    let attempts = Arc::new(AtomicUsize::new(0));
    let flaky = {
        let attempts = attempts.clone();
        service_fn(move |request: Revocation| {
            if attempts.fetch_add(1, Ordering::Relaxed) == 0 {
                ready(Err(BoxError::from("temporarily down")))
            } else {
                assert_eq!(request.token.expose(), "45ghiukldjahdnhzdauz");
                ready(Ok(Outcome::Revoked))
            }
        })
    };
    let backend = ServiceBuilder::new()
        .load_shed()
        .buffer(8)
        .concurrency_limit(8)
        .timeout(Duration::from_secs(5))
        .retry(Once(true))
        .service(flaky);

    let layer = RevocationLayer::new(PATH, authenticator, backend);
    assert_eq!(status_of(layer).await, (StatusCode::OK, None));
    assert_eq!(attempts.load(Ordering::Relaxed), 2);
}

/// Retries once.
#[derive(Clone)]
struct Once(bool);

impl<Req: Clone, Res> retry::Policy<Req, Res, BoxError> for Once {
    type Future = Ready<()>;

    fn retry(&mut self, _: &mut Req, result: &mut Result<Res, BoxError>) -> Option<Self::Future> {
        (result.is_err() && std::mem::take(&mut self.0)).then(|| ready(()))
    }

    fn clone_request(&mut self, request: &Req) -> Option<Req> {
        Some(request.clone())
    }
}

#[tokio::test]
async fn error_of_authenticator_or_backend_is_503() {
    let down = async |_| Err::<Option<_>, _>(BoxError::from("down"));
    let layer = RevocationLayer::new(PATH, service_fn(down), service_fn(revoked));
    let unavailable = (StatusCode::SERVICE_UNAVAILABLE, Some("1".to_owned()));
    assert_eq!(status_of(layer).await, unavailable);

    let down = service_fn(async |_| Err::<Outcome, _>(Broken(1)));
    let layer = RevocationLayer::new(PATH, service_fn(known), down);
    assert_eq!(status_of(layer.clone()).await, unavailable);

    let layer = layer.retry_after(Duration::from_millis(2500));
    let unavailable = (StatusCode::SERVICE_UNAVAILABLE, Some("3".to_owned()));
    assert_eq!(status_of(layer).await, unavailable);
}

#[tokio::test]
async fn backend_that_fails_to_become_ready_is_503() {
    let (backend, mut backends) = mock::pair::<Revocation, Outcome>();
    backends.send_error("gone");
    let layer = RevocationLayer::new(PATH, service_fn(known), backend);
    assert_eq!(status_of(layer).await.0, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn body_length_passes() {
    let inner = service_fn(async |request: Request<Full<Bytes>>| {
        Ok::<_, Infallible>(Response::new(request.into_body()))
    });
    let service = RevocationLayer::new(PATH, service_fn(known), service_fn(revoked)).layer(inner);
    for (text, ends) in [("", true), ("7 bytes", false)] {
        let response = service.clone().oneshot(Request::new(Full::from(text)));
        let body = response.await.unwrap().into_body();
        assert_eq!(body.is_end_stream(), ends);
        assert_eq!(body.size_hint().exact(), Some(text.len() as u64));
    }
}

/// An error of an application, around an error of this crate.
#[derive(Debug)]
struct Own(BoxError);

impl fmt::Display for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an application error")
    }
}

impl std::error::Error for Own {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}

fn too_many() -> Error {
    Error::new(ErrorKind::TooManyRequests).retry_after(Duration::from_millis(1500))
}

#[tokio::test]
async fn crate_error_in_the_source_chain_decides_the_response() {
    let limited = (StatusCode::TOO_MANY_REQUESTS, Some("2".to_owned()));

    let bare = service_fn(async |_| Err::<Option<_>, _>(too_many()));
    let layer = RevocationLayer::new(PATH, bare, service_fn(revoked));
    assert_eq!(status_of(layer).await, limited);

    let own = service_fn(async |_| Err::<Outcome, _>(Own(Own(too_many().into()).into())));
    let layer = RevocationLayer::new(PATH, service_fn(known), own);
    assert_eq!(status_of(layer).await, limited);

    let layered = ServiceBuilder::new()
        .load_shed()
        .timeout(Duration::from_secs(5))
        .service_fn(async |_| Err::<Outcome, _>(Own(too_many().into())));
    let layer = RevocationLayer::new(PATH, service_fn(known), layered);
    assert_eq!(status_of(layer).await, limited);
}

#[tokio::test]
async fn error_is_in_the_extensions_with_its_cause() {
    let own = service_fn(async |_| Err::<Outcome, _>(Own(too_many().into())));
    let service =
        RevocationLayer::new(PATH, service_fn(known), own).layer(service_fn(empty::<Full<Bytes>>));
    let response = service.oneshot(revocation()).await.unwrap();
    let error = response.extensions().get::<Error>().unwrap();
    assert_eq!(error.kind(), ErrorKind::TooManyRequests);
    let cause = std::error::Error::source(error).unwrap();
    assert_eq!(cause.to_string(), "an application error");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, r#"{"error":"temporarily_unavailable"}"#);
}

/// If the service fails in `poll_ready`, the `Buffer` closes and returns the cause to all callers.
#[tokio::test]
async fn buffer_does_not_hide_the_crate_error() {
    let (backend, mut backends) = mock::pair::<Revocation, Outcome>();
    backends.send_error(too_many());
    let backend = ServiceBuilder::new().buffer(1).service(backend);
    let layer = RevocationLayer::new(PATH, service_fn(known), backend);
    let limited = (StatusCode::TOO_MANY_REQUESTS, Some("2".to_owned()));
    assert_eq!(status_of(layer).await, limited);
}

#[tokio::test]
async fn overloaded_or_slow_backend_is_503() {
    let busy = ServiceBuilder::new()
        .load_shed()
        .concurrency_limit(0)
        .service_fn(revoked);
    let layer = RevocationLayer::new(PATH, service_fn(known), busy);
    assert_eq!(status_of(layer).await.0, StatusCode::SERVICE_UNAVAILABLE);

    let slow = ServiceBuilder::new()
        .timeout(Duration::ZERO)
        .service_fn(async |_| pending::<Result<Outcome, BoxError>>().await);
    let layer = RevocationLayer::new(PATH, service_fn(known), slow);
    assert_eq!(status_of(layer).await.0, StatusCode::SERVICE_UNAVAILABLE);
}

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

#[tokio::test]
async fn dropped_future_calls_no_further_service() {
    let (authenticator, mut authenticators) =
        mock::pair::<Request<Credentials>, Option<&'static str>>();
    let (backend, mut backends) = mock::pair::<Revocation, Outcome>();
    let mut service =
        RevocationLayer::new(PATH, authenticator, backend).layer(service_fn(empty::<Full<Bytes>>));

    // Called, but never polled.
    drop(service.call(revocation()));
    assert_pending!(authenticators.poll_request());

    let mut response = task::spawn(service.call(revocation()));
    assert_pending!(response.poll());
    let (_, reply) = authenticators.next_request().await.unwrap();
    drop(response);
    reply.send_response(Some("spa-1"));
    assert_pending!(backends.poll_request());
    drop(service);
    assert!(backends.next_request().await.is_none());
}

#[tokio::test]
async fn panic_of_the_backend_is_500_and_other_requests_succeed() {
    let backend = service_fn(async |request: Revocation| {
        assert_ne!(request.token.expose(), "poison", "deliberate");
        Ok::<_, BoxError>(Outcome::Revoked)
    });
    let layer = RevocationLayer::new(PATH, service_fn(known), backend);
    let mut service = ServiceBuilder::new()
        .layer(CatchPanicLayer::new())
        .layer(layer)
        .service_fn(empty::<Full<Bytes>>);

    for (token, status) in [
        ("one", StatusCode::OK),
        ("poison", StatusCode::INTERNAL_SERVER_ERROR),
        ("two", StatusCode::OK),
    ] {
        let request = with_body(Full::from(format!("token={token}&client_id=spa-1")));
        let response = service.ready().await.unwrap().call(request).await.unwrap();
        assert_eq!(response.status(), status);
    }
}

#[test]
fn panic_passes_through_the_future() {
    let backend =
        service_fn(|_: Revocation| -> Ready<Result<Outcome, BoxError>> { panic!("deliberate") });
    let mut service = RevocationLayer::new(PATH, service_fn(known), backend)
        .layer(service_fn(empty::<Full<Bytes>>));
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let response = pin!(service.call(revocation()));
        response.poll(&mut Context::from_waker(std::task::Waker::noop()))
    }));
    assert!(outcome.is_err());
}
