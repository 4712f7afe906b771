//! The code that is counted, and the code before and after it.

use std::{
    fmt,
    hint::black_box,
    mem::ManuallyDrop,
    pin::pin,
    task::{Context, Poll},
};

use axum::Router;
use bytes::Bytes;
use futures::task::noop_waker_ref;
use gungraun::{library_benchmark, library_benchmark_group};
use http_body_util::Full;
use hyper::{Request, Response, StatusCode, header};
use hyper_util::rt::TokioTimer;
use tower::{Layer as _, Service};
use tower_revocation::RevocationService;

use crate::{
    by_hand,
    enforced::{self, AtHand, ByJwt},
    handler,
    layered::{self, Authenticator, Backend, Inner},
    request,
    server::Server,
};

type Layered = RevocationService<Inner, Authenticator, Backend>;

/// A service and its next request. Boxed, so that both move alike, whatever their size.
struct Ready<S> {
    service: S,
    request: Option<Request<Full<Bytes>>>,
}

impl<S> Ready<S> {
    /// One call and one poll, the same for each service.
    #[inline(never)]
    fn answer<B>(&mut self) -> Response<B>
    where
        S: Service<Request<Full<Bytes>>, Response = Response<B>, Error: fmt::Debug>,
    {
        let request = self.request.take().expect("there is a request");
        poll(self.service.call(request))
    }
}

impl Ready<Server> {
    /// The same for the handler that is a function.
    #[inline(never)]
    fn respond(&mut self) -> Response<Full<Bytes>> {
        let request = self.request.take().expect("there is a request");
        poll(by_hand::respond(
            self.service.clone(),
            request,
            by_hand::read,
        ))
    }
}

#[inline]
fn poll<T, E: fmt::Debug>(future: impl Future<Output = Result<T, E>>) -> T {
    match pin!(future).poll(&mut Context::from_waker(noop_waker_ref())) {
        Poll::Ready(answer) => answer.expect("no service here fails"),
        Poll::Pending => unreachable!("no service here waits"),
    }
}

/// Answers one request, and takes the other.
fn warm<S, B>(service: S, requests: [Request<Full<Bytes>>; 2]) -> Box<Ready<S>>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error: fmt::Debug>,
{
    let [first, second] = requests;
    let request = Some(first);
    let mut ready = Box::new(Ready { service, request });
    assert_eq!(ready.answer().status(), StatusCode::OK);
    ready.request = Some(second);
    ready
}

fn passing() -> [Request<Full<Bytes>>; 2] {
    [request::passing(), request::passing()]
}

fn revocations() -> [Request<Full<Bytes>>; 2] {
    [request::warm_up(), request::measured()]
}

fn inner() -> Box<Ready<Inner>> {
    warm(Inner, passing())
}

fn passed() -> Box<Ready<Layered>> {
    let layer = layered::layer(request::server());
    warm(layer.layer(Inner), passing())
}

fn layer() -> Box<Ready<Layered>> {
    let layer = layered::layer(request::server());
    warm(layer.layer(Inner), revocations())
}

fn layer_with_timer() -> Box<Ready<Layered>> {
    let layer = layered::layer(request::server()).timer(TokioTimer::new());
    warm(layer.layer(Inner), revocations())
}

/// Without a router and without extractors.
fn on_hyper() -> Box<Ready<Server>> {
    let [first, second] = revocations();
    let (service, request) = (request::server(), Some(first));
    let mut ready = Box::new(Ready { service, request });
    assert_eq!(ready.respond().status(), StatusCode::OK);
    ready.request = Some(second);
    ready
}

fn handler() -> Box<Ready<Router>> {
    warm(handler::router(request::server()), revocations())
}

/// The service has seen the token three times.
fn known<S, B>((service, request): (S, Request<Full<Bytes>>)) -> Box<Ready<S>>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error: fmt::Debug>,
{
    let mut ready = warm(service, [(); 2].map(|()| enforced::again(&request)));
    for request in [enforced::again(&request), request] {
        assert_eq!(ready.answer().status(), StatusCode::OK);
        ready.request = Some(request);
    }
    ready
}

/// Checks the response, so that no work is skipped.
fn revoked<S, B>((_, answer): (Box<Ready<S>>, Response<B>)) {
    let mut fields: Vec<_> = answer
        .headers()
        .keys()
        .map(header::HeaderName::as_str)
        // hyper adds it where it is missing.
        .filter(|name| *name != header::CONTENT_LENGTH)
        .collect();
    fields.sort_unstable();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(
        fields,
        ["cache-control", "pragma", "x-content-type-options"]
    );
}

#[library_benchmark]
#[bench::by_itself(inner())]
fn without_layer(mut ready: Box<Ready<Inner>>) -> Box<Ready<Inner>> {
    // Neither moved nor dropped: only the call and the poll count.
    black_box(&ManuallyDrop::new(black_box(&mut *ready).answer()));
    ready
}

#[library_benchmark]
#[bench::passes(passed())]
fn with_layer(mut ready: Box<Ready<Layered>>) -> Box<Ready<Layered>> {
    black_box(&ManuallyDrop::new(black_box(&mut *ready).answer()));
    ready
}

#[library_benchmark]
#[bench::revokes(args = (layer()), teardown = revoked)]
#[bench::revokes_with_timer(args = (layer_with_timer()), teardown = revoked)]
fn through_layer(mut ready: Box<Ready<Layered>>) -> Answered<Layered> {
    let answer = black_box(&mut *ready).answer();
    (ready, answer)
}

#[library_benchmark]
#[bench::revokes(args = (handler()), teardown = revoked)]
fn by_hand_on_axum(mut ready: Box<Ready<Router>>) -> Answered<Router> {
    let answer = black_box(&mut *ready).answer();
    (ready, answer)
}

#[library_benchmark]
#[bench::revokes(args = (on_hyper()), teardown = revoked)]
fn by_hand_on_hyper(mut ready: Box<Ready<Server>>) -> (Box<Ready<Server>>, Response<Full<Bytes>>) {
    let answer = black_box(&mut *ready).respond();
    (ready, answer)
}

#[library_benchmark]
#[bench::passes(known(enforced::by_jwt()))]
fn known_token(mut ready: Box<Ready<ByJwt>>) -> Answered<ByJwt> {
    let answer = black_box(&mut *ready).answer();
    (ready, answer)
}

#[library_benchmark]
#[bench::passes(known(enforced::at_hand()))]
fn introspection_at_hand(mut ready: Box<Ready<AtHand>>) -> Answered<AtHand> {
    let answer = black_box(&mut *ready).answer();
    (ready, answer)
}

type Answered<S> = (
    Box<Ready<S>>,
    <S as Service<Request<Full<Bytes>>>>::Response,
);

library_benchmark_group!(name = passing_request; benchmarks = without_layer, with_layer);
library_benchmark_group!(
    name = whole_revocation;
    benchmarks = through_layer, by_hand_on_axum, by_hand_on_hyper
);
library_benchmark_group!(name = enforced_request; benchmarks = known_token, introspection_at_hand);
