//! One call: reads it, translates it, and translates the response.

use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::future::{Either, select};
use http_body_util::Full;
use hyper::{
    Method, Request, Response, Version,
    body::Body as HttpBody,
    header::{self, HeaderValue},
};
use tower::{BoxError, Service, ServiceExt as _};

use super::{
    Answer, Call, Profile, ProfileLayer, ProfileRequest, answer::Invariant, call::Kind,
    layer::Settings, observe,
};
use crate::{
    endpoint::{ReadBody, RefusedInFront, has_identity_coding, set_security_headers},
    error::{Error, ErrorKind},
    token::Outcome,
};

/// The time for what a profile asks others itself, as for the services of an endpoint.
const PROFILE_TIMEOUT: Duration = Duration::from_secs(30);

/// Responds to a request at a path of the profile.
pub(super) async fn respond<P, E, B>(
    layer: ProfileLayer<P, E>,
    methods: &'static [Method],
    rest: String,
    request: Request<B>,
) -> Response<Full<Bytes>>
where
    P: Profile,
    E: Service<Request<Full<Bytes>>, Response = Response<Full<Bytes>>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    E::Future: Send,
    B: HttpBody<Error: Into<BoxError>>,
{
    let outline = outline(&request);
    let http_1 = outline.version() <= Version::HTTP_11;
    if request.method() == Method::OPTIONS {
        return options(layer.endpoint, outline, methods).await;
    }
    let mut state = P::State::default();
    let settings = &layer.settings;
    let call = match read(settings, methods, rest, request).await {
        Ok(request) => {
            let call = layer.profile.call(request, &mut state);
            let late = || Error::new(ErrorKind::Unavailable).caused_by("the profile took too long");
            within(settings, PROFILE_TIMEOUT, call, late).await
        }
        Err(error) => Err(error),
    };
    let answer = match call {
        Ok(call) => carry_out(layer.endpoint.clone(), settings, call, http_1).await,
        Err(error) => refuse(layer.endpoint.clone(), outline, error).await,
    };
    let invariant = Invariant::of(&answer);
    let is_refused_method = answer.is(ErrorKind::MethodNotAllowed);
    let mut response = layer.profile.response(answer, state);
    if is_refused_method {
        response.headers_mut().insert(header::ALLOW, allow(methods));
    }
    invariant.apply(&mut response);
    response
}

/// A request without a body that gets the fields of the endpoint that depend on the request.
fn outline<B>(request: &Request<B>) -> Request<Full<Bytes>> {
    let mut outline = Request::new(Full::default());
    *outline.version_mut() = request.version();
    for name in [
        header::ORIGIN,
        header::ACCESS_CONTROL_REQUEST_METHOD,
        header::ACCESS_CONTROL_REQUEST_HEADERS,
    ] {
        for value in request.headers().get_all(&name) {
            outline.headers_mut().append(name.clone(), value.clone());
        }
    }
    outline
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
    let late = || Error::new(ErrorKind::BodyTimeout);
    let body = within(settings, settings.body_timeout, body, late).await?;
    Ok(ProfileRequest { head, rest, body })
}

/// Waits for a future, but not longer than this if there is a timer.
async fn within<T>(
    settings: &Settings,
    limit: Duration,
    future: impl Future<Output = Result<T, Error>>,
    late: impl FnOnce() -> Error,
) -> Result<T, Error> {
    let Some(timer) = &settings.timer else {
        return future.await;
    };
    match select(pin!(future), timer.sleep(limit)).await {
        Either::Left((result, _)) => result,
        Either::Right(_) => Err(late()),
    }
}

/// Carries out a call. With a hook, to its end even if the client disconnects: otherwise the hook might
/// never be called for what is revoked.
async fn carry_out<E>(endpoint: E, settings: &Arc<Settings>, call: Call, http_1: bool) -> Answer
where
    E: Service<Request<Full<Bytes>>, Response = Response<Full<Bytes>>, Error = Infallible>
        + Send
        + 'static,
    E::Future: Send,
{
    if settings.after.is_none() {
        return ask(endpoint, call, http_1).await;
    }
    let settings = settings.clone();
    let carried_out = tokio::spawn(async move {
        let answer = ask(endpoint, call, http_1).await;
        after(settings, answer, http_1).await
    });
    match carried_out.await {
        Ok(answer) => answer,
        // As if there were no task. The task is never cancelled, except at the end of the runtime.
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(error) => {
            let error = Error::new(ErrorKind::Unavailable).caused_by(error);
            Answer::refused(error, http_1)
        }
    }
}

async fn ask<E>(endpoint: E, call: Call, http_1: bool) -> Answer
where
    E: Service<Request<Full<Bytes>>, Response = Response<Full<Bytes>>, Error = Infallible>,
{
    let revoke = match call.0 {
        Kind::Revoke(revoke) => revoke,
        Kind::Done(outcome) => {
            observe::done(outcome);
            return Answer::done(outcome);
        }
    };
    let asking = revoke.into_request();
    let Ok(response) = endpoint.oneshot(asking.request).await;
    let answer = Answer::new(response, asking.report.revoked());
    let answer = answer.and_then(|answer| match answer.result() {
        Ok(outcome) if asking.needs_report && !asking.report.confirms(outcome) => {
            let cause = "the backend has ignored the options of the profile";
            Err(Error::new(ErrorKind::ServerError).caused_by(cause))
        }
        _ => Ok(answer),
    });
    answer.unwrap_or_else(|error| {
        observe::defect(&error);
        Answer::refused(error, http_1)
    })
}

/// The answer to a request that is no call. It is the endpoint's, which counts it.
async fn refuse<E>(endpoint: E, mut outline: Request<Full<Bytes>>, error: Error) -> Answer
where
    E: Service<Request<Full<Bytes>>, Response = Response<Full<Bytes>>, Error = Infallible>,
{
    let http_1 = outline.version() <= Version::HTTP_11;
    *outline.method_mut() = Method::POST;
    outline
        .extensions_mut()
        .insert(RefusedInFront(error.clone()));
    let Ok(response) = endpoint.oneshot(outline).await;
    match response.extensions().get::<Error>() {
        Some(_) => Answer::new(response, None),
        // It is another service, by mistake.
        None => Err(error),
    }
    .unwrap_or_else(|error| Answer::refused(error, http_1))
}

/// Calls the service that wants to know of revocations.
async fn after(settings: Arc<Settings>, answer: Answer, http_1: bool) -> Answer {
    let (Some(hook), Ok(Outcome::Revoked), Some(token)) =
        (&settings.after, answer.result(), answer.token())
    else {
        return answer;
    };
    // Whatever the cause is, a retry may help.
    let unavailable = |cause: BoxError| Error::new(ErrorKind::Unavailable).caused_by(cause);
    let hook = hook.clone().oneshot(token.clone());
    let hook = async { hook.await.map_err(unavailable) };
    let late = || unavailable("the service after the revocation took too long".into());
    match within(&settings, settings.after_timeout, hook, late).await {
        Ok(()) => answer,
        Err(error) => {
            observe::defect(&error);
            answer.failed(error, http_1)
        }
    }
}

/// The response to `OPTIONS` (RFC 9110 §9.3.7), also to a preflight of a browser.
async fn options<E>(
    endpoint: E,
    mut outline: Request<Full<Bytes>>,
    methods: &[Method],
) -> Response<Full<Bytes>>
where
    E: Service<Request<Full<Bytes>>, Response = Response<Full<Bytes>>, Error = Infallible>,
{
    *outline.method_mut() = Method::OPTIONS;
    let Ok(mut response) = endpoint.oneshot(outline).await;
    let headers = response.headers_mut();
    if headers.contains_key(header::ACCESS_CONTROL_ALLOW_METHODS) {
        let methods = list(methods.iter().map(Method::as_str));
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    } else {
        headers.insert(header::ALLOW, allow(methods));
    }
    set_security_headers(headers);
    response
}

fn allow(methods: &[Method]) -> HeaderValue {
    let methods = methods.iter().map(Method::as_str);
    list(methods.chain([Method::OPTIONS.as_str()]))
}

fn list<'a>(methods: impl Iterator<Item = &'a str>) -> HeaderValue {
    let list = methods.collect::<Vec<_>>().join(", ");
    HeaderValue::try_from(list).unwrap_or_else(|_| HeaderValue::from_static("OPTIONS"))
}
