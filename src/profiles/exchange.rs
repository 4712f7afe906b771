//! One call: reads it, translates it, and translates the response.

use std::{convert::Infallible, pin::pin};

use bytes::Bytes;
use futures::future::{Either, select};
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode, Version,
    body::Body as HttpBody,
    header::{self, HeaderValue},
};
use tower::{BoxError, Service, ServiceExt as _};

use super::{
    Answer, Call, Profile, ProfileLayer, ProfileRequest, answer::Invariant, call::Kind,
    layer::Settings, observe, profile::has_identity_coding,
};
use crate::{
    endpoint::{ReadBody, set_security_headers},
    error::{Error, ErrorKind},
    token::Outcome,
};

/// Responds to a request at a path of the profile.
pub(super) async fn respond<P, E, B>(
    layer: ProfileLayer<P, E>,
    methods: &'static [Method],
    rest: String,
    request: Request<B>,
) -> Response<Full<Bytes>>
where
    P: Profile,
    E: Service<Request<Full<Bytes>>, Response = Response<Full<Bytes>>, Error = Infallible> + Clone,
    B: HttpBody<Error: Into<BoxError>>,
{
    if request.method() == Method::OPTIONS {
        return options(methods);
    }
    let http_1 = request.version() <= Version::HTTP_11;
    let mut state = P::State::default();
    let call = match read(&layer.settings, methods, rest, request).await {
        Ok(request) => layer.profile.call(request, &mut state).await,
        Err(error) => Err(error),
    };
    let answer = match call {
        Ok(call) => ask(layer.endpoint, call).await,
        Err(error) => Err(error),
    };
    let answer = answer.unwrap_or_else(|error| refused(error, http_1));
    let answer = after(&layer.settings, answer, http_1).await;
    let invariant = Invariant::of(&answer);
    let is_refused_method = answer.is(ErrorKind::MethodNotAllowed);
    let mut response = layer.profile.response(answer, state);
    if is_refused_method {
        response.headers_mut().insert(header::ALLOW, allow(methods));
    }
    invariant.apply(&mut response);
    response
}

/// Reads the body, after the checks of the head that need no profile.
async fn read<B>(
    settings: &Settings,
    methods: &[Method],
    rest: String,
    request: Request<B>,
) -> Result<ProfileRequest, Error>
where
    B: HttpBody<Error: Into<BoxError>>,
{
    if !methods.contains(request.method()) {
        return Err(Error::new(ErrorKind::MethodNotAllowed));
    }
    if !has_identity_coding(request.headers()) {
        return Err(Error::new(ErrorKind::UnsupportedContentCoding));
    }
    let (head, body) = request.into_parts();
    let body = ReadBody::new(body, settings.max_body);
    let body = match &settings.timer {
        None => body.await?,
        Some(timer) => match select(pin!(body), timer.sleep(settings.body_timeout)).await {
            Either::Left((body, _)) => body?,
            Either::Right(_) => return Err(Error::new(ErrorKind::BodyTimeout)),
        },
    };
    Ok(ProfileRequest { head, rest, body })
}

async fn ask<E>(endpoint: E, call: Call) -> Result<Answer, Error>
where
    E: Service<Request<Full<Bytes>>, Response = Response<Full<Bytes>>, Error = Infallible>,
{
    match call.0 {
        Kind::Revoke(revoke) => {
            let options = revoke.options.clone();
            let Ok(response) = endpoint.oneshot(revoke.into_request()).await;
            Answer::new(response, options.introspection())
        }
        Kind::Done(outcome) => Ok(Answer::done(outcome)),
    }
}

/// Calls the service that wants to know of revocations.
async fn after(settings: &Settings, answer: Answer, http_1: bool) -> Answer {
    let (Some(hook), Ok(Outcome::Revoked), Some(token)) =
        (&settings.after, answer.result(), answer.token())
    else {
        return answer;
    };
    match hook.clone().oneshot(token.clone()).await {
        Ok(()) => answer,
        Err(cause) => refused(Error::from_service(cause), http_1),
    }
}

fn refused(error: Error, http_1: bool) -> Answer {
    observe::refused(&error);
    Answer::refused(error, http_1)
}

/// The response to `OPTIONS` (RFC 9110 §9.3.7).
fn options(methods: &[Method]) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(header::ALLOW, allow(methods));
    set_security_headers(response.headers_mut());
    response
}

fn allow(methods: &[Method]) -> HeaderValue {
    let mut allow = String::new();
    for method in methods {
        allow.push_str(method.as_str());
        allow.push_str(", ");
    }
    allow.push_str("OPTIONS");
    HeaderValue::try_from(allow).unwrap_or_else(|_| HeaderValue::from_static("OPTIONS"))
}
