//! Errors of the authenticator and the backend.

use std::{
    fmt,
    future::{Ready, pending, ready},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, StatusCode};
use tower::{BoxError, Layer as _, ServiceBuilder, ServiceExt as _, retry, service_fn};
use tower_revocation::{Error, ErrorKind, Outcome, RevocationLayer, client::Credentials};
use tower_test::mock;

use super::{Broken, PATH, Revocation, Strict, empty, known, revocation, revoked, status_of};

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
