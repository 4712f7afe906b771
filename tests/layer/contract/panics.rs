//! Panics of the backend.

use std::{
    future::{Future, Ready},
    pin::pin,
    task::Context,
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::StatusCode;
use tower::{BoxError, Layer as _, Service, ServiceBuilder, ServiceExt as _, service_fn};
use tower_http::catch_panic::CatchPanicLayer;
use tower_revocation::{Outcome, RevocationLayer};

use super::{PATH, Revocation, empty, known, revocation, with_body};

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
