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
        Endpoint { #[pin] future: E },
    }
}

impl<F, E> ResponseFuture<F, E> {
    pub(crate) fn inner(future: F) -> Self {
        Self {
            kind: Kind::Inner { future },
        }
    }

    /// The future should be small, because every request that passes has room for it.
    pub(crate) fn endpoint(future: E) -> Self {
        Self {
            kind: Kind::Endpoint { future },
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
                let Ok(response) = ready!(poll_endpoint(future, cx));
                Poll::Ready(Ok(response.map(ResponseBody::endpoint)))
            }
        }
    }
}

/// Not inlined, so that a request that passes needs no stack for it.
#[inline(never)]
fn poll_endpoint<E: Future>(future: Pin<&mut E>, cx: &mut Context<'_>) -> Poll<E::Output> {
    future.poll(cx)
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
