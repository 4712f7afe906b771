//! One attempt, from its admission to what it proved.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
use tower::BoxError;

use super::failures::{Admitted, Failures, Verdict};
use crate::{
    ask::AskFuture,
    error::{Error, ErrorKind},
};

pin_project! {
    /// The authenticator's answer, or ours.
    #[must_use = "futures do nothing unless you poll them"]
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
        Asked {
            #[pin]
            answer: AskFuture<F, Option<C>>,
            attempt: Option<Attempt>,
        },
    }
}

impl<F, C> LimitFuture<F, C> {
    /// There have been too many failures: the authenticator is not asked.
    pub(super) fn refused(retry_after: Duration) -> Self {
        let state = State::Refused { retry_after };
        Self { state }
    }

    /// The authenticator is asked, and its answer is counted if there is an attempt to count.
    pub(super) fn asked(answer: AskFuture<F, Option<C>>, attempt: Option<Attempt>) -> Self {
        let state = State::Asked { answer, attempt };
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
            StateProj::Asked { answer, attempt } => {
                let answer = ready!(answer.poll(cx));
                if let Some(attempt) = attempt.take() {
                    attempt.settle(verdict(&answer));
                }
                Poll::Ready(answer)
            }
        }
    }
}

fn verdict<C>(answer: &Result<Option<C>, BoxError>) -> Verdict {
    match answer {
        Ok(Some(_)) => Verdict::Succeeded,
        Ok(None) => Verdict::Failed,
        Err(cause) => match Error::in_chain(&**cause) {
            Some(error) if error.kind() == ErrorKind::InvalidClient => Verdict::Failed,
            // What was judged is wrong.
            Some(error) if error.refusal().is_some() => Verdict::Failed,
            _ => Verdict::Unknown,
        },
    }
}

/// An attempt that counts. One that nobody waited for has failed: else it would be a free guess for
/// whoever can tell its outcome by other means.
#[derive(Debug)]
pub(super) struct Attempt {
    failures: Arc<Failures>,
    admitted: Admitted,
    verdict: Verdict,
}

impl Attempt {
    pub(super) fn new(failures: Arc<Failures>, admitted: Admitted) -> Self {
        Self {
            failures,
            admitted,
            verdict: Verdict::Failed,
        }
    }

    fn settle(mut self, verdict: Verdict) {
        self.verdict = verdict;
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.failures.settle(self.admitted, self.verdict);
    }
}
