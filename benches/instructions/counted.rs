//! The code that is counted, and the code before and after it.

use std::{
    fmt,
    future::Future as _,
    hint::black_box,
    pin::pin,
    task::{Context, Poll},
};

use axum::Router;
use bytes::Bytes;
use futures::task::noop_waker_ref;
use gungraun::{library_benchmark, library_benchmark_group};
use http_body_util::Full;
use hyper::{Request, Response, StatusCode, header};
use tower::{Layer as _, Service};
use tower_revocation::RevocationService;

use crate::{
    enforced::{self, AtHand, ByJwt},
    handler,
    layered::{self, Authenticator, Backend, Inner},
    request,
};

type Layered = RevocationService<Inner, Authenticator, Backend>;

/// One call and one poll, the same for each service.
#[inline(never)]
fn answer<S, B>(service: &mut S, request: Request<Full<Bytes>>) -> Response<B>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error: fmt::Debug>,
{
    let future = pin!(service.call(request));
    match future.poll(&mut Context::from_waker(noop_waker_ref())) {
        Poll::Ready(answer) => answer.expect("no service here fails"),
        Poll::Pending => unreachable!("no service here waits"),
    }
}

fn warm<S, B>(mut service: S, request: Request<Full<Bytes>>) -> S
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error: fmt::Debug>,
{
    assert_eq!(answer(&mut service, request).status(), StatusCode::OK);
    service
}

fn inner() -> (Inner, Request<Full<Bytes>>) {
    (warm(Inner, request::passing()), request::passing())
}

fn passed() -> (Layered, Request<Full<Bytes>>) {
    let service = layered::layer(request::server()).layer(Inner);
    (warm(service, request::passing()), request::passing())
}

fn layer() -> (Layered, Request<Full<Bytes>>) {
    let service = layered::layer(request::server()).layer(Inner);
    (warm(service, request::warm_up()), request::measured())
}

fn handler() -> (Router, Request<Full<Bytes>>) {
    let service = handler::router(request::server());
    (warm(service, request::warm_up()), request::measured())
}

/// The service has seen the token three times.
fn known<S, B>((mut service, request): (S, Request<Full<Bytes>>)) -> (S, Request<Full<Bytes>>)
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error: fmt::Debug>,
{
    for _ in 0..3 {
        service = warm(service, enforced::again(&request));
    }
    (service, request)
}

/// Checks the response, so that no work is skipped.
fn revoked<S, B>((_, answer): (S, Response<B>)) {
    let mut fields: Vec<_> = answer
        .headers()
        .keys()
        .map(header::HeaderName::as_str)
        .collect();
    fields.sort_unstable();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(
        fields,
        [
            "cache-control",
            "content-length",
            "pragma",
            "x-content-type-options"
        ]
    );
}

#[library_benchmark]
#[bench::by_itself(inner())]
fn without_layer((mut service, request): (Inner, Request<Full<Bytes>>)) -> impl Sized {
    let answer = answer(black_box(&mut service), black_box(request));
    (service, answer)
}

#[library_benchmark]
#[bench::passes(passed())]
fn with_layer((mut service, request): (Layered, Request<Full<Bytes>>)) -> impl Sized {
    let answer = answer(black_box(&mut service), black_box(request));
    (service, answer)
}

#[library_benchmark]
#[bench::revokes(args = (layer()), teardown = revoked)]
fn through_layer((mut service, request): (Layered, Request<Full<Bytes>>)) -> Answered<Layered> {
    let answer = answer(black_box(&mut service), black_box(request));
    (service, answer)
}

#[library_benchmark]
#[bench::revokes(args = (handler()), teardown = revoked)]
fn by_hand((mut service, request): (Router, Request<Full<Bytes>>)) -> Answered<Router> {
    let answer = answer(black_box(&mut service), black_box(request));
    (service, answer)
}

#[library_benchmark]
#[bench::passes(known(enforced::by_jwt()))]
fn known_token((mut service, request): (ByJwt, Request<Full<Bytes>>)) -> Answered<ByJwt> {
    let answer = answer(black_box(&mut service), black_box(request));
    (service, answer)
}

#[library_benchmark]
#[bench::passes(known(enforced::at_hand()))]
fn introspection_at_hand(
    (mut service, request): (AtHand, Request<Full<Bytes>>),
) -> Answered<AtHand> {
    let answer = answer(black_box(&mut service), black_box(request));
    (service, answer)
}

type Answered<S> = (S, <S as Service<Request<Full<Bytes>>>>::Response);

library_benchmark_group!(name = passing_request; benchmarks = without_layer, with_layer);
library_benchmark_group!(name = whole_revocation; benchmarks = through_layer, by_hand);
library_benchmark_group!(name = enforced_request; benchmarks = known_token, introspection_at_hand);
