//! The revocation endpoint of RFC 7009, in the order in which it handles a request.

mod conversation;
#[cfg(feature = "cors")]
mod cors;
mod head;
mod jsonp;
mod media_type;
mod observe;
mod read;
mod response;
mod timeout;

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Body, service::Service as HyperService};
use pin_project_lite::pin_project;
use tower::{BoxError, Service};

#[cfg(feature = "cors")]
pub(crate) use cors::policy as cors_policy;
pub use response::SuccessBody;
#[cfg(feature = "profiles")]
pub(crate) use {
    jsonp::{Callback, Script},
    media_type::{MediaType, has_identity_coding},
    read::Read as ReadBody,
    response::{failure, set_security_headers},
};

#[cfg(feature = "profiles")]
use crate::error::Error;
#[cfg(feature = "tracing")]
use crate::observe::Fingerprints;
use crate::{
    ask::Ask,
    client::{AcceptedMethods, Authenticator, Credentials},
    token::{Outcome, RevocationRequest},
};
use conversation::Conversation;
use response::Responder;
use timeout::Timeouts;

#[cfg(not(feature = "cors"))]
type CorsFuture<F> = F;
#[cfg(feature = "cors")]
use cors::CorsFuture;

/// The revocation endpoint as a service of Tower and of hyper. It matches no path and responds to
/// every request.
///
/// [`RevocationLayer`](crate::RevocationLayer) wraps a service with it. To mount it as a route, use
/// [`RevocationLayer::into_endpoint`](crate::RevocationLayer::into_endpoint).
///
/// The client `C` and the futures `FA` and `FB` follow from the authenticator `A` and the backend
/// `B`. Omit them to name the type: `Endpoint<MyAuthenticator, MyBackend>`.
pub struct Endpoint<
    A,
    B,
    C = <<A as Service<Request<Credentials>>>::Response as IntoIterator>::Item,
    FA = <A as Service<Request<Credentials>>>::Future,
    FB = <B as Service<RevocationRequest<C>>>::Future,
> {
    authenticator: Authenticator<A, C, FA>,
    backend: Backend<B, C, FB>,
    pub(crate) settings: Arc<EndpointSettings>,
}

/// In the extensions of a request: a layer in front has refused it. It gets the response of this
/// endpoint, with its realm, its `Retry-After` and its CORS fields, and is counted here.
#[cfg(feature = "profiles")]
#[derive(Clone, Debug)]
pub(crate) struct RefusedInFront(pub(crate) Error);

pub(crate) type Backend<B, C, F> = Ask<B, RevocationRequest<C>, F, Outcome>;

/// The configuration of the layer.
#[derive(Clone, Debug)]
pub(crate) struct EndpointSettings {
    pub(crate) max_body: usize,
    pub(crate) max_token: usize,
    pub(crate) auth_methods: AcceptedMethods,
    pub(crate) lenient_double_credentials: bool,
    pub(crate) silent_for_foreign_tokens: bool,
    pub(crate) jsonp: bool,
    pub(crate) responder: Responder,
    pub(crate) timeouts: Timeouts,
    #[cfg(feature = "metadata")]
    pub(crate) mtls_alias: Option<String>,
    #[cfg(feature = "cors")]
    pub(crate) cors: Option<tower_http::cors::CorsLayer>,
    #[cfg(feature = "tracing")]
    pub(crate) fingerprints: Fingerprints,
}

impl Default for EndpointSettings {
    fn default() -> Self {
        Self {
            max_body: 64 * 1024,
            max_token: 16 * 1024,
            auth_methods: AcceptedMethods::ALL,
            lenient_double_credentials: false,
            silent_for_foreign_tokens: false,
            jsonp: false,
            responder: Responder::default(),
            timeouts: Timeouts::default(),
            #[cfg(feature = "metadata")]
            mtls_alias: None,
            #[cfg(feature = "cors")]
            cors: None,
            #[cfg(feature = "tracing")]
            fingerprints: Fingerprints::default(),
        }
    }
}

impl<A, B, C, FA, FB> Endpoint<A, B, C, FA, FB>
where
    A: Service<Request<Credentials>, Response = Option<C>, Future = FA>,
    A::Error: Into<BoxError>,
    FA: Future<Output = Result<Option<C>, A::Error>>,
    B: Service<RevocationRequest<C>, Response = Outcome, Future = FB>,
    B::Error: Into<BoxError>,
    FB: Future<Output = Result<Outcome, B::Error>>,
{
    pub(crate) fn new(authenticator: A, backend: B, settings: Arc<EndpointSettings>) -> Self {
        Self {
            authenticator: Ask::new(authenticator),
            backend: Ask::new(backend),
            settings,
        }
    }
}

impl<A: Clone, B: Clone, C, FA, FB> Endpoint<A, B, C, FA, FB> {
    /// Responds to a request that may also pass the layer.
    ///
    /// Not inlined, so that a request that passes needs no stack for it. The code of a cold function
    /// is far from the code that calls it, so there is as little of it as possible.
    #[cold]
    #[inline(never)]
    pub(crate) fn start<ReqBody>(
        &self,
        request: Request<ReqBody>,
    ) -> EndpointFuture<A, B, C, FA, FB, ReqBody>
    where
        ReqBody: Body,
        ReqBody::Error: Into<BoxError>,
    {
        self.respond(request)
    }

    #[inline(never)]
    fn respond<ReqBody>(
        &self,
        request: Request<ReqBody>,
    ) -> EndpointFuture<A, B, C, FA, FB, ReqBody>
    where
        ReqBody: Body,
        ReqBody::Error: Into<BoxError>,
    {
        #[cfg(feature = "cors")]
        return cors::apply(self, request);
        #[cfg(not(feature = "cors"))]
        return EndpointFuture {
            future: Box::pin(self.converse(request)),
        };
    }
}

impl<A: Clone, B: Clone, C, FA, FB> Clone for Endpoint<A, B, C, FA, FB> {
    fn clone(&self) -> Self {
        Self {
            authenticator: self.authenticator.clone(),
            backend: self.backend.clone(),
            settings: self.settings.clone(),
        }
    }
}

impl<A, B, C, FA, FB> fmt::Debug for Endpoint<A, B, C, FA, FB>
where
    A: fmt::Debug,
    B: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("authenticator", &self.authenticator)
            .field("backend", &self.backend)
            .field("settings", &self.settings)
            .finish()
    }
}

impl<A, B, C, FA, FB, ReqBody> Service<Request<ReqBody>> for Endpoint<A, B, C, FA, FB>
where
    A: Clone,
    B: Clone,
    ReqBody: Body,
    ReqBody::Error: Into<BoxError>,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = EndpointFuture<A, B, C, FA, FB, ReqBody>;

    /// Always ready. The response future waits for the readiness of authenticator and backend.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        self.respond(request)
    }
}

impl<A, B, C, FA, FB, ReqBody> HyperService<Request<ReqBody>> for Endpoint<A, B, C, FA, FB>
where
    A: Clone,
    B: Clone,
    ReqBody: Body,
    ReqBody::Error: Into<BoxError>,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = EndpointFuture<A, B, C, FA, FB, ReqBody>;

    fn call(&self, request: Request<ReqBody>) -> Self::Future {
        self.respond(request)
    }
}

pin_project! {
    /// The response future of [`Endpoint`].
    ///
    /// Dropping it cancels the request.
    #[must_use = "futures do nothing unless polled"]
    pub struct EndpointFuture<A, B, C, FA, FB, ReqBody>
    where
        ReqBody: Body,
        <ReqBody as Body>::Error: Into<BoxError>,
    {
        // Boxed, because it is large, and every request that passes has room for this.
        future: Pin<Box<CorsFuture<Conversation<A, B, C, FA, FB, ReqBody>>>>,
    }
}

impl<A, B, C, FA, FB, ReqBody> Future for EndpointFuture<A, B, C, FA, FB, ReqBody>
where
    ReqBody: Body,
    ReqBody::Error: Into<BoxError>,
{
    type Output = Result<Response<Full<Bytes>>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().future.as_mut().poll(cx)
    }
}

impl<A, B, C, FA, FB, ReqBody> fmt::Debug for EndpointFuture<A, B, C, FA, FB, ReqBody>
where
    ReqBody: Body,
    ReqBody::Error: Into<BoxError>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointFuture").finish_non_exhaustive()
    }
}
