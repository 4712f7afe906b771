//! One request on the path, from its head to its response.

use std::{
    convert::Infallible,
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request, Response, Version,
    body::Body,
    http::{Extensions, request::Parts},
};
use pin_project_lite::pin_project;
use tower::{BoxError, Service as _};

#[cfg(feature = "profiles")]
use super::RefusedInFront;
use super::{
    Backend, Endpoint, EndpointSettings,
    head::{self, Operation},
    jsonp::Callback,
    media_type::Charset,
    observe::Observation,
    read::Read,
    response::RequestInfo,
    timeout::{Deadline, Wait},
};
#[cfg(feature = "log")]
use crate::token::IsUnproven;
#[cfg(feature = "profiles")]
use crate::token::NeedsNoToken;
use crate::{
    ask::AskFuture,
    client::{AuthMethod, Authenticator, Credentials, Presented},
    error::{Error, ErrorKind},
    form::{Form, TokenParameters},
    refusal::Refusal,
    token::{BackendExtensions, Outcome, RevocationRequest, Secret},
};

impl<A: Clone, B: Clone, C, FA, FB> Endpoint<A, B, C, FA, FB> {
    /// Checks the head, and starts to read the body if the head is valid.
    pub(super) fn converse<ReqBody>(
        &self,
        mut request: Request<ReqBody>,
    ) -> Conversation<A, B, C, FA, FB, ReqBody>
    where
        ReqBody: Body,
        <ReqBody as Body>::Error: Into<BoxError>,
    {
        let observation = Observation::begin(self.settings.clone());
        let info = RequestInfo {
            authorization_used: false,
            http_1: request.version() <= Version::HTTP_11,
        };
        let operation = match refused(&mut request) {
            Some(error) => Err(error),
            None => head::check(&request, &self.settings),
        };
        let is_revocation = matches!(operation, Ok(Operation::Revoke(_) | Operation::Script(_)));
        let services = is_revocation.then_some(self);
        let timeouts = services.map(|endpoint| &endpoint.settings.timeouts);
        let (head, body) = request.into_parts();
        let mut callback = None;
        Conversation {
            state: match operation {
                Ok(Operation::Revoke(charset)) => State::Read {
                    body: Read::new(body, self.settings.max_body),
                    charset,
                },
                Ok(Operation::Script(query)) => {
                    callback = Some(query.callback);
                    State::Read {
                        body: Read::whole(query.form),
                        charset: Charset::Utf8,
                    }
                }
                Ok(Operation::Options) => State::Ended {
                    ending: Some(Ok(Ending::Options)),
                },
                Err(error) => State::Ended {
                    ending: Some(Err(error)),
                },
            },
            head: Some(head),
            token: TokenParameters::default(),
            extensions: Extensions::new(),
            tells_outcome: false,
            authenticator: services.map(|endpoint| endpoint.authenticator.clone()),
            backend: services.map(|endpoint| endpoint.backend.clone()),
            info,
            callback,
            deadline: timeouts.and_then(|it| it.start(|| observation.started())),
            observation,
        }
    }
}

pin_project! {
    /// A request in progress.
    pub(super) struct Conversation<A, B, C, FA, FB, ReqBody>
    where
        ReqBody: Body,
        <ReqBody as Body>::Error: Into<BoxError>,
    {
        #[pin]
        state: State<C, FA, FB, ReqBody>,
        // What later states take. It stays here, because moving it with the state is slow.
        head: Option<Parts>,
        token: TokenParameters,
        extensions: Extensions,
        // Whether somebody in front wants to know the outcome.
        tells_outcome: bool,
        authenticator: Option<Authenticator<A, C, FA>>,
        backend: Option<Backend<B, C, FB>>,
        info: RequestInfo,
        // The function to call, if the response is a script.
        callback: Option<Callback>,
        deadline: Option<Deadline>,
        observation: Observation,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<C, FA, FB, ReqBody> {
        // The ending is known.
        Ended { ending: Option<Result<Ending, Error>> },
        // Steps 8 to 10: the body, the form, the authentication method.
        Read { #[pin] body: Read<ReqBody>, charset: Charset },
        // Step 12: which client is it? The authenticator is not ready yet.
        Identify { credentials: Option<Credentials> },
        Authenticate { #[pin] client: AskFuture<FA, Option<C>> },
        // Steps 14 and 15: the backend revokes the token. It is not ready yet.
        Prepare { request: Option<RevocationRequest<C>> },
        Dispatch { #[pin] outcome: AskFuture<FB, Outcome> },
    }
}

/// How a request ends that does not fail.
#[derive(Clone, Copy)]
enum Ending {
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
        let ending = match self.as_mut().advance(cx) {
            Poll::Ready(ending) => ending,
            Poll::Pending => Err(ready!(self.as_mut().poll_timeout(cx))),
        };
        Poll::Ready(Ok(self.respond(ending)))
    }
}

impl<A, B, C, FA, FB, ReqBody> Conversation<A, B, C, FA, FB, ReqBody>
where
    ReqBody: Body,
    ReqBody::Error: Into<BoxError>,
{
    fn advance(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Ending, Error>> {
        const DONE: &str = "polled after completion";
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                // Ended => done
                StateProj::Ended { ending } => return Poll::Ready(ending.take().expect(DONE)),
                // Read => (Identify | refused)
                StateProj::Read { body, charset } => {
                    let body = ready!(body.poll(cx))?;
                    charset.check(&body)?;
                    let mut form = Form::parse(&body)?;
                    let head = this.head.as_mut().expect(DONE);
                    let presented = Presented::take(&mut form, &mut head.headers);
                    this.info.authorization_used = presented.authorization.was_used();
                    let settings = &this.observation.settings;
                    let credentials = presented.sort(settings.lenient_double_credentials)?;
                    #[cfg(feature = "tracing")]
                    this.observation.claim(&credentials, &head.headers);
                    let mut methods = this.observation.settings.auth_methods;
                    if this.callback.is_some() {
                        // A page has no secret.
                        methods = methods.only(AuthMethod::None);
                    }
                    if !credentials.could_be(methods) {
                        return Poll::Ready(Err(Error::refused(Refusal::MethodNotOffered)));
                    }
                    if let Some(passed) = head.extensions.remove::<BackendExtensions>() {
                        *this.extensions = passed.0;
                        *this.tells_outcome = true;
                        #[cfg(feature = "log")]
                        if matches!(credentials, Credentials::ClientId { .. }) {
                            this.extensions.insert(IsUnproven);
                        }
                    }
                    methods.state(&mut head.extensions);
                    *this.token = form.token;
                    this.state.set(State::Identify {
                        credentials: Some(credentials),
                    });
                }
                // Identify => (Authenticate | failed)
                StateProj::Identify { credentials } => {
                    let authenticator = this.authenticator.as_mut().expect(DONE);
                    ready!(authenticator.poll_ready(cx)).map_err(Error::from_service)?;
                    let head = this.head.take().expect(DONE);
                    let request = Request::from_parts(head, credentials.take().expect(DONE));
                    let client = authenticator.call(request);
                    *this.authenticator = None;
                    this.state.set(State::Authenticate { client });
                }
                // Authenticate => (Prepare | refused)
                StateProj::Authenticate { client } => {
                    let client = ready!(client.poll(cx)).map_err(Error::from_service)?;
                    let client = client.ok_or_else(|| Error::refused(Refusal::Unspecified))?;
                    // After the authentication, whose failure takes precedence over any fault of the
                    // token (RFC 7009 §2.1).
                    let settings = &this.observation.settings;
                    let token = if needs_no_token(this.extensions) {
                        Secret::default()
                    } else {
                        this.token.take_token(settings.max_token)?
                    };
                    #[cfg(feature = "tracing")]
                    if !token.expose().is_empty() {
                        this.observation.token(&token);
                    }
                    let request = RevocationRequest {
                        client,
                        token,
                        hint: this.token.token_type_hint.take(),
                        extensions: mem::take(this.extensions),
                    };
                    this.state.set(State::Prepare {
                        request: Some(request),
                    });
                }
                // Prepare => (Dispatch | failed)
                StateProj::Prepare { request } => {
                    let backend = this.backend.as_mut().expect(DONE);
                    ready!(backend.poll_ready(cx)).map_err(Error::from_service)?;
                    let outcome = backend.call(request.take().expect(DONE));
                    *this.backend = None;
                    this.state.set(State::Dispatch { outcome });
                }
                // Dispatch => done
                StateProj::Dispatch { outcome } => {
                    let outcome = ready!(outcome.poll(cx)).map_err(Error::from_service)?;
                    return Poll::Ready(Ok(Ending::Outcome(outcome)));
                }
            }
        }
    }

    /// A time-out is 408 while the peer sends its body, else 503.
    fn poll_timeout(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Error> {
        let this = self.project();
        let Some(deadline) = this.deadline else {
            return Poll::Pending;
        };
        let wait = match this.state.project() {
            StateProj::Read { .. } => Wait::Body,
            _ => Wait::Service,
        };
        let timeouts = &this.observation.settings.timeouts;
        ready!(deadline.poll(timeouts, wait, cx));
        Poll::Ready(match wait {
            Wait::Body => Error::new(ErrorKind::BodyTimeout),
            Wait::Service => {
                Error::new(ErrorKind::Unavailable).caused_by("the revocation took too long")
            }
        })
    }

    /// Step 16.
    fn respond(self: Pin<&mut Self>, ending: Result<Ending, Error>) -> Response<Full<Bytes>> {
        let mut this = self.project();
        // Drops what is still in progress, however long the caller keeps this future.
        this.state.set(State::Ended { ending: None });
        *this.head = None;
        *this.token = TokenParameters::default();
        *this.extensions = Extensions::new();
        *this.authenticator = None;
        *this.backend = None;
        *this.deadline = None;
        let settings = &this.observation.settings;
        let mut known = None;
        let (outcome, response) = match ending {
            Ok(Ending::Options) => ("options", Ok(settings.responder.options())),
            Ok(Ending::Outcome(outcome)) => {
                known = Some(outcome);
                let accepted = settings.accept(outcome);
                (
                    outcome.as_str(),
                    accepted.map(|()| settings.responder.success()),
                )
            }
            Err(error) if error.kind().is_fault() => ("failed", Err(error)),
            Err(error) => ("refused", Err(error)),
        };
        this.observation.end(outcome, response.as_ref().err());
        let responder = &this.observation.settings.responder;
        let mut response = match (response, this.callback.take()) {
            (Ok(_), Some(callback)) => callback.script(None),
            (Err(error), Some(callback)) => callback.script(Some(error)),
            (Ok(response), None) => response,
            (Err(error), None) => responder.failure(error, *this.info),
        };
        // Extensions allocate three times.
        if let Some(outcome) = known.filter(|_| *this.tells_outcome) {
            response.extensions_mut().insert(outcome);
        }
        response
    }
}

/// Whether a layer in front asks for something that names no token.
fn needs_no_token(extensions: &Extensions) -> bool {
    #[cfg(feature = "profiles")]
    return extensions.get::<NeedsNoToken>().is_some();
    #[cfg(not(feature = "profiles"))]
    {
        let _ = extensions;
        false
    }
}

/// Why a layer in front has refused the request, so that it gets the response of this endpoint.
fn refused<B>(request: &mut Request<B>) -> Option<Error> {
    #[cfg(feature = "profiles")]
    return request
        .extensions_mut()
        .remove()
        .map(|RefusedInFront(error)| error);
    #[cfg(not(feature = "profiles"))]
    {
        let _ = request;
        None
    }
}

impl EndpointSettings {
    /// Which outcomes are a success (RFC 7009 §2.1, §2.2.1).
    fn accept(&self, outcome: Outcome) -> Result<(), Error> {
        match outcome {
            Outcome::Revoked | Outcome::NotFound => Ok(()),
            Outcome::IssuedToAnother if self.silent_for_foreign_tokens => Ok(()),
            Outcome::IssuedToAnother => Err(Error::new(ErrorKind::InvalidGrant)),
            Outcome::Unsupported => Err(Error::new(ErrorKind::UnsupportedTokenType)),
        }
    }
}
