//! The answer, or the wait for it.

use std::{
    fmt,
    future::{Future, Ready, ready},
    pin::Pin,
    task::{Context, Poll},
};

use futures::FutureExt as _;

use super::{UpstreamError, cache::Flight};
use crate::introspect::Introspected;

/// The answer of [`Upstream`](super::Upstream).
#[must_use = "futures do nothing unless polled"]
pub struct UpstreamFuture(Answering);

enum Answering {
    Known(Ready<Introspected>),
    Asked(Flight),
}

impl UpstreamFuture {
    pub(super) fn known(known: Introspected) -> Self {
        Self(Answering::Known(ready(known)))
    }

    pub(super) fn asked(flight: Flight) -> Self {
        Self(Answering::Asked(flight))
    }
}

impl Future for UpstreamFuture {
    type Output = Result<Introspected, UpstreamError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Answering::Known(known) => known.poll_unpin(cx).map(Ok),
            Answering::Asked(flight) => flight.poll_unpin(cx),
        }
    }
}

impl fmt::Debug for UpstreamFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamFuture").finish_non_exhaustive()
    }
}
