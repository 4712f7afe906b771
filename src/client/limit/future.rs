//! One attempt, from its admission to its result.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
use tower::BoxError;

use super::failures::{Admitted, AttemptEnd, Failures};
use crate::{
    ask::AskFuture,
    error::{Error, ErrorKind},
};

pin_project! {
    /// The response future of [`LimitFailures`](super::LimitFailures).
    #[must_use = "futures do nothing unless polled"]
    #[derive(Debug)]
    pub struct LimitFuture<F, C> {
        #[pin]
        state: State<F, C>,
    }
}

pin_project! {
    #[project = StateProj]
    #[derive(Debug)]
    enum State<F, C> {
        Refused { retry_after: Duration },
        Authenticating {
            #[pin]
            result: AskFuture<F, Option<C>>,
            attempt: Option<Attempt>,
        },
    }
}

impl<F, C> LimitFuture<F, C> {
    /// Too many failures: the authenticator is not called.
    pub(super) fn refused(retry_after: Duration) -> Self {
        let state = State::Refused { retry_after };
        Self { state }
    }

    /// The authenticator is called. Its result is counted if there is an attempt to count.
    pub(super) fn authenticating(
        result: AskFuture<F, Option<C>>,
        attempt: Option<Attempt>,
    ) -> Self {
        let state = State::Authenticating { result, attempt };
        Self { state }
    }
}

impl<F, C> Future for LimitFuture<F, C> {
    type Output = Result<Option<C>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProj::Refused { retry_after } => {
                let error = Error::new(ErrorKind::TooManyRequests).retry_after(*retry_after);
                Poll::Ready(Err(error.into()))
            }
            StateProj::Authenticating { result, attempt } => {
                let result = ready!(result.poll(cx));
                if let Some(attempt) = attempt.take() {
                    attempt.settle(end(&result));
                }
                Poll::Ready(result)
            }
        }
    }
}

fn end<C>(result: &Result<Option<C>, BoxError>) -> AttemptEnd {
    match result {
        Ok(Some(_)) => AttemptEnd::Succeeded,
        Ok(None) => AttemptEnd::Failed,
        Err(cause) => match Error::in_chain(&**cause) {
            Some(error) if error.kind() == ErrorKind::InvalidClient => AttemptEnd::Failed,
            // At least one secret was checked, and is wrong.
            Some(error) if error.refusal().is_some() => AttemptEnd::Failed,
            _ => AttemptEnd::Unknown,
        },
    }
}

/// A counted attempt. If it is dropped, it has failed. Otherwise it would be a free guess for
/// anyone who can observe its result in another way.
#[derive(Debug)]
pub(super) struct Attempt {
    failures: Arc<Failures>,
    admitted: Admitted,
    end: AttemptEnd,
}

impl Attempt {
    pub(super) fn new(failures: Arc<Failures>, admitted: Admitted) -> Self {
        Self {
            failures,
            admitted,
            end: AttemptEnd::Failed,
        }
    }

    fn settle(mut self, end: AttemptEnd) {
        self.end = end;
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.failures.settle(self.admitted, self.end);
    }
}
