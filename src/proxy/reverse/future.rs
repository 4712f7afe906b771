//! Waits for the head of the response.

use std::{
    convert::Infallible,
    error::Error as StdError,
    fmt,
    future::Future,
    io, iter,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http_body_util::Full;
use hyper::{
    Response, StatusCode, Version,
    body::Incoming,
    header::{CONNECTION, HeaderValue, UPGRADE},
};
use hyper_util::client::legacy;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

use super::{
    ForwardedBody,
    in_flight::Permit,
    tunnel::Tunnel,
    upload::{Failed, Progress},
};
use crate::{
    ResponseBody,
    enforce::{End, TokenEnd, TokenLife},
    proxy::{
        Error, ErrorKind,
        fields::{Coding, remove_hop_by_hop},
        observe,
        sanitize::is_websocket,
    },
};

pin_project! {
    /// The response future of a [`ReverseProxy`](super::ReverseProxy).
    #[must_use = "futures do nothing unless polled"]
    pub struct ForwardFuture {
        #[pin]
        kind: Kind,
    }
}

pin_project! {
    #[project = KindProj]
    enum Kind {
        Done { response: Option<Response<ResponseBody<ForwardedBody>>> },
        // Boxed: hardly any request gets here.
        Waiting { sent: BoxFuture<'static, ForwardFuture> },
        Sent {
            #[pin]
            response: legacy::ResponseFuture,
            #[pin]
            sleep: Sleep,
            begun: Instant,
            // Of the request.
            version: Version,
            limits: TimeLimits,
            progress: Option<Progress>,
            // Of the token of an upload that takes longer.
            end: Option<TokenEnd>,
            tunnel: Option<Tunnel>,
            permit: Option<Permit>,
        },
    }
}

/// How long a request may wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeLimits {
    /// For the API.
    pub(super) head: Duration,
    /// For a client that sends nothing of its body.
    pub(super) upload: Duration,
}

/// The time after which an upload is not a short one. Only then is its token watched.
const SHORT: Duration = Duration::from_millis(500);

impl TimeLimits {
    /// When to look for the first time.
    fn first(self, progress: Option<&Progress>) -> Duration {
        let limit = self.head.min(self.upload);
        match progress {
            Some(_) => limit.min(SHORT),
            None => limit,
        }
    }

    /// When to look again. Fails if one side was slow for too long.
    fn next(self, begun: Instant, progress: Option<&Progress>) -> Result<Instant, Error> {
        let now = Instant::now();
        // Only the time in which the API was slow counts for it.
        let silent = progress.and_then(Progress::client_is_silent_since);
        let (due, kind, reason) = match silent {
            Some(since) => (
                later(since, self.upload),
                ErrorKind::ClientTimedOut,
                "the client sent nothing of its body for too long",
            ),
            None => (
                later(
                    progress.map_or(begun, Progress::api_is_slow_since),
                    self.head,
                ),
                ErrorKind::TimedOut,
                "the API did not respond in time",
            ),
        };
        if due <= now {
            return Err(Error::new(kind, reason));
        }
        // The other side may be the slow one by then.
        Ok(due.min(later(now, self.head.min(self.upload))))
    }
}

/// A time beyond the end of the clock is as good as one in many years.
fn later(at: Instant, by: Duration) -> Instant {
    const LONGEST: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);
    at + by.min(LONGEST)
}

impl ForwardFuture {
    pub(super) fn failed(error: Error, version: Version) -> Self {
        let response = Some(failure(error, None, version));
        Self {
            kind: Kind::Done { response },
        }
    }

    /// For an upload that failed before the request was sent.
    pub(super) fn cut(failed: Failed, life: &TokenLife, version: Version) -> Self {
        let refusal = match failed {
            Failed::Token(end) => Some(life.refusal(end)),
            Failed::Client => None,
        };
        let response = Some(failure(failed.into(), refusal, version));
        Self {
            kind: Kind::Done { response },
        }
    }

    /// The proxy responds with 204.
    pub(super) fn no_content() -> Self {
        let mut response = Response::new(ResponseBody::endpoint(Full::default()));
        *response.status_mut() = StatusCode::NO_CONTENT;
        Self {
            kind: Kind::Done {
                response: Some(response),
            },
        }
    }

    /// For a request that is not sent before it is known how.
    pub(super) fn waiting(sent: BoxFuture<'static, Self>) -> Self {
        Self {
            kind: Kind::Waiting { sent },
        }
    }

    pub(super) fn sent(
        response: legacy::ResponseFuture,
        version: Version,
        progress: Option<Progress>,
        limits: TimeLimits,
        tunnel: Option<Tunnel>,
        permit: Permit,
    ) -> Self {
        let begun = Instant::now();
        Self {
            kind: Kind::Sent {
                response,
                sleep: sleep_until(later(begun, limits.first(progress.as_ref()))),
                begun,
                version,
                limits,
                progress,
                end: None,
                tunnel,
                permit: Some(permit),
            },
        }
    }
}

impl Future for ForwardFuture {
    type Output = Result<Response<ResponseBody<ForwardedBody>>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let next = match self.as_mut().project().kind.project() {
                KindProj::Done { response } => {
                    let response = response.take();
                    return Poll::Ready(
                        Ok(response.expect("a future is not polled after its end")),
                    );
                }
                // Waiting => (Sent | Done)
                KindProj::Waiting { sent } => ready!(sent.as_mut().poll(cx)),
                KindProj::Sent {
                    response,
                    mut sleep,
                    begun,
                    version,
                    limits,
                    progress,
                    end,
                    tunnel,
                    permit,
                } => {
                    let refusal = || progress.as_ref().and_then(Progress::refusal);
                    if let Poll::Ready(answered) = response.poll(cx) {
                        let response = answered
                            .map_err(|error| unanswered(error, progress.as_ref()))
                            .and_then(|response| passed(response, tunnel.take(), permit.take()));
                        let response =
                            response.unwrap_or_else(|error| failure(error, refusal(), *version));
                        return Poll::Ready(Ok(response));
                    }
                    let error = loop {
                        // The API may read nothing and never respond.
                        let failed = progress.as_ref().and_then(|it| it.poll_ended(end, cx));
                        if let Some(failed @ Failed::Token(_)) = failed {
                            let response = failure(failed.into(), refusal(), *version);
                            return Poll::Ready(Ok(response));
                        }
                        ready!(sleep.as_mut().poll(cx));
                        // The upload is no short one.
                        if end.is_none() {
                            *end = progress.as_ref().and_then(Progress::token_end);
                        }
                        match limits.next(*begun, progress.as_ref()) {
                            Ok(due) => sleep.as_mut().reset(due),
                            Err(error) => break error,
                        }
                    };
                    return Poll::Ready(Ok(failure(error, None, *version)));
                }
            };
            self.set(next);
        }
    }
}

/// The response of the API, as it is passed on.
fn passed(
    mut response: Response<Incoming>,
    tunnel: Option<Tunnel>,
    permit: Option<Permit>,
) -> Result<Response<ResponseBody<ForwardedBody>>, Error> {
    let switches = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    // hyper has removed `chunked`. What other codings it has, the client would not know.
    if !matches!(
        Coding::of(response.headers()),
        Coding::None | Coding::Chunked
    ) {
        let reason = "the API responds with another transfer coding than chunked";
        return Err(Error::new(ErrorKind::BadResponse, reason));
    }
    let is_websocket = switches && is_websocket(response.headers());
    remove_hop_by_hop(response.headers_mut());
    *response.version_mut() = Version::HTTP_11;
    if switches {
        let bad = |reason| Error::new(ErrorKind::BadResponse, reason);
        let tunnel = tunnel.ok_or_else(|| bad("the API switches protocols without permission"))?;
        if !is_websocket {
            return Err(bad("the API switches to another protocol than WebSocket"));
        }
        let headers = response.headers_mut();
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        tunnel.open(hyper::upgrade::on(&mut response));
    }
    Ok(response.map(|body| ResponseBody::inner(ForwardedBody::new(body, permit))))
}

/// Why there is no response.
fn unanswered(error: legacy::Error, progress: Option<&Progress>) -> Error {
    let first: &(dyn StdError + 'static) = &error;
    let mut chain = iter::successors(Some(first), |&cause| cause.source());
    let timed_out = chain.any(|cause| {
        let of_io = cause.downcast_ref::<io::Error>();
        of_io.is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
    });
    let error_of = |kind, reason| Error::new(kind, reason);
    let ours = if let Some(failed) = progress.and_then(Progress::failed) {
        failed.into()
    } else if error.is_connect() && timed_out {
        error_of(
            ErrorKind::TimedOut,
            "the API did not accept a connection in time",
        )
    } else if error.is_connect() {
        error_of(ErrorKind::Unreachable, "the API cannot be reached")
    } else {
        error_of(
            ErrorKind::Unreachable,
            "the API closed the connection without a response",
        )
    };
    ours.caused_by(error)
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Client => Self::bad_request("the body of the request ended early"),
            Failed::Token(End::Unknown) => Self::new(
                ErrorKind::TokenUnknown,
                "the token may have ended before the body of the request",
            ),
            Failed::Token(_) => Self::new(
                ErrorKind::TokenEnded,
                "the token ended before the body of the request",
            ),
        }
    }
}

/// The response without the API. `refusal` is that of the layer that checked the token of a cut upload.
fn failure(
    error: Error,
    refusal: Option<Response<Full<Bytes>>>,
    version: Version,
) -> Response<ResponseBody<ForwardedBody>> {
    observe::failed(&error);
    let was_cut = matches!(
        error.kind(),
        ErrorKind::TokenEnded | ErrorKind::TokenUnknown
    );
    let response = match refusal.filter(|_| was_cut) {
        Some(refusal) => error.complete(refusal, version),
        None => error.into_response(version),
    };
    response.map(ResponseBody::endpoint)
}

impl fmt::Debug for ForwardFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.kind {
            Kind::Done { .. } => "done",
            Kind::Waiting { .. } => "waiting",
            Kind::Sent { .. } => "sent",
        };
        f.debug_tuple("ForwardFuture").field(&kind).finish()
    }
}
