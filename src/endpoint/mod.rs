//! The conversation of RFC 7009, in the order in which it happens.

mod answer;
mod conversation;
#[cfg_attr(not(feature = "cors"), path = "no_cors.rs")]
mod cors;
mod error;
#[cfg(feature = "tracing")]
mod fingerprint;
mod form;
mod head;
#[cfg(feature = "metadata")]
mod metadata;
#[cfg_attr(
    not(any(feature = "tracing", feature = "metrics")),
    path = "unobserved.rs"
)]
mod observe;
mod patience;

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
use hyper::{Request, Response, body::Body};
use pin_project_lite::pin_project;
use tower::{BoxError, Service};

pub use answer::SuccessBody;
#[cfg(feature = "log")]
pub(crate) use answer::{quoted, whole_seconds};
#[cfg(feature = "cors")]
pub(crate) use cors::policy as cors_policy;
pub use error::{Error, ErrorKind};
#[cfg(feature = "tracing")]
pub(crate) use fingerprint::Fingerprints;
pub(crate) use form::{Form, decode};
#[cfg(feature = "metadata")]
pub use metadata::{Metadata, MtlsEndpointAliases};
#[cfg(feature = "metadata")]
pub(crate) use metadata::{Route, WellKnown};
#[cfg(all(feature = "tracing", feature = "log"))]
pub(crate) use observe::{Causes, TARGET, cut};

use crate::{
    ask::Ask,
    client::{AcceptedMethods, AuthMethod, Credentials},
    token::{Outcome, RevocationRequest},
};
use answer::Manner;
use conversation::Conversation;
use cors::CorsFuture;
use patience::Patience;

/// The revocation endpoint by itself: it answers whatever request reaches it, and matches no path.
///
/// [`RevocationLayer`](crate::RevocationLayer) puts it in front of a service. Where a router does
/// the matching, mount what [`into_endpoint`](crate::RevocationLayer::into_endpoint) returns.
///
/// The client `C` and the futures `FA` and `FB` follow from the authenticator `A` and the backend
/// `B`. To name the type, leave them out: `Endpoint<MyAuthenticator, MyBackend>`.
pub struct Endpoint<
    A,
    B,
    C = <<A as Service<Request<Credentials>>>::Response as IntoIterator>::Item,
    FA = <A as Service<Request<Credentials>>>::Future,
    FB = <B as Service<RevocationRequest<C>>>::Future,
> {
    authenticator: Authenticator<A, C, FA>,
    backend: Backend<B, C, FB>,
    pub(crate) settings: Arc<Settings>,
}

pub(crate) type Authenticator<A, C, F> = Ask<A, Request<Credentials>, F, Option<C>>;
pub(crate) type Backend<B, C, F> = Ask<B, RevocationRequest<C>, F, Outcome>;

/// Everything that the knobs of the layer turn.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) max_body: usize,
    pub(crate) max_token: usize,
    pub(crate) auth_methods: AcceptedMethods,
    pub(crate) lenient_double_credentials: bool,
    pub(crate) silent_for_foreign_tokens: bool,
    pub(crate) manner: Manner,
    pub(crate) patience: Patience,
    #[cfg(feature = "metadata")]
    pub(crate) mtls_alias: Option<String>,
    #[cfg(feature = "cors")]
    pub(crate) cors: Option<tower_http::cors::CorsLayer>,
    #[cfg(feature = "tracing")]
    pub(crate) fingerprints: Fingerprints,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_body: 64 * 1024,
            max_token: 16 * 1024,
            auth_methods: AcceptedMethods::new(AuthMethod::ALL.iter().copied()),
            lenient_double_credentials: false,
            silent_for_foreign_tokens: false,
            manner: Manner::default(),
            patience: Patience::default(),
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
    pub(crate) fn new(authenticator: A, backend: B, settings: Arc<Settings>) -> Self {
        Self {
            authenticator: Ask::new(authenticator),
            backend: Ask::new(backend),
            settings,
        }
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

    /// Always ready: authenticator and backend are waited for once there is something to ask them.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        EndpointFuture {
            future: cors::apply(self, request),
        }
    }
}

pin_project! {
    /// The response future of [`Endpoint`].
    ///
    /// Dropped, it stops where it stands.
    #[must_use = "futures do nothing unless polled"]
    pub struct EndpointFuture<A, B, C, FA, FB, ReqBody>
    where
        ReqBody: Body,
        <ReqBody as Body>::Error: Into<BoxError>,
    {
        #[pin]
        future: CorsFuture<Conversation<A, B, C, FA, FB, ReqBody>>,
    }
}

impl<A, B, C, FA, FB, ReqBody> Future for EndpointFuture<A, B, C, FA, FB, ReqBody>
where
    ReqBody: Body,
    ReqBody::Error: Into<BoxError>,
{
    type Output = Result<Response<Full<Bytes>>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().future.poll(cx)
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
