//! The Tower contract of the inner service, the authenticator and the backend.

mod errors;
mod inner;
mod panics;
mod readiness;
mod timeouts;
mod timers;

use std::{
    fmt,
    future::{Ready, ready},
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::{Empty, Full};
use hyper::{Request, Response, StatusCode};
use tower::{BoxError, Layer as _, Service, ServiceExt as _, service_fn};
use tower_revocation::{Outcome, RevocationLayer, RevocationRequest, client::Credentials};

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

#[derive(Debug, PartialEq)]
struct Broken(u8);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "broken {}", self.0)
    }
}

impl std::error::Error for Broken {}
