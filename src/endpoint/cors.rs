//! Applies tower-http's `CorsLayer` to the endpoint.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request, Response,
    body::Body,
    header::{self, HeaderValue},
};
use pin_project_lite::pin_project;
use tower::{BoxError, Service};
use tower_http::cors::{AllowOrigin, CorsLayer, preflight_request_headers};
use tower_layer::Layer as _;

use super::{
    Conversation, Endpoint, EndpointFuture, observe::Observation, response::set_security_headers,
};
use crate::{client::Credentials, error::Error};

/// The policy: browsers may send `POST` requests, without ambient credentials.
pub(crate) fn policy(origins: impl IntoIterator<Item = HeaderValue>) -> CorsLayer {
    let origins: Vec<_> = origins.into_iter().collect();
    let origins = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins)
    };
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::POST])
        // `*` would not cover Authorization (Fetch, CORS-preflight fetch).
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            Credentials::ATTESTATION,
            Credentials::ATTESTATION_POP,
        ])
        .expose_headers([header::RETRY_AFTER, header::WWW_AUTHENTICATE])
        .max_age(std::time::Duration::from_secs(3600))
        // Set even if the response is the same for every origin, so that caches need not know.
        .vary(preflight_request_headers().collect::<Vec<_>>())
}

/// The endpoint as the inner service of a `CorsLayer`.
struct Inside<'a, A, B, C, FA, FB> {
    endpoint: &'a Endpoint<A, B, C, FA, FB>,
    method: Method,
}

impl<A, B, C, FA, FB, ReqBody> Service<Request<ReqBody>> for Inside<'_, A, B, C, FA, FB>
where
    A: Clone,
    B: Clone,
    ReqBody: Body,
    ReqBody::Error: Into<BoxError>,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Conversation<A, B, C, FA, FB, ReqBody>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        std::mem::swap(request.method_mut(), &mut self.method);
        self.endpoint.converse(request)
    }
}

/// Sends a request through the policy, if one is configured.
pub(super) fn apply<A, B, C, FA, FB, ReqBody>(
    endpoint: &Endpoint<A, B, C, FA, FB>,
    request: Request<ReqBody>,
) -> EndpointFuture<A, B, C, FA, FB, ReqBody>
where
    A: Clone,
    B: Clone,
    ReqBody: Body,
    ReqBody::Error: Into<BoxError>,
{
    match &endpoint.settings.cors {
        Some(policy) => apply_policy(policy, endpoint, request),
        None => EndpointFuture {
            future: Box::pin(CorsFuture::Off {
                future: endpoint.converse(request),
            }),
        },
    }
}

/// `CorsLayer` treats every `OPTIONS` request as a preflight. This function shows it `OPTIONS` only
/// for a real preflight (Fetch, CORS-preflight request). Other requests pass it as `POST`, get their
/// own method back behind it, and receive the endpoint's response with the policy's headers.
fn apply_policy<A, B, C, FA, FB, ReqBody>(
    policy: &CorsLayer,
    endpoint: &Endpoint<A, B, C, FA, FB>,
    mut request: Request<ReqBody>,
) -> EndpointFuture<A, B, C, FA, FB, ReqBody>
where
    A: Clone,
    B: Clone,
    ReqBody: Body,
    ReqBody::Error: Into<BoxError>,
{
    let headers = request.headers();
    let preflight = request.method() == Method::OPTIONS
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let method = if preflight {
        Method::OPTIONS
    } else {
        std::mem::replace(request.method_mut(), Method::POST)
    };
    EndpointFuture {
        future: Box::pin(CorsFuture::On {
            preflight: preflight.then(|| Observation::begin(endpoint.settings.clone())),
            future: Box::pin(policy.layer(Inside { endpoint, method }).call(request)),
        }),
    }
}

/// Exposes the header field of an extension, such as a challenge, to the app.
fn expose_extension(response: &mut Response<Full<Bytes>>) {
    let field = response
        .extensions()
        .get::<Error>()
        .and_then(Error::extra_header);
    let name = field.and_then(|(name, _)| HeaderValue::from_str(name.as_str()).ok());
    if let Some(name) = name {
        let headers = response.headers_mut();
        headers.append(header::ACCESS_CONTROL_EXPOSE_HEADERS, name);
    }
}

pin_project! {
    /// The endpoint's response, or with a policy its response to a preflight, or both combined.
    #[project = CorsFutureProj]
    pub(super) enum CorsFuture<F> {
        Off { #[pin] future: F },
        // Boxed, to keep the future small without a policy.
        On {
            future: Pin<Box<tower_http::cors::ResponseFuture<F>>>,
            preflight: Option<Observation>,
        },
    }
}

impl<F> Future for CorsFuture<F>
where
    F: Future<Output = Result<Response<Full<Bytes>>, Infallible>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            CorsFutureProj::Off { future } => future.poll(cx),
            CorsFutureProj::On { future, preflight } => {
                let Ok(mut response) = ready!(future.as_mut().poll(cx));
                expose_extension(&mut response);
                if let Some(mut observation) = preflight.take() {
                    set_security_headers(response.headers_mut());
                    observation.end("preflight", None);
                }
                Poll::Ready(Ok(response))
            }
        }
    }
}
