//! The future of an `IssuedTokens`.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use futures::{
    FutureExt as _,
    future::{BoxFuture, Either, Ready, ready},
};

use crate::{introspect::Introspection, log::LogError};

type IssuedResult = Result<Option<Introspection>, LogError>;
type State = Either<Ready<IssuedResult>, BoxFuture<'static, IssuedResult>>;

/// The future of [`IssuedTokens`](super::IssuedTokens). If the tokens are in a file, it is ready at
/// once.
#[must_use = "futures do nothing unless polled"]
pub struct IssuedFuture {
    state: State,
}

impl IssuedFuture {
    pub(super) fn done(result: IssuedResult) -> Self {
        let state = Either::Left(ready(result));
        Self { state }
    }

    #[cfg(feature = "postgres")]
    pub(super) fn asking(answer: impl Future<Output = IssuedResult> + Send + 'static) -> Self {
        let state = Either::Right(answer.boxed());
        Self { state }
    }
}

impl Future for IssuedFuture {
    type Output = IssuedResult;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<IssuedResult> {
        self.state.poll_unpin(cx)
    }
}

impl fmt::Debug for IssuedFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedFuture").finish_non_exhaustive()
    }
}
