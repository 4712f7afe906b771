//! Whose request is it?

use std::{
    fmt,
    task::{Context, Poll},
};

use hyper::{Request, Response, body::Body};
use tower::{BoxError, Service};

use crate::{
    body::ResponseBody,
    client::Credentials,
    endpoint::{Endpoint, EndpointFuture},
    future::ResponseFuture,
    layer::Paths,
    token::RevocationRequest,
};

/// The service that [`RevocationLayer`](crate::RevocationLayer) makes: requests on the revoke path
/// are answered by the [`Endpoint`](crate::Endpoint), every other one by the inner service.
///
/// It is as ready as the inner service is, and a request that passes goes to the very instance that
/// said so. A request on the revoke path therefore waits for the inner service's readiness too, as
/// the Tower contract has it: where revocation has to go on while the inner service is saturated,
/// shed load inside this layer, or mount the [`Endpoint`](crate::Endpoint) by itself.
///
/// The client `C` and the futures `FA` and `FB` follow from the authenticator `A` and the backend
/// `B`. To name the type, leave them out: `RevocationService<Inner, MyAuthenticator, MyBackend>`.
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
    pub(crate) paths: Paths,
}

impl<S, A, B, C, FA, FB> RevocationService<S, A, B, C, FA, FB> {
    /// The inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The inner service.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The inner service.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S: Clone, A: Clone, B: Clone, C, FA, FB> Clone for RevocationService<S, A, B, C, FA, FB> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            endpoint: self.endpoint.clone(),
            paths: self.paths.clone(),
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
            .field("paths", &self.paths)
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
        if self.paths.is_revoke(request.uri().path()) {
            return ResponseFuture::endpoint(self.endpoint.call(request));
        }
        #[cfg(feature = "metadata")]
        if let Some(response) = self.paths.well_known(&request, &self.endpoint.settings) {
            return ResponseFuture::well_known(response);
        }
        ResponseFuture::inner(self.inner.call(request))
    }
}
