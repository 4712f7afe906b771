//! One request on the path, from its head to its answer.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited, combinators::Collect};
use hyper::{Request, Response, Version, body::Body, http::request::Parts};
use pin_project_lite::pin_project;
use tower::{BoxError, util::Oneshot};

use super::{
    Authenticator, Backend, Endpoint, Settings,
    answer::{Circumstances, Manner},
    error::{Error, ErrorKind},
    form::Form,
    head::{self, Asked},
    observe::Observation,
    patience::Deadline,
};
use crate::{
    client::{Credentials, Refusal},
    token::{Outcome, RevocationRequest, TokenTypeHint},
};

impl<A: Clone, B: Clone, C, FA, FB> Endpoint<A, B, C, FA, FB> {
    /// Judges the head, and begins to read the body if that is worth while.
    pub(super) fn converse<ReqBody>(
        &self,
        request: Request<ReqBody>,
    ) -> Conversation<A, B, C, FA, FB, ReqBody>
    where
        ReqBody: Body,
        <ReqBody as Body>::Error: Into<BoxError>,
    {
        let circumstances = Circumstances {
            authorization_used: false,
            http_1: request.version() <= Version::HTTP_11,
        };
        let (state, deadline) = match head::judge(&request, self.settings.max_body) {
            Err(error) => (
                State::Judged {
                    verdict: Some(Err(error)),
                },
                None,
            ),
            Ok(Asked::Options) => (
                State::Judged {
                    verdict: Some(Ok(Verdict::Options)),
                },
                None,
            ),
            Ok(Asked::Revoke) => {
                let (head, body) = request.into_parts();
                let state = State::Read {
                    body: Limited::new(body, self.settings.max_body).collect(),
                    then: Some((head, self.authenticator.clone(), self.backend.clone())),
                };
                (state, self.settings.patience.begin())
            }
        };
        Conversation {
            state,
            circumstances,
            deadline,
            settings: self.settings.clone(),
            observation: Observation::begin(),
        }
    }
}

pin_project! {
    /// A conversation under way.
    pub(super) struct Conversation<A, B, C, FA, FB, ReqBody>
    where
        ReqBody: Body,
        <ReqBody as Body>::Error: Into<BoxError>,
    {
        #[pin]
        state: State<A, B, C, FA, FB, ReqBody>,
        circumstances: Circumstances,
        deadline: Option<Deadline>,
        settings: Arc<Settings>,
        observation: Observation,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<A, B, C, FA, FB, ReqBody>
    where
        ReqBody: Body,
        <ReqBody as Body>::Error: Into<BoxError>,
    {
        // The head was enough.
        Judged { verdict: Option<Result<Verdict, Error>> },
        // Steps 8 to 10: the body, the form, the one method of authentication.
        Read {
            #[pin]
            body: Collect<Limited<ReqBody>>,
            then: Option<(Parts, Authenticator<A, C, FA>, Backend<B, C, FB>)>,
        },
        // Step 12: who asks?
        Authenticate {
            #[pin]
            client: Oneshot<Authenticator<A, C, FA>, Request<Credentials>>,
            then: Option<(Form, Backend<B, C, FB>)>,
        },
        // Steps 14 and 15: what became of the token?
        Dispatch { #[pin] outcome: Oneshot<Backend<B, C, FB>, RevocationRequest<C>> },
    }
}

/// How a conversation ends, if nothing goes wrong.
#[derive(Clone, Copy)]
enum Verdict {
    Options,
    Outcome(Outcome),
}

impl<A, B, C, FA, FB, ReqBody> Future for Conversation<A, B, C, FA, FB, ReqBody>
where
    ReqBody: Body,
    ReqBody::Error: Into<BoxError>,
{
    type Output = Result<Response<Full<Bytes>>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let verdict = match self.as_mut().advance(cx) {
            Poll::Ready(verdict) => verdict,
            Poll::Pending => Err(ready!(self.as_mut().poll_timeout(cx))),
        };
        Poll::Ready(Ok(self.answer(verdict)))
    }
}

impl<A, B, C, FA, FB, ReqBody> Conversation<A, B, C, FA, FB, ReqBody>
where
    ReqBody: Body,
    ReqBody::Error: Into<BoxError>,
{
    fn advance(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Verdict, Error>> {
        const DONE: &str = "polled after it was done";
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                // Judged => done
                StateProj::Judged { verdict } => return Poll::Ready(verdict.take().expect(DONE)),
                // Read => (Authenticate | refused)
                StateProj::Read { body, then } => {
                    let body = ready!(body.poll(cx)).map_err(unread)?.to_bytes();
                    let (mut head, authenticator, backend) = then.take().expect(DONE);
                    if let Some(deadline) = this.deadline {
                        deadline.body_read();
                    }
                    head::judge_charset(&head.headers, &body)?;
                    let mut form = Form::parse(&body)?;
                    let presented = form.presented(&mut head.headers);
                    this.circumstances.authorization_used = presented.authorization.was_used();
                    let credentials = presented.sort(this.settings.lenient_double_credentials)?;
                    #[cfg(feature = "tracing")]
                    this.observation.claim(&credentials, &head.headers);
                    if !credentials.could_be(&this.settings.auth_methods) {
                        return Poll::Ready(Err(Error::refused(Refusal::MethodNotOffered)));
                    }
                    head.extensions.insert(this.settings.auth_methods.clone());
                    this.state.set(State::Authenticate {
                        client: Oneshot::new(authenticator, Request::from_parts(head, credentials)),
                        then: Some((form, backend)),
                    });
                }
                // Authenticate => (Dispatch | refused)
                StateProj::Authenticate { client, then } => {
                    let client = ready!(client.poll(cx)).map_err(Error::from_service)?;
                    let (mut form, backend) = then.take().expect(DONE);
                    let client = client.ok_or_else(|| Error::refused(Refusal::Unspecified))?;
                    // Only now: a failed authentication outranks whatever is wrong with the token
                    // (RFC 7009 §2.1).
                    let token = form.take_token(this.settings.max_token)?;
                    #[cfg(feature = "tracing")]
                    this.observation.token(&token, &this.settings.fingerprints);
                    let request = RevocationRequest {
                        client,
                        token,
                        hint: form.token_type_hint.as_deref().map(TokenTypeHint::from),
                    };
                    this.state.set(State::Dispatch {
                        outcome: Oneshot::new(backend, request),
                    });
                }
                // Dispatch => done
                StateProj::Dispatch { outcome } => {
                    let outcome = ready!(outcome.poll(cx)).map_err(Error::from_service)?;
                    return Poll::Ready(Ok(Verdict::Outcome(outcome)));
                }
            }
        }
    }

    /// Waiting for the peer's body ends in 408, waiting for our own parts in 503.
    fn poll_timeout(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Error> {
        let this = self.project();
        let Some(deadline) = this.deadline else {
            return Poll::Pending;
        };
        ready!(deadline.poll(cx));
        Poll::Ready(match this.state.project() {
            StateProj::Read { .. } => Error::new(ErrorKind::BodyTimeout),
            _ => Error::new(ErrorKind::Unavailable).with_source("the revocation took too long"),
        })
    }

    /// Step 16.
    fn answer(self: Pin<&mut Self>, verdict: Result<Verdict, Error>) -> Response<Full<Bytes>> {
        let mut this = self.project();
        // Whatever was still under way ends with the answer, however long this future is kept.
        this.state.set(State::Judged { verdict: None });
        let settings = &**this.settings;
        let (outcome, answer) = match verdict {
            Ok(Verdict::Options) => ("options", Ok(Manner::options())),
            Ok(Verdict::Outcome(outcome)) => {
                let accepted = settings.accept(outcome);
                (
                    outcome.as_str(),
                    accepted.map(|()| settings.manner.success()),
                )
            }
            Err(error) if error.kind().is_fault() => ("failed", Err(error)),
            Err(error) => ("refused", Err(error)),
        };
        this.observation.end(outcome, answer.as_ref().err());
        answer.unwrap_or_else(|error| settings.manner.failure(error, *this.circumstances))
    }
}

impl Settings {
    /// Which of a backend's answers are a success (RFC 7009 §2.1, §2.2.1).
    fn accept(&self, outcome: Outcome) -> Result<(), Error> {
        match outcome {
            Outcome::Revoked | Outcome::NotFound => Ok(()),
            Outcome::IssuedToAnother if self.silent_for_foreign_tokens => Ok(()),
            Outcome::IssuedToAnother => Err(Error::new(ErrorKind::InvalidGrant)),
            Outcome::Unsupported => Err(Error::new(ErrorKind::UnsupportedTokenType)),
        }
    }
}

/// Why a body could not be read: too long, or broken on its way.
fn unread(cause: BoxError) -> Error {
    let kind = if cause.is::<LengthLimitError>() {
        ErrorKind::BodyTooLarge
    } else {
        ErrorKind::InvalidRequest
    };
    Error::new(kind).with_source(cause)
}
