//! Readiness of the inner service, the authenticator and the backend.

use bytes::Bytes;
use http_body_util::{Empty, Full};
use hyper::{Request, Response, StatusCode};
use tokio_test::{assert_pending, assert_ready_err, assert_ready_ok, task};
use tower::{Layer as _, Service, ServiceExt as _, service_fn};
use tower_revocation::{Outcome, RevocationLayer, client::Credentials};
use tower_test::mock;

use super::{PATH, Revocation, Strict, elsewhere, empty, known, revocation, revoked};

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
