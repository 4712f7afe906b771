//! The service of [`MetadataLayer`].

use std::{
    convert::Infallible,
    future::{Ready, ready},
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    header::{self, HeaderValue},
};
use tower::Service;

use super::MetadataLayer;
use crate::{body::ResponseBody, future::ResponseFuture};

/// The service of [`MetadataLayer`]. It is ready when the inner service is.
#[derive(Clone, Debug)]
pub struct MetadataService<S> {
    pub(super) inner: S,
    pub(super) layer: MetadataLayer,
}

impl<S> MetadataService<S> {
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

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for MetadataService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future =
        ResponseFuture<S::Future, Pin<Box<Ready<Result<Response<Full<Bytes>>, Infallible>>>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        if self.layer.matches(request.uri().path()) {
            let response = respond(request.method(), self.layer.document());
            return ResponseFuture::endpoint(Box::pin(ready(Ok(response))));
        }
        ResponseFuture::inner(self.inner.call(request))
    }
}

fn respond(method: &Method, document: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    if !matches!(*method, Method::GET | Method::HEAD) {
        *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        let allow = HeaderValue::from_static("GET, HEAD");
        response.headers_mut().insert(header::ALLOW, allow);
        return response;
    }
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(header::CONTENT_LENGTH, document.len().into());
    // The document is public, and browser apps read it for discovery.
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    if *method == Method::GET {
        *response.body_mut() = document.into();
    }
    response
}
