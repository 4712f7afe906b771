//! The allocations of a request.

use std::{
    convert::Infallible,
    future::{Future, Ready, ready},
    pin::pin,
    task::{Context, Poll, Waker},
};

use allocation_counter::{AllocationInfo, measure};
use bytes::Bytes;
use futures::executor::block_on;
use http_body_util::{Empty, Full};
use hyper::{Request, Response, StatusCode};
use tower::{BoxError, Layer as _, Service, service_fn};
use tower_revocation::{
    Outcome, RevocationLayer, RevocationRequest, Secret,
    client::Credentials,
    enforce::{EnforcementLayer, Index, Policy},
    introspect::{Introspection, TokenKind},
    log::{MemoryLog, NumericDate},
};

type Passed = Response<Empty<Bytes>>;

/// Allocates once, which shows that the counter works.
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

/// The allocations of `poll_ready`, `call` and the future of one request.
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
            panic!("the future must be ready");
        };
        status = response.status();
    });
    (status, allocated)
}

#[test]
fn passing_request_allocates_nothing_itself() {
    let request = || Request::get("/elsewhere").body(Full::default()).unwrap();
    let (status, bare) = allocated(service_fn(inner), request());
    assert_eq!((status, bare.count_total), (StatusCode::IM_A_TEAPOT, 1));

    let service = layer().layer(service_fn(inner));
    let (status, layered) = allocated(service, request());
    assert_eq!(status, StatusCode::IM_A_TEAPOT);
    assert_eq!(layered, bare);
}

/// One for the future, one for the client identifier, and two for the fields of the response. The text
/// of the token is in memory that an earlier one has left.
#[test]
fn revocation_allocates_four_times() {
    let request = || {
        Request::post("/revoke")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Full::from("token=45ghiukldjahdnhzdauz&client_id=spa-1"))
            .unwrap()
    };
    // The first request of a thread also allocates memory for the text of its token.
    for extra in [1, 0, 0] {
        let (status, allocated) = allocated(layer().layer(service_fn(inner)), request());
        assert_eq!(status, StatusCode::OK);
        assert_eq!(allocated.count_total, 4 + extra);
    }
}

/// Two for the extensions of a request that had none, one for the introspection in them, and one for
/// the life of the token in them. The introspection allocates nothing here. After the first request of
/// a thread, the text of the token is in memory that an earlier one has left.
#[test]
fn enforced_request_allocates_four_times_after_the_first_request_of_a_thread() {
    let mut token = Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3");
    token.iat = Some(NumericDate::new(1_300_819_380));
    // A clone of it does not allocate.
    let introspect = service_fn(move |_: Secret| ready(Ok::<_, Infallible>(Some(token.clone()))));
    let index = block_on(Index::follow(&MemoryLog::new())).unwrap();
    let layer = EnforcementLayer::new(introspect, index);
    let request = || {
        let request = Request::get("/api").header("authorization", "Bearer mF_9.B5f-4.1JqM");
        request.body(Full::default()).unwrap()
    };
    let inner_alone = 1;

    // The first request of a thread also allocates memory for the text of its token.
    for extra in [1, 0, 0] {
        let (status, whole) = allocated(layer.clone().layer(service_fn(inner)), request());
        assert_eq!(status, StatusCode::IM_A_TEAPOT);
        assert_eq!(whole.count_total - inner_alone, 4 + extra);
    }

    let uncut = layer.policy(Policy::new().cut_streams(false));
    let (_, uncut) = allocated(uncut.layer(service_fn(inner)), request());
    assert_eq!(uncut.count_total - inner_alone, 3);
}
