//! Reads the call, checks the request, responds.

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    body::Body,
    header::{self, HeaderName, HeaderValue},
    http::Extensions,
};
use pin_project_lite::pin_project;

use super::{
    body::ExtAuthzBody,
    frame,
    messages::CheckResponse,
    read::Read,
    request::{Unreadable, head},
    response::{message, unknown},
};
use crate::{
    enforce::EnforcementFuture,
    proxy::{
        VerifyService,
        verify::{Permit, VerifyFuture, decision},
    },
};

pin_project! {
    /// The future of an [`ExtAuthzService`](super::ExtAuthzService).
    #[must_use = "futures do nothing unless polled"]
    pub struct ExtAuthzFuture<I, F, B> {
        #[pin]
        state: State<I, F, B>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<I, F, B> {
        Read { #[pin] body: Read<B>, call: Option<Call<I, F>> },
        Check { #[pin] future: EnforcementFuture<I, F, Permit, ()>, forged: Vec<HeaderName> },
        // A question in HTTP.
        Verify { #[pin] future: VerifyFuture<I, F> },
        Refuse { status: StatusCode },
    }
}

/// A call whose message is being read.
struct Call<I, F> {
    verify: VerifyService<I, F>,
    extensions: Extensions,
    is_trusted: bool,
}

impl<I, F, B> ExtAuthzFuture<I, F, B> {
    pub(super) fn check(verify: VerifyService<I, F>, request: Request<B>, max: usize) -> Self {
        let (head, body) = request.into_parts();
        let call = Call {
            is_trusted: verify.trusts(&head),
            extensions: head.extensions,
            verify,
        };
        let state = State::Read {
            body: Read::new(body, max),
            call: Some(call),
        };
        Self { state }
    }

    pub(super) fn verify(future: VerifyFuture<I, F>) -> Self {
        let state = State::Verify { future };
        Self { state }
    }

    pub(super) fn refuse(status: StatusCode) -> Self {
        let state = State::Refuse { status };
        Self { state }
    }
}

impl<I: Clone, F> Call<I, F> {
    fn check<B>(mut self, body: Bytes) -> Result<State<I, F, B>, Unreadable> {
        let head = head(body, self.extensions, self.is_trusted)?;
        let forged = self.verify.forged(&head.headers);
        let future = self.verify.check(head);
        Ok(State::Check { future, forged })
    }
}

impl<I, F, B> Future for ExtAuthzFuture<I, F, B>
where
    I: Clone,
    B: Body<Data = Bytes>,
{
    type Output = Result<Response<ExtAuthzBody>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                // Read => Check
                StateProj::Read { body, call } => {
                    let body = ready!(body.poll(cx)).ok_or(Unreadable::Body);
                    let call = call.take().expect("polled after it was read");
                    match body.and_then(|body| call.check(body)) {
                        Ok(check) => check,
                        Err(why) => {
                            report(why);
                            return Poll::Ready(Ok(response(&unknown())));
                        }
                    }
                }
                StateProj::Check { future, forged } => {
                    let Ok(checked) = ready!(future.poll(cx));
                    let forged = std::mem::take(forged);
                    let message = message(decision(checked), forged);
                    return Poll::Ready(Ok(response(&message)));
                }
                StateProj::Verify { future } => {
                    let response = ready!(future.poll(cx))?;
                    return Poll::Ready(Ok(response.map(|_| ExtAuthzBody::default())));
                }
                StateProj::Refuse { status } => {
                    let mut response = Response::new(ExtAuthzBody::default());
                    *response.status_mut() = *status;
                    return Poll::Ready(Ok(response));
                }
            };
            state.set(next);
        }
    }
}

/// A successful response of gRPC. What is refused stands in its message.
pub(super) fn response(message: &CheckResponse) -> Response<ExtAuthzBody> {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let body = ExtAuthzBody::message(frame::write(message), trailers);
    let mut response = Response::new(body);
    let grpc = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(header::CONTENT_TYPE, grpc);
    response
}

#[cfg(feature = "tracing")]
fn report(why: Unreadable) {
    tracing::warn!(
        target: crate::observe::TARGET,
        cause = why.as_str(),
        "check of Envoy unreadable, denied"
    );
}

#[cfg(not(feature = "tracing"))]
fn report(_: Unreadable) {}

impl<I, F, B> fmt::Debug for ExtAuthzFuture<I, F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Read { .. } => "read",
            State::Check { .. } => "check",
            State::Verify { .. } => "verify",
            State::Refuse { .. } => "refuse",
        };
        f.debug_tuple("ExtAuthzFuture").field(&state).finish()
    }
}
