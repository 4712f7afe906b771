//! The future of `LearnLinks`.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use hyper::{Response, body::Body};
use pin_project_lite::pin_project;

use super::WatchedBody;

pin_project! {
    /// The future of [`LearnLinks`](super::LearnLinks). Only requests that are watched are boxed.
    #[must_use = "futures do nothing unless polled"]
    pub struct LearnLinksFuture<F, B: Body, E> {
        #[pin]
        state: State<F, B, E>,
    }
}

type Watched<B, E> = BoxFuture<'static, Result<Response<WatchedBody<B>>, E>>;

pin_project! {
    #[project = StateProj]
    enum State<F, B: Body, E> {
        Passing { #[pin] future: F },
        Watched { future: Watched<B, E> },
    }
}

impl<F, B: Body, E> LearnLinksFuture<F, B, E> {
    pub(super) fn passing(future: F) -> Self {
        Self {
            state: State::Passing { future },
        }
    }

    pub(super) fn watched(future: Watched<B, E>) -> Self {
        Self {
            state: State::Watched { future },
        }
    }
}

impl<F, B, E> Future for LearnLinksFuture<F, B, E>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<WatchedBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProj::Passing { future } => future
                .poll(cx)
                .map_ok(|response| response.map(WatchedBody::unread)),
            StateProj::Watched { future } => future.as_mut().poll(cx),
        }
    }
}

impl<F, B: Body, E> fmt::Debug for LearnLinksFuture<F, B, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LearnLinksFuture").finish_non_exhaustive()
    }
}
