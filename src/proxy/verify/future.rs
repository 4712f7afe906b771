//! The response of the decision.

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use hyper::{Response, StatusCode};
use pin_project_lite::pin_project;

use super::{
    VerifyBody,
    permit::{Permit, decision},
};
use crate::enforce::EnforcementFuture;

pin_project! {
    /// The future of a [`VerifyService`](super::VerifyService).
    #[must_use = "futures do nothing unless polled"]
    pub struct VerifyFuture<I, F> {
        #[pin]
        state: State<I, F>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<I, F> {
        Check { #[pin] future: EnforcementFuture<I, F, Permit, ()> },
        NotFound,
    }
}

impl<I, F> VerifyFuture<I, F> {
    pub(super) fn check(future: EnforcementFuture<I, F, Permit, ()>) -> Self {
        let state = State::Check { future };
        Self { state }
    }

    pub(super) fn not_found() -> Self {
        let state = State::NotFound;
        Self { state }
    }
}

impl<I, F> Future for VerifyFuture<I, F> {
    type Output = Result<Response<VerifyBody>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProj::Check { future } => {
                let response = ready!(future.poll(cx))?;
                let response = decision(response).into_response();
                Poll::Ready(Ok(response.map(|_| VerifyBody)))
            }
            StateProj::NotFound => {
                let mut response = Response::new(VerifyBody);
                *response.status_mut() = StatusCode::NOT_FOUND;
                Poll::Ready(Ok(response))
            }
        }
    }
}

impl<I, F> fmt::Debug for VerifyFuture<I, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyFuture").finish_non_exhaustive()
    }
}
