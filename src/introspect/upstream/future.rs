//! The future of an `Upstream`.

use std::{
    fmt,
    future::{Future, Ready, ready},
    pin::Pin,
    task::{Context, Poll},
};

use futures::FutureExt as _;

use super::{UpstreamError, cache::SharedRequest};
use crate::introspect::Introspected;

/// The future of [`Upstream`](super::Upstream). A cached response is ready at once.
#[must_use = "futures do nothing unless polled"]
pub struct UpstreamFuture(State);

enum State {
    Ready(Ready<Introspected>),
    Pending(SharedRequest),
}

impl UpstreamFuture {
    pub(super) fn ready(introspected: Introspected) -> Self {
        Self(State::Ready(ready(introspected)))
    }

    pub(super) fn pending(request: SharedRequest) -> Self {
        Self(State::Pending(request))
    }
}

impl Future for UpstreamFuture {
    type Output = Result<Introspected, UpstreamError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Ready(introspected) => introspected.poll_unpin(cx).map(Ok),
            State::Pending(request) => request.poll_unpin(cx),
        }
    }
}

impl fmt::Debug for UpstreamFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamFuture").finish_non_exhaustive()
    }
}
