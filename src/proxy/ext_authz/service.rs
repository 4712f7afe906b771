//! Takes the calls of Envoy, and passes everything else on.

use std::{
    convert::Infallible,
    fmt,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::{Request, Response, StatusCode, body::Body, header};
use tower::Service;

use super::{
    body::ExtAuthzBody,
    future::{self, ExtAuthzFuture},
    response,
};
use crate::{proxy::VerifyService, token::Secret};

const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";

/// Tells Envoy over gRPC whether a request may pass (`ext_authz`), on the same port as a
/// [`VerifyService`].
///
/// Calls of `envoy.service.auth.v3.Authorization/Check` get the decision of the `VerifyService`.
/// Every other request is passed on to it, so that one port serves all proxies.
///
/// | the decision | `CheckResponse` |
/// |---|---|
/// | 200 | `ok_response`: sets every identity header, and removes other spellings of their names |
/// | 401, 400, 503 | `denied_response` with this status and its headers |
///
/// **Every call gets a `CheckResponse`.** A call that cannot be read is denied with 503: under
/// `failure_mode_allow: true` Envoy passes a request on when there is an error in gRPC. A message of
/// more than 256 KiB cannot be read: see [`max_message`](Self::max_message). Do not set
/// `with_request_body`, because bodies are not looked at.
///
/// The method and the path of the `CheckRequest` choose the policy of the route only if Envoy is one
/// of the [`trusted_proxies`](VerifyService::trusted_proxies).
///
/// # Panics
///
/// The service panics if it has to wait for a message outside of a runtime of tokio with its timer.
///
/// ```
/// use axum::Router;
/// use tower::{BoxError, service_fn};
/// use tower_revocation::{
///     Secret,
///     enforce::EnforcementLayer,
///     introspect::Introspection,
///     proxy::{IdentityHeaders, VerifyService, ext_authz::ExtAuthzService},
/// };
///
/// let introspect = service_fn(async |_: Secret| Ok::<_, BoxError>(None::<Introspection>));
/// let layer = EnforcementLayer::by_introspection(introspect);
/// let verify = VerifyService::new(layer, IdentityHeaders::new());
/// let router: Router = Router::new().fallback_service(ExtAuthzService::new(verify));
/// ```
#[must_use = "a service does nothing until it is called"]
pub struct ExtAuthzService<I, F = <I as Service<Secret>>::Future> {
    verify: VerifyService<I, F>,
    max_message: usize,
}

/// The response to any call of `Check` while nothing can be decided: denied with 503.
///
/// A plain 503 would be an error in gRPC, and under `failure_mode_allow: true` Envoy passes a request
/// on when there is one.
///
/// ```
/// let response = tower_revocation::proxy::ext_authz::unavailable();
/// assert_eq!(response.headers()["content-type"], "application/grpc");
/// ```
#[must_use]
pub fn unavailable() -> Response<ExtAuthzBody> {
    future::response(&response::unknown())
}

impl<I, F> ExtAuthzService<I, F> {
    /// Creates a service that decides as `verify` does.
    pub fn new(verify: VerifyService<I, F>) -> Self {
        Self {
            verify,
            max_message: 256 << 10,
        }
    }

    /// Limits the length of a call, in bytes. Defaults to 256 KiB, which is four times the head that
    /// Envoy accepts by default.
    ///
    /// **A request whose call is longer is denied with 503.** Raise it with
    /// `max_request_headers_kb`.
    pub fn max_message(mut self, bytes: usize) -> Self {
        self.max_message = bytes;
        self
    }
}

impl<I, F, B> Service<Request<B>> for ExtAuthzService<I, F>
where
    I: Clone,
    B: Body<Data = Bytes>,
{
    type Response = Response<ExtAuthzBody>;
    type Error = Infallible;
    type Future = ExtAuthzFuture<I, F, B>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if request.uri().path() != CHECK {
            return ExtAuthzFuture::verify(self.verify.call(request));
        }
        if !is_grpc(&request) {
            return ExtAuthzFuture::refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        ExtAuthzFuture::check(self.verify.clone(), request, self.max_message)
    }
}

/// Whether the media type is that of gRPC with messages of protobuf.
fn is_grpc<B>(request: &Request<B>) -> bool {
    let media_type = request.headers().get(header::CONTENT_TYPE);
    media_type.is_some_and(|it| it == "application/grpc" || it == "application/grpc+proto")
}

impl<I: Clone, F> Clone for ExtAuthzService<I, F> {
    fn clone(&self) -> Self {
        Self {
            verify: self.verify.clone(),
            max_message: self.max_message,
        }
    }
}

impl<I: fmt::Debug, F> fmt::Debug for ExtAuthzService<I, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExtAuthzService")
            .field("verify", &self.verify)
            .field("max_message", &self.max_message)
            .finish()
    }
}
