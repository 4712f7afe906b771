//! Introspect, judge, pass on or refuse.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request, Response, StatusCode, Version, body::Body};
use pin_project_lite::pin_project;
use tower::{BoxError, Service, util::Oneshot};

use super::{
    connection::Connection,
    judge::{Case, Judgement},
    layer::{ConfirmBy, Introspect, Settings},
    life::TokenLife,
    observe,
    response::Dialect,
    stream::{EnforcedBody, Manner},
    verdict::{Refused, Verdict},
};
use crate::{
    introspect::{Introspected, Introspection},
    log::NumericDate,
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
        Introspect { #[pin] asked: Oneshot<Introspect<I, F>, Secret>, waiting: Option<Waiting<S, B>> },
        // In a box: it is for requests that a stale index is asked about.
        Confirm { asked: Pin<Box<Confirm>>, waiting: Option<Waiting<S, B>> },
        Inner { #[pin] future: S::Future, passing: Option<Passing> },
        Refused { answer: Option<Response<Full<Bytes>>> },
    }
}

/// An authority is asked about a token, of which this was known before.
struct Confirm {
    asked: Oneshot<ConfirmBy, Secret>,
    token: Introspection,
}

/// A request that is to be judged, and the instance that was ready for it.
struct Waiting<S, B> {
    case: Case,
    inner: S,
    request: Request<B>,
    /// The token once more, where an authority may have to be asked.
    again: Option<Secret>,
}

/// What is to be done with the response of a request that has passed.
struct Passing {
    settings: Arc<Settings>,
    life: TokenLife,
    connection: Option<Connection>,
    /// Whether others share the connection, as in HTTP/2: what is handed over is a stream then.
    is_shared: bool,
    connects: bool,
}

impl<I, F, S, B> EnforcementFuture<I, F, S, B>
where
    S: Service<Request<B>>,
{
    pub(super) fn introspect(
        case: Case,
        introspect: Introspect<I, F>,
        token: Secret,
        inner: S,
        request: Request<B>,
    ) -> Self {
        let again = case.may_confirm().then(|| token.clone());
        let waiting = Waiting {
            case,
            inner,
            request,
            again,
        };
        let state = State::Introspect {
            asked: Oneshot::new(introspect, token),
            waiting: Some(waiting),
        };
        Self { state }
    }

    /// For a token that has been introspected already.
    pub(super) fn judge(case: Case, token: Introspection, inner: S, request: Request<B>) -> Self {
        let waiting = Waiting {
            case,
            inner,
            request,
            again: None,
        };
        let state = waiting.judge(Introspected::Token(token));
        Self { state }
    }

    pub(super) fn without_token(case: &Case, mut inner: S, request: Request<B>) -> Self {
        if !case.policy.anonymous {
            return Self::refuse(case, Refused::new(Verdict::Missing), &request);
        }
        observe::passed(true, case.begun);
        let state = State::Inner {
            future: inner.call(request),
            passing: None,
        };
        Self { state }
    }

    pub(super) fn refuse(case: &Case, refused: Refused, request: &Request<B>) -> Self {
        let state = State::refused(case, refused, None, request);
        Self { state }
    }
}

impl<S, B> Waiting<S, B>
where
    S: Service<Request<B>>,
{
    fn judge<I, F>(self, introspected: Introspected) -> State<I, F, S, B> {
        let token = match introspected {
            Introspected::Token(token) => token,
            Introspected::Unhandled { reason, .. } | Introspected::Unrecognised(reason) => {
                let refused = Refused::new(Verdict::Invalid(reason));
                return State::refused(&self.case, refused, None, &self.request);
            }
        };
        match self.case.judge(&token, NumericDate::now()) {
            Judgement::Verdict(verdict) => self.follow(verdict, token),
            Judgement::Unknown(cause) => self.undecided(cause, &token),
            Judgement::Confirm => self.confirm(token),
        }
    }

    fn confirm<I, F>(mut self, token: Introspection) -> State<I, F, S, B> {
        let authority = self.case.settings.confirm_by.clone();
        let Some((authority, secret)) = authority.zip(self.again.take()) else {
            return self.undecided(
                "there is no token that an authority could be asked about",
                &token,
            );
        };
        let asked = Confirm {
            asked: Oneshot::new(authority, secret),
            token,
        };
        State::Confirm {
            asked: Box::pin(asked),
            waiting: Some(self),
        }
    }

    fn undecided<I, F>(self, cause: &'static str, token: &Introspection) -> State<I, F, S, B> {
        let refused = Refused::unknown(cause.into());
        State::refused(&self.case, refused, Some(token), &self.request)
    }

    fn follow<I, F>(mut self, verdict: Verdict, token: Introspection) -> State<I, F, S, B> {
        if verdict != Verdict::Live {
            let refused = Refused::new(verdict);
            return State::refused(&self.case, refused, Some(&token), &self.request);
        }
        observe::passed(false, self.case.begun);
        let passing = self.case.policy.cut_streams.then(|| Passing {
            life: self.case.settings.index.life(token.clone()),
            settings: self.case.settings,
            connection: self.request.extensions().get().cloned(),
            is_shared: self.request.version() >= Version::HTTP_2,
            connects: self.request.method() == Method::CONNECT,
        });
        let extensions = self.request.extensions_mut();
        if let Some(passing) = &passing {
            extensions.insert(passing.life.clone());
        }
        extensions.insert(token);
        State::Inner {
            future: self.inner.call(self.request),
            passing,
        }
    }
}

impl<I, F, S, B> State<I, F, S, B>
where
    S: Service<Request<B>>,
{
    fn refused(
        case: &Case,
        refused: Refused,
        token: Option<&Introspection>,
        request: &Request<B>,
    ) -> Self {
        observe::refused(&refused, token, request, case);
        let answer = case
            .settings
            .manner
            .answer(refused, case.dialect, case.scheme);
        Self::Refused {
            answer: Some(answer),
        }
    }
}

impl Passing {
    fn respond<B>(self, response: Response<B>) -> Response<EnforcedBody<B>> {
        let status = response.status();
        let upgraded =
            status == StatusCode::SWITCHING_PROTOCOLS || self.connects && status.is_success();
        if upgraded && !self.is_shared {
            if let Some(connection) = self.connection {
                connection.sever_with(&self.life);
            }
            // It has no body, and what it has become ends with the connection.
            return response.map(|body| EnforcedBody::inner(body, None, Manner::Error));
        }
        // What the answer is, and not what the request was said to be: trailers end any other
        // answer as if it were whole.
        let manner = match self.settings.dialect(response.headers()) {
            Dialect::Http => Manner::Error,
            Dialect::Grpc => Manner::Grpc,
        };
        response.map(|body| EnforcedBody::inner(body, Some(self.life), manner))
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
                StateProj::Introspect { asked, waiting } => {
                    let known = ready!(asked.poll(cx));
                    let waiting = waiting.take().expect("polled after it was judged");
                    match known {
                        Ok(introspected) => waiting.judge(introspected),
                        Err(cause) => waiting.unknown(cause),
                    }
                }
                // Confirm => (Inner | Refused)
                StateProj::Confirm { asked, waiting } => {
                    let known = ready!(Pin::new(&mut asked.asked).poll(cx));
                    let waiting = waiting.take().expect("polled after it was judged");
                    match known {
                        Ok(known) => waiting.confirmed(asked.token.clone(), &known),
                        Err(cause) => waiting.unknown(cause),
                    }
                }
                StateProj::Inner { future, passing } => {
                    let response = ready!(future.poll(cx))?;
                    return Poll::Ready(Ok(match passing.take() {
                        Some(passing) => passing.respond(response),
                        None => response.map(|body| EnforcedBody::inner(body, None, Manner::Error)),
                    }));
                }
                StateProj::Refused { answer } => {
                    let answer = answer.take().expect("polled after it was done");
                    return Poll::Ready(Ok(answer.map(EnforcedBody::ours)));
                }
            };
            state.set(next);
        }
    }
}

impl<S, B> Waiting<S, B>
where
    S: Service<Request<B>>,
{
    fn unknown<I, F>(self, cause: BoxError) -> State<I, F, S, B> {
        State::refused(&self.case, Refused::unknown(cause), None, &self.request)
    }

    /// What an authority has said of a token. It goes on as what it was known as before: the
    /// authority may know fewer of its selectors.
    fn confirmed<I, F>(self, mut token: Introspection, known: &Introspected) -> State<I, F, S, B> {
        let verdict = self.case.confirmed(&token, known, NumericDate::now());
        if let Introspected::Token(known) = known {
            token.exp = token.exp.into_iter().chain(known.exp).min();
        }
        self.follow(verdict, token)
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
