//! Reads the body of a call, within limits.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use hyper::body::Body;
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};

/// How long the body of a call may take.
const LIMIT: Duration = Duration::from_secs(10);

pin_project! {
    /// The whole body, or `None` if it is too long, too slow or broken.
    pub(super) struct Read<B> {
        #[pin]
        body: B,
        bytes: BytesMut,
        max: usize,
        // From the first wait on.
        #[pin]
        limit: Option<Sleep>,
    }
}

impl<B> Read<B> {
    pub(super) fn new(body: B, max: usize) -> Self {
        Self {
            body,
            bytes: BytesMut::new(),
            max,
            limit: None,
        }
    }
}

impl<B: Body<Data = Bytes>> Future for Read<B> {
    type Output = Option<Bytes>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let mut this = self.project();
        loop {
            let data = match this.body.as_mut().poll_frame(cx) {
                // Trailers say nothing here.
                Poll::Ready(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
                Poll::Ready(Some(Err(_))) => return Poll::Ready(None),
                Poll::Ready(None) => return Poll::Ready(Some(this.bytes.split().freeze())),
                Poll::Pending => break,
            };
            if data.len() > *this.max - this.bytes.len() {
                return Poll::Ready(None);
            }
            this.bytes.extend_from_slice(&data);
        }
        if this.limit.is_none() {
            this.limit.set(Some(sleep(LIMIT)));
        }
        let limit = this.limit.as_pin_mut();
        limit.map_or(Poll::Pending, |limit| limit.poll(cx).map(|()| None))
    }
}
