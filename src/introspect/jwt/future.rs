//! The future of a `JwtTokens`.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::FutureExt as _;

use super::{
    pending::PendingToken,
    verify::{JwtResult, Verification},
};
use crate::jose::PendingFetch;

/// The future of [`JwtTokens`](super::JwtTokens). If the keys are at hand, it is ready at once.
#[must_use = "futures do nothing unless polled"]
pub struct JwtFuture {
    state: State,
}

enum State {
    Done(Option<JwtResult>),
    /// Waits for keys, together with all other futures that need them.
    Fetching(PendingFetch, PendingToken),
}

impl JwtFuture {
    pub(super) fn done(outcome: JwtResult) -> Self {
        let state = State::Done(Some(outcome));
        Self { state }
    }

    pub(super) fn fetching(fetch: PendingFetch, token: PendingToken) -> Self {
        let state = State::Fetching(fetch, token);
        Self { state }
    }
}

impl Future for JwtFuture {
    type Output = JwtResult;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<JwtResult> {
        loop {
            match &mut self.state {
                State::Done(outcome) => {
                    return Poll::Ready(outcome.take().expect("polled after completion"));
                }
                // Fetching => (Fetching | Done)
                State::Fetching(fetch, token) => {
                    let keys = ready!(fetch.poll_unpin(cx));
                    match token.verify(keys) {
                        Verification::Done(outcome) => self.state = State::Done(Some(outcome)),
                        Verification::Pending(newer) => *fetch = newer,
                    }
                }
            }
        }
    }
}

impl fmt::Debug for JwtFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JwtFuture(..)")
    }
}
