//! The inner service: it is called for requests that pass.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode,
    header::{self, HeaderValue},
};
use tower::Service;

use crate::{enforce::EnforcedBody, introspect::Introspection, proxy::IdentityHeaders};

/// Permits every request, and says whose token it has.
#[derive(Clone, Debug)]
pub(in crate::proxy) struct Permit {
    pub(super) identity: Arc<IdentityHeaders>,
}

impl Service<Request<()>> for Permit {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        let mut response = Response::new(Full::default());
        let token = request.extensions().get::<Introspection>();
        self.identity.set(token, response.headers_mut());
        ready(Ok(response))
    }
}

/// What was decided about a request. The headers are those that the proxy must get.
#[derive(Debug)]
pub(in crate::proxy) enum Decision {
    /// It passes, with these identity headers.
    Permit(Response<Full<Bytes>>),
    /// It is refused with this response, which is an error.
    Refuse(Response<Full<Bytes>>),
}

/// Reads the response of the layer. What is neither a permission nor an error is a refusal: proxies
/// take a 200 for permission, wherever it comes from.
pub(in crate::proxy) fn decision(response: Response<EnforcedBody<Full<Bytes>>>) -> Decision {
    let status = response.status();
    // The inner service is a `Permit`.
    let is_permitted = response.body().is_inner();
    let response = response.map(|_| Full::default());
    match (is_permitted, status) {
        (true, StatusCode::OK) => Decision::Permit(response),
        (false, status) if status.is_client_error() || status.is_server_error() => {
            Decision::Refuse(response)
        }
        _ => Decision::Refuse(unavailable()),
    }
}

impl Decision {
    /// In HTTP.
    pub(super) fn into_response(self) -> Response<Full<Bytes>> {
        let (Self::Permit(mut response) | Self::Refuse(mut response)) = self;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        // A proxy may cache what it is told: the next request may be refused.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// 503, for what could not be found out.
pub(in crate::proxy) fn unavailable() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
