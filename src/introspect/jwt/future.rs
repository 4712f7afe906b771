//! The answer, now or when the keys are there.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::FutureExt as _;

use super::{JwtError, pending::Question};
use crate::{introspect::Introspected, jose::PendingFetch};

pub(super) type Answer = Result<Introspected, JwtError>;

/// The future of [`JwtTokens`](super::JwtTokens). Where the keys are at hand it is ready at once.
#[must_use = "futures do nothing unless they are polled"]
pub struct JwtFuture {
    state: State,
}

enum State {
    Answered(Option<Answer>),
    /// Waits for keys with everybody else who does.
    Fetching(PendingFetch, Question),
}

/// What follows from keys.
pub(super) enum Step {
    Answer(Answer),
    /// Newer ones have to be waited for.
    Wait(PendingFetch),
}

impl JwtFuture {
    pub(super) fn at_once(answer: Answer) -> Self {
        let state = State::Answered(Some(answer));
        Self { state }
    }

    pub(super) fn fetching(running: PendingFetch, question: Question) -> Self {
        let state = State::Fetching(running, question);
        Self { state }
    }
}

impl Future for JwtFuture {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        loop {
            match &mut self.state {
                State::Answered(answer) => {
                    return Poll::Ready(answer.take().expect("polled after it was done"));
                }
                // Fetching => (Fetching | Answered)
                State::Fetching(running, question) => {
                    let served = ready!(running.poll_unpin(cx));
                    match question.next(served) {
                        Step::Answer(answer) => self.state = State::Answered(Some(answer)),
                        Step::Wait(newer) => *running = newer,
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
