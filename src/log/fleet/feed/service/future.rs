//! The response of a feed, once there is something to say.

use std::{
    convert::Infallible,
    fmt,
    future::{Future, Ready, ready},
    pin::Pin,
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use hyper::Response;
use pin_project_lite::pin_project;

use super::FeedBody;

pin_project! {
    /// The future of a [`FeedService`](super::FeedService).
    pub struct FeedFuture {
        #[pin]
        state: State,
    }
}

pin_project! {
    #[project = StateProj]
    enum State {
        /// Another path or another method.
        Refused { #[pin] response: Ready<Response<FeedBody>> },
        /// The relay answers, at once or after a wait.
        Asked { response: BoxFuture<'static, Response<FeedBody>> },
    }
}

impl FeedFuture {
    pub(super) fn refused(response: Response<FeedBody>) -> Self {
        let response = ready(response);
        Self {
            state: State::Refused { response },
        }
    }

    pub(super) fn asked(
        response: impl Future<Output = Response<FeedBody>> + Send + 'static,
    ) -> Self {
        let response = Box::pin(response);
        Self {
            state: State::Asked { response },
        }
    }
}

impl Future for FeedFuture {
    type Output = Result<Response<FeedBody>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = match self.project().state.project() {
            StateProj::Refused { response } => response.poll(cx),
            StateProj::Asked { response } => response.as_mut().poll(cx),
        };
        polled.map(Ok)
    }
}

impl fmt::Debug for FeedFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeedFuture").finish_non_exhaustive()
    }
}
