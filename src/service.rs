//! Whose request is it?

use std::task::{Context, Poll};

use hyper::{Request, Response, body::Body};
use tower::{BoxError, Service};

use crate::{
    body::ResponseBody,
    client::Credentials,
    endpoint::EndpointFuture,
    future::ResponseFuture,
    layer::RevocationLayer,
    token::{Outcome, RevocationRequest},
};

/// The service that [`RevocationLayer`](crate::RevocationLayer) makes: requests on the revoke path
/// are answered by the [`Endpoint`](crate::Endpoint), every other one by the inner service.
///
/// It is as ready as the inner service is, and a request that passes goes to the very instance that
/// said so. A request on the revoke path therefore waits for the inner service's readiness too, as
/// the Tower contract has it: where revocation has to go on while the inner service is saturated,
/// shed load inside this layer, or mount the [`Endpoint`](crate::Endpoint) by itself.
#[derive(Clone, Debug)]
pub struct RevocationService<S, A, B> {
    pub(crate) inner: S,
    pub(crate) layer: RevocationLayer<A, B>,
}

impl<S, A, B> RevocationService<S, A, B> {
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

impl<S, A, B, C, ReqBody, ResBody> Service<Request<ReqBody>> for RevocationService<S, A, B>
where
    ReqBody: Body,
    ReqBody::Error: Into<BoxError>,
    A: Service<Request<Credentials>, Response = Option<C>> + Clone,
    A::Error: Into<BoxError>,
    B: Service<RevocationRequest<C>, Response = Outcome> + Clone,
    B::Error: Into<BoxError>,
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, EndpointFuture<A, B, C, ReqBody>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        if self.layer.matches(request.uri().path()) {
            return ResponseFuture::endpoint(self.layer.endpoint.call(request));
        }
        #[cfg(feature = "metadata")]
        if let Some(response) = self.layer.well_known(&request) {
            return ResponseFuture::well_known(response);
        }
        ResponseFuture::inner(self.inner.call(request))
    }
}
