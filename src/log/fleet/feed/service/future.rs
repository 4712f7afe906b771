//! The response of a feed, once there is something to say.

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http_body_util::Full;
use hyper::Response;

/// The future of a [`FeedService`](super::FeedService).
pub struct FeedFuture(BoxFuture<'static, Response<Full<Bytes>>>);

impl FeedFuture {
    pub(super) fn new(
        response: impl Future<Output = Response<Full<Bytes>>> + Send + 'static,
    ) -> Self {
        Self(Box::pin(response))
    }
}

impl Future for FeedFuture {
    type Output = Result<Response<Full<Bytes>>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(ready!(self.0.as_mut().poll(cx))))
    }
}

impl fmt::Debug for FeedFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeedFuture").finish_non_exhaustive()
    }
}
