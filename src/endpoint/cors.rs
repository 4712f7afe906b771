//! tower-http's `CorsLayer` around the endpoint alone.

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

use super::{Conversation, Endpoint, Error, answer::seal, observe::Observation};
use crate::client::Credentials;

/// What a browser may do here: post, with credentials that the app itself puts into the request.
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
        // Also where the answer would be the same for everybody: a cache must not have to know
        // that.
        .vary(preflight_request_headers().collect::<Vec<_>>())
}

/// The conversation, as the service that a `CorsLayer` is put around.
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

/// Sends a request through the policy, if there is one.
///
/// `CorsLayer` takes every `OPTIONS` for a preflight. Only one that is (Fetch, CORS-preflight
/// request) may look like it; any other has its own method put back behind the policy, and gets the
/// endpoint's own answer and the policy's fields.
pub(super) fn apply<A, B, C, FA, FB, ReqBody>(
    endpoint: &Endpoint<A, B, C, FA, FB>,
    mut request: Request<ReqBody>,
) -> CorsFuture<Conversation<A, B, C, FA, FB, ReqBody>>
where
    A: Clone,
    B: Clone,
    ReqBody: Body,
    ReqBody::Error: Into<BoxError>,
{
    let Some(policy) = &endpoint.settings.cors else {
        return CorsFuture::Off {
            future: endpoint.converse(request),
        };
    };
    let headers = request.headers();
    let preflight = request.method() == Method::OPTIONS
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let method = if preflight {
        Method::OPTIONS
    } else {
        std::mem::replace(request.method_mut(), Method::POST)
    };
    CorsFuture::On {
        preflight: preflight.then(Observation::begin),
        future: policy.layer(Inside { endpoint, method }).call(request),
    }
}

/// A field that an extension sends, such as a challenge, is for the app to read.
fn expose_extension(response: &mut Response<Full<Bytes>>) {
    let field = response.extensions().get::<Error>().and_then(Error::header);
    let name = field.and_then(|(name, _)| HeaderValue::from_str(name.as_str()).ok());
    if let Some(name) = name {
        let headers = response.headers_mut();
        headers.append(header::ACCESS_CONTROL_EXPOSE_HEADERS, name);
    }
}

pin_project! {
    /// Our answer; or the policy's to a preflight, or ours with the policy's fields.
    #[project = CorsFutureProj]
    pub(super) enum CorsFuture<F> {
        Off { #[pin] future: F },
        On {
            #[pin]
            future: tower_http::cors::ResponseFuture<F>,
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
                let Ok(mut response) = ready!(future.poll(cx));
                expose_extension(&mut response);
                if let Some(mut observation) = preflight.take() {
                    seal(response.headers_mut());
                    observation.end("preflight", None);
                }
                Poll::Ready(Ok(response))
            }
        }
    }
}
