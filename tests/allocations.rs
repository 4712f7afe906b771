//! A request that passes costs no memory.

use std::{
    convert::Infallible,
    future::{Future, Ready, ready},
    pin::pin,
    task::{Context, Poll, Waker},
};

use allocation_counter::{AllocationInfo, measure};
use bytes::Bytes;
use http_body_util::{Empty, Full};
use hyper::{Request, Response, StatusCode};
use tower::{BoxError, Layer as _, Service, service_fn};
use tower_revocation::{Outcome, RevocationLayer, RevocationRequest, client::Credentials};

type Passed = Response<Empty<Bytes>>;

/// The inner service has a box of its own, so that the counter shows that it counts.
fn inner(_: Request<Full<Bytes>>) -> Ready<Result<Passed, Infallible>> {
    let status = std::hint::black_box(Box::new(StatusCode::IM_A_TEAPOT));
    let mut response = Response::new(Empty::new());
    *response.status_mut() = *status;
    ready(Ok(response))
}

fn layer() -> RevocationLayer<
    impl Service<Request<Credentials>, Response = Option<()>, Error = BoxError> + Clone,
    impl Service<RevocationRequest<()>, Response = Outcome, Error = BoxError> + Clone,
> {
    let authenticator = service_fn(async |_: Request<Credentials>| Ok::<_, BoxError>(Some(())));
    let backend = service_fn(async |_: RevocationRequest<()>| Ok::<_, BoxError>(Outcome::Revoked));
    RevocationLayer::new("/revoke", authenticator, backend)
}

/// What readiness, the call and the future of one request allocate.
fn allocated<S, B>(mut service: S, request: Request<Full<Bytes>>) -> (StatusCode, AllocationInfo)
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error = Infallible>,
{
    let mut status = StatusCode::default();
    let mut request = Some(request);
    let allocated = measure(|| {
        let mut cx = Context::from_waker(Waker::noop());
        assert!(service.poll_ready(&mut cx).is_ready());
        let future = pin!(service.call(request.take().unwrap()));
        let Poll::Ready(Ok(response)) = future.poll(&mut cx) else {
            panic!("nothing here waits");
        };
        status = response.status();
    });
    (status, allocated)
}

#[test]
fn a_passing_request_allocates_what_the_inner_service_does() {
    let request = || Request::get("/elsewhere").body(Full::default()).unwrap();
    let (status, bare) = allocated(service_fn(inner), request());
    assert_eq!((status, bare.count_total), (StatusCode::IM_A_TEAPOT, 1));

    let service = layer().layer(service_fn(inner));
    let (status, layered) = allocated(service, request());
    assert_eq!(status, StatusCode::IM_A_TEAPOT);
    assert_eq!(layered, bare);
}

/// The counter sees what this crate allocates.
#[test]
fn a_revocation_does_allocate() {
    let request = Request::post("/revoke")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Full::from("token=45ghiukldjahdnhzdauz&client_id=spa-1"))
        .unwrap();
    let service = layer().layer(service_fn(inner));
    let (status, allocated) = allocated(service, request);
    assert_eq!(status, StatusCode::OK);
    assert!(allocated.count_total > 0);
}
