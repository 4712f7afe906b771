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

use hyper::{
    Response, StatusCode, Version,
    body::Incoming,
    header::{CONNECTION, HeaderValue, UPGRADE},
};
use hyper_util::client::legacy;
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};

use super::{
    ForwardedBody,
    tunnel::Tunnel,
    upload::{Failed, Progress},
};
use crate::{
    ResponseBody,
    enforce::End,
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
        Failed { response: Option<Response<ResponseBody<ForwardedBody>>> },
        Sent {
            #[pin]
            response: legacy::ResponseFuture,
            #[pin]
            sleep: Sleep,
            // Of the request.
            version: Version,
            head_timeout: Duration,
            progress: Option<Progress>,
            tunnel: Option<Tunnel>,
        },
    }
}

impl ForwardFuture {
    pub(super) fn failed(error: Error, version: Version) -> Self {
        let response = Some(failure(error, version));
        Self {
            kind: Kind::Failed { response },
        }
    }

    pub(super) fn sent(
        response: legacy::ResponseFuture,
        version: Version,
        progress: Option<Progress>,
        head_timeout: Duration,
        tunnel: Option<Tunnel>,
    ) -> Self {
        Self {
            kind: Kind::Sent {
                response,
                sleep: sleep(head_timeout),
                version,
                head_timeout,
                progress,
                tunnel,
            },
        }
    }
}

impl Future for ForwardFuture {
    type Output = Result<Response<ResponseBody<ForwardedBody>>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().kind.project() {
            KindProj::Failed { response } => {
                let response = response.take();
                Poll::Ready(Ok(response.expect("a future is not polled after its end")))
            }
            KindProj::Sent {
                response,
                mut sleep,
                version,
                head_timeout,
                progress,
                tunnel,
            } => {
                if let Poll::Ready(answered) = response.poll(cx) {
                    let response = answered
                        .map_err(|error| unanswered(error, progress.as_ref()))
                        .and_then(|response| passed(response, tunnel.take()));
                    let response = response.unwrap_or_else(|error| failure(error, *version));
                    return Poll::Ready(Ok(response));
                }
                // The API may read nothing and never respond.
                let failed = progress.as_ref().and_then(|upload| upload.poll_failed(cx));
                if let Some(failed @ Failed::Token(_)) = failed {
                    return Poll::Ready(Ok(failure(failed.into(), *version)));
                }
                loop {
                    ready!(sleep.as_mut().poll(cx));
                    // Only the time in which the API was slow counts.
                    let due = progress
                        .as_ref()
                        .map(|progress| progress.api_is_slow_since() + *head_timeout);
                    match due {
                        Some(due) if due > sleep.deadline() => sleep.as_mut().reset(due),
                        _ => break,
                    }
                }
                let error = Error::new(ErrorKind::TimedOut, "the API did not respond in time");
                Poll::Ready(Ok(failure(error, *version)))
            }
        }
    }
}

/// The response of the API, as it is passed on.
fn passed(
    mut response: Response<Incoming>,
    tunnel: Option<Tunnel>,
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
    Ok(response.map(|body| ResponseBody::inner(ForwardedBody::new(body))))
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

fn failure(error: Error, version: Version) -> Response<ResponseBody<ForwardedBody>> {
    observe::failed(&error);
    error.into_response(version).map(ResponseBody::endpoint)
}

impl fmt::Debug for ForwardFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.kind {
            Kind::Failed { .. } => "failed",
            Kind::Sent { .. } => "sent",
        };
        f.debug_tuple("ForwardFuture").field(&kind).finish()
    }
}
