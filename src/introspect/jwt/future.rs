//! The answer, now or when the keys are there.

use std::{
    fmt,
    future::{Future, Ready, ready},
    pin::Pin,
    task::{self, Context, Poll},
};

use futures::{FutureExt as _, future::Either};

use super::JwtTokens;
use crate::{
    introspect::Introspected,
    jose::{RemoteError, Running},
    token::Secret,
};

pub(super) type Answer = Result<Introspected, RemoteError>;

/// The future of [`JwtTokens`]. Where the keys are at hand it is ready at once.
#[must_use = "futures do nothing unless they are polled"]
pub struct JwtFuture {
    inner: Either<Ready<Answer>, Fetching>,
}

/// Waits for keys with everybody else who does.
struct Fetching {
    running: Running,
    tokens: JwtTokens,
    token: Secret,
}

impl JwtFuture {
    pub(super) fn at_once(answer: Answer) -> Self {
        let inner = Either::Left(ready(answer));
        Self { inner }
    }

    pub(super) fn fetching(running: Running, tokens: JwtTokens, token: Secret) -> Self {
        let inner = Either::Right(Fetching {
            running,
            tokens,
            token,
        });
        Self { inner }
    }
}

impl Future for JwtFuture {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        self.inner.poll_unpin(cx)
    }
}

impl Future for Fetching {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        let served = task::ready!(self.running.poll_unpin(cx));
        Poll::Ready(served.and_then(|served| self.tokens.judge_again(&self.token, &served)))
    }
}

impl fmt::Debug for JwtFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JwtFuture(..)")
    }
}
