//! The state machine: introspect, judge, then pass the request on or refuse it.

mod passing;
mod waiting;

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Body};
use pin_project_lite::pin_project;
use tower::{Service, util::Oneshot};

use self::{
    passing::Passing,
    waiting::{Confirm, Waiting},
};
use super::{
    judge::Judge,
    observe,
    response::Refusing,
    settings::Introspect,
    stream::EnforcedBody,
    verdict::{Refused, Verdict},
};
use crate::{
    introspect::{Introspected, Introspection},
    token::Secret,
};

pin_project! {
    /// The response future of [`EnforcementService`](super::EnforcementService).
    #[must_use = "futures do nothing unless polled"]
    pub struct EnforcementFuture<I, F, S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<I, F, S, B>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<I, F, S, B>
    where
        S: Service<Request<B>>,
    {
        Introspect { #[pin] call: Oneshot<Introspect<I, F>, Secret>, waiting: Option<Waiting<S, B>> },
        // Boxed: only requests that meet a stale index get here.
        Confirm { confirm: Pin<Box<Confirm>>, waiting: Option<Waiting<S, B>> },
        Inner { #[pin] future: S::Future, passing: Option<Passing> },
        Refused { response: Option<Response<Full<Bytes>>> },
    }
}

impl<I, F, S, B> EnforcementFuture<I, F, S, B>
where
    S: Service<Request<B>>,
{
    pub(super) fn introspect(
        judge: Judge,
        introspect: Introspect<I, F>,
        token: Secret,
        inner: S,
        request: Request<B>,
    ) -> Self {
        let copy = judge.may_confirm().then(|| token.clone());
        let waiting = Waiting {
            judge,
            inner,
            request,
            token: copy,
        };
        let state = State::Introspect {
            call: Oneshot::new(introspect, token),
            waiting: Some(waiting),
        };
        Self { state }
    }

    /// For a token that has been introspected already.
    pub(super) fn judge(judge: Judge, token: Introspection, inner: S, request: Request<B>) -> Self {
        let waiting = Waiting {
            judge,
            inner,
            request,
            token: None,
        };
        let state = waiting.judge(Introspected::Token(token));
        Self { state }
    }

    pub(super) fn without_token(judge: &Judge, mut inner: S, request: Request<B>) -> Self {
        if !judge.policy.anonymous {
            return Self::refuse(judge, Refused::new(Verdict::Missing), &request);
        }
        observe::passed_without_token(judge.begun);
        let state = State::Inner {
            future: inner.call(request),
            passing: None,
        };
        Self { state }
    }

    pub(super) fn refuse(judge: &Judge, refused: Refused, request: &Request<B>) -> Self {
        let state = State::refused(judge, refused, None, request);
        Self { state }
    }
}

impl<I, F, S, B> State<I, F, S, B>
where
    S: Service<Request<B>>,
{
    fn refused(
        judge: &Judge,
        refused: Refused,
        token: Option<&Introspection>,
        request: &Request<B>,
    ) -> Self {
        let settings = &judge.settings;
        observe::refused(&refused, token, request, settings, judge.begun);
        Self::Refused {
            response: Some(Refusing::from(judge).response(refused)),
        }
    }
}

impl<I, F, S, B, ResBody> Future for EnforcementFuture<I, F, S, B>
where
    ResBody: Body<Data = Bytes>,
    S: Service<Request<B>, Response = Response<ResBody>>,
{
    type Output = Result<Response<EnforcedBody<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                // Introspect => (Inner | Confirm | Refused)
                StateProj::Introspect { call, waiting } => {
                    let introspected = ready!(call.poll(cx));
                    let waiting = waiting.take().expect("polled after it was judged");
                    match introspected {
                        Ok(introspected) => waiting.judge(introspected),
                        Err(cause) => waiting.unknown(cause),
                    }
                }
                // Confirm => (Inner | Refused)
                StateProj::Confirm { confirm, waiting } => {
                    let introspected = ready!(Pin::new(&mut confirm.call).poll(cx));
                    let waiting = waiting.take().expect("polled after it was judged");
                    match introspected {
                        Ok(introspected) => waiting.confirmed(confirm, &introspected),
                        Err(cause) => waiting.unknown(cause),
                    }
                }
                StateProj::Inner { future, passing } => {
                    let response = ready!(future.poll(cx))?;
                    return Poll::Ready(Ok(match passing.take() {
                        Some(passing) => passing.respond(response),
                        None => response.map(EnforcedBody::unwatched),
                    }));
                }
                StateProj::Refused { response } => {
                    let response = response.take().expect("polled after it was done");
                    return Poll::Ready(Ok(response.map(EnforcedBody::ours)));
                }
            };
            state.set(next);
        }
    }
}

impl<I, F, S, B> fmt::Debug for EnforcementFuture<I, F, S, B>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Introspect { .. } => "introspect",
            State::Confirm { .. } => "confirm",
            State::Inner { .. } => "inner",
            State::Refused { .. } => "refused",
        };
        f.debug_tuple("EnforcementFuture").field(&state).finish()
    }
}
