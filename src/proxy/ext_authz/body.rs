//! The body of a response: one message and its trailers, or nothing.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::{
    HeaderMap,
    body::{Body, Frame, SizeHint},
};

/// The body of a response of [`ExtAuthzService`](super::ExtAuthzService).
#[derive(Debug, Default)]
pub struct ExtAuthzBody {
    message: Option<Bytes>,
    trailers: Option<HeaderMap>,
}

impl ExtAuthzBody {
    pub(super) fn message(message: Bytes, trailers: HeaderMap) -> Self {
        Self {
            message: Some(message),
            trailers: Some(trailers),
        }
    }
}

impl Body for ExtAuthzBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let message = self.message.take().map(Frame::data);
        let next = message.or_else(|| self.trailers.take().map(Frame::trailers));
        Poll::Ready(next.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.message.is_none() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let length = self.message.as_ref().map_or(0, Bytes::len);
        SizeHint::with_exact(length as u64)
    }
}
