//! The inner service's response, or ours.

use std::{
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
        Ours { ours: Ours<E> },
    }
}

/// What the inner service is not asked about.
enum Ours<E> {
    // In a box: a request that passes should not be moved about in a future large enough for a
    // revocation.
    Endpoint(Pin<Box<E>>),
    #[cfg(feature = "metadata")]
    WellKnown(Option<Box<Response<Full<Bytes>>>>),
}

impl<F, E> ResponseFuture<F, E> {
    pub(crate) fn inner(future: F) -> Self {
        Self {
            kind: Kind::Inner { future },
        }
    }

    pub(crate) fn endpoint(future: E) -> Self {
        Self {
            kind: Kind::Ours {
                ours: Ours::Endpoint(Box::pin(future)),
            },
        }
    }
}

#[cfg(feature = "metadata")]
impl<F, E> ResponseFuture<F, E> {
    pub(crate) fn well_known(response: Response<Full<Bytes>>) -> Self {
        Self {
            kind: Kind::Ours {
                ours: Ours::WellKnown(Some(Box::new(response))),
            },
        }
    }
}

impl<F, E, B, Error> Future for ResponseFuture<F, E>
where
    F: Future<Output = Result<Response<B>, Error>>,
    E: Future<Output = Result<Response<Full<Bytes>>, std::convert::Infallible>>,
{
    type Output = Result<Response<ResponseBody<B>>, Error>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().kind.project() {
            KindProj::Inner { future } => {
                let response = ready!(future.poll(cx))?;
                Poll::Ready(Ok(response.map(ResponseBody::inner)))
            }
            KindProj::Ours { ours } => {
                let response = match ours {
                    Ours::Endpoint(future) => {
                        let Ok(response) = ready!(future.as_mut().poll(cx));
                        response
                    }
                    #[cfg(feature = "metadata")]
                    Ours::WellKnown(response) => {
                        *response.take().expect("polled after it was done")
                    }
                };
                Poll::Ready(Ok(response.map(ResponseBody::endpoint)))
            }
        }
    }
}

impl<F, E> fmt::Debug for ResponseFuture<F, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.kind {
            Kind::Inner { .. } => "inner",
            Kind::Ours {
                ours: Ours::Endpoint(_),
            } => "endpoint",
            #[cfg(feature = "metadata")]
            Kind::Ours {
                ours: Ours::WellKnown(_),
            } => "well_known",
        };
        f.debug_tuple("ResponseFuture").field(&kind).finish()
    }
}
