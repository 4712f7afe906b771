//! The service of [`RevocationLayer`](crate::RevocationLayer).

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use hyper::{Request, Response, body::Body, service::Service as HyperService};
use tower::{BoxError, Service};

use crate::{
    body::ResponseBody,
    client::Credentials,
    endpoint::{Endpoint, EndpointFuture},
    future::ResponseFuture,
    token::RevocationRequest,
};

/// The service of [`RevocationLayer`](crate::RevocationLayer). The [`Endpoint`](crate::Endpoint)
/// handles requests on the revocation path, the inner service all others.
///
/// It is ready when the inner service is, and calls the same instance that was polled. A revocation
/// therefore also waits until the inner service is ready, as the contract of Tower requires. If
/// revocation must work while the inner service is saturated, shed load inside this layer, or mount
/// the [`Endpoint`](crate::Endpoint) as a route.
///
/// If the inner service is a service of hyper, so is this one. A connection then needs no adapter:
/// nothing is cloned for a request on another path, and there is no readiness.
///
/// ```
/// use std::convert::Infallible;
/// # use bytes::Bytes;
/// use http_body_util::Full;
/// use hyper::{Request, Response, service::{Service as _, service_fn}};
/// # use tower::BoxError;
/// use tower_layer::Layer as _;
/// # use tower_revocation::{Outcome, RevocationLayer, RevocationRequest, client::Credentials};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// # let authenticator = tower::service_fn(async |_: Request<Credentials>| Ok::<_, BoxError>(Some(())));
/// # let backend = tower::service_fn(async |_: RevocationRequest<()>| Ok::<_, BoxError>(Outcome::Revoked));
/// let inner = service_fn(async |_: Request<Full<Bytes>>| {
///     Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
/// });
/// let service = RevocationLayer::new("/oauth2/revoke", authenticator, backend).layer(inner);
/// // Or `http1::Builder::new().serve_connection(io, service)`.
/// let response = service.call(Request::new(Full::default())).await?;
/// # assert_eq!(response.status(), 200);
/// # Ok(())
/// # }
/// ```
///
/// The client `C` and the futures `FA` and `FB` follow from the authenticator `A` and the backend
/// `B`. Omit them to name the type: `RevocationService<Inner, MyAuthenticator, MyBackend>`.
pub struct RevocationService<
    S,
    A,
    B,
    C = <<A as Service<Request<Credentials>>>::Response as IntoIterator>::Item,
    FA = <A as Service<Request<Credentials>>>::Future,
    FB = <B as Service<RevocationRequest<C>>>::Future,
> {
    pub(crate) inner: S,
    pub(crate) endpoint: Endpoint<A, B, C, FA, FB>,
    pub(crate) path: Arc<str>,
}

impl<S, A, B, C, FA, FB> RevocationService<S, A, B, C, FA, FB> {
    /// Returns a reference to the inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Returns a mutable reference to the inner service.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Returns the inner service.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S: Clone, A: Clone, B: Clone, C, FA, FB> Clone for RevocationService<S, A, B, C, FA, FB> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            endpoint: self.endpoint.clone(),
            path: self.path.clone(),
        }
    }
}

impl<S, A, B, C, FA, FB> fmt::Debug for RevocationService<S, A, B, C, FA, FB>
where
    S: fmt::Debug,
    A: fmt::Debug,
    B: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevocationService")
            .field("inner", &self.inner)
            .field("endpoint", &self.endpoint)
            .field("path", &self.path)
            .finish()
    }
}

impl<S, A, B, C, FA, FB, ReqBody, ResBody> Service<Request<ReqBody>>
    for RevocationService<S, A, B, C, FA, FB>
where
    A: Clone,
    B: Clone,
    ReqBody: Body,
    ReqBody::Error: Into<BoxError>,
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, EndpointFuture<A, B, C, FA, FB, ReqBody>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        if request.uri().path() == &*self.path {
            return ResponseFuture::endpoint(self.endpoint.start(request));
        }
        ResponseFuture::inner(self.inner.call(request))
    }
}

impl<S, A, B, C, FA, FB, ReqBody, ResBody> HyperService<Request<ReqBody>>
    for RevocationService<S, A, B, C, FA, FB>
where
    A: Clone,
    B: Clone,
    ReqBody: Body,
    ReqBody::Error: Into<BoxError>,
    S: HyperService<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, EndpointFuture<A, B, C, FA, FB, ReqBody>>;

    #[inline]
    fn call(&self, request: Request<ReqBody>) -> Self::Future {
        if request.uri().path() == &*self.path {
            return ResponseFuture::endpoint(self.endpoint.start(request));
        }
        ResponseFuture::inner(self.inner.call(request))
    }
}
