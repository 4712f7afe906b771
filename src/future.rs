//! The response future of the layers that respond to some requests themselves.

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use pin_project_lite::pin_project;

use crate::body::ResponseBody;

pin_project! {
    /// The response future of [`RevocationService`](crate::RevocationService).
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F, E> {
        #[pin]
        kind: Kind<F, E>,
    }
}

pin_project! {
    #[project = KindProj]
    enum Kind<F, E> {
        Inner { #[pin] future: F },
        // Boxed, to keep the future small for requests that pass.
        Endpoint { future: Pin<Box<E>> },
    }
}

impl<F, E> ResponseFuture<F, E> {
    pub(crate) fn inner(future: F) -> Self {
        Self {
            kind: Kind::Inner { future },
        }
    }

    /// Not inlined, so that a request that passes needs no stack for the future of the endpoint.
    #[cold]
    #[inline(never)]
    pub(crate) fn endpoint(future: impl FnOnce() -> E) -> Self {
        Self {
            kind: Kind::Endpoint {
                future: Box::pin(future()),
            },
        }
    }
}

impl<F, E, B, Error> Future for ResponseFuture<F, E>
where
    F: Future<Output = Result<Response<B>, Error>>,
    E: Future<Output = Result<Response<Full<Bytes>>, Infallible>>,
{
    type Output = Result<Response<ResponseBody<B>>, Error>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().kind.project() {
            KindProj::Inner { future } => {
                let response = ready!(future.poll(cx))?;
                Poll::Ready(Ok(response.map(ResponseBody::inner)))
            }
            KindProj::Endpoint { future } => {
                let Ok(response) = ready!(future.as_mut().poll(cx));
                Poll::Ready(Ok(response.map(ResponseBody::endpoint)))
            }
        }
    }
}

impl<F, E> fmt::Debug for ResponseFuture<F, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.kind {
            Kind::Inner { .. } => "inner",
            Kind::Endpoint { .. } => "endpoint",
        };
        f.debug_tuple("ResponseFuture").field(&kind).finish()
    }
}
