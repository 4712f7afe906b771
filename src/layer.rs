//! What is configured.

use std::{sync::Arc, time::Duration};

#[cfg(feature = "cors")]
use hyper::header::HeaderValue;
use hyper::{Request, rt::Timer};
use tower::{BoxError, Service};
use tower_layer::Layer;
#[cfg(feature = "metadata")]
use {
    crate::{
        client::Offer,
        endpoint::{Metadata, Route, WellKnown},
    },
    bytes::Bytes,
    http_body_util::Full,
    hyper::Response,
};

use crate::{
    client::{AcceptedMethods, AuthMethod, Credentials},
    endpoint::{Endpoint, Settings, SuccessBody},
    service::RevocationService,
    token::{Outcome, RevocationRequest},
};

/// A layer that answers token revocation (RFC 7009) on one path, and passes every other request
/// through untouched.
///
/// * `authenticator`: `Service<Request<Credentials>, Response = Option<C>> + Clone`. Whose
///   credentials are these? `None` is "not that client", whatever the reason.
/// * `backend`: `Service<RevocationRequest<C>, Response = Outcome> + Clone`. It compares the owner
///   before it revokes, and answers when that is durable.
///
/// Both are cloned for a request and waited for until they are ready. Their errors are answered 503
/// with `Retry-After`, unless they carry an [`Error`](crate::Error) of this crate.
///
/// ```
/// use bytes::Bytes;
/// use http_body_util::{Empty, Full};
/// use hyper::{Request, Response, StatusCode};
/// use tower::{BoxError, Layer, ServiceExt, service_fn};
/// use tower_revocation::{Outcome, RevocationLayer, RevocationRequest, client::Credentials};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let authenticator = service_fn(async |request: Request<Credentials>| match request.into_body() {
///     Credentials::ClientId { client_id } if client_id == "spa-1" => Ok::<_, BoxError>(Some(client_id)),
///     _ => Ok(None),
/// });
/// let backend = service_fn(async |request: RevocationRequest<String>| {
///     // Look it up, compare the owner, make the revocation durable.
///     Ok::<_, BoxError>(match request.token.expose() {
///         "45ghiukldjahdnhzdauz" => Outcome::Revoked,
///         _ => Outcome::NotFound,
///     })
/// });
/// let inner = service_fn(async |_: Request<Full<Bytes>>| Ok::<_, BoxError>(Response::new(Empty::<Bytes>::new())));
///
/// let service = RevocationLayer::new("/oauth2/revoke", authenticator, backend).layer(inner);
/// let request = Request::post("/oauth2/revoke")
///     .header("content-type", "application/x-www-form-urlencoded")
///     .body(Full::from("token=45ghiukldjahdnhzdauz&client_id=spa-1"))?;
/// assert_eq!(service.oneshot(request).await?.status(), StatusCode::OK);
/// # Ok(())
/// # }
/// ```
///
/// # Time
///
/// **Without a [`timer`](Self::timer) there is no time-out**: neither for a body that stalls nor
/// for a backend that never answers.
///
/// # Panics
///
/// Panics of the authenticator and the backend are not caught; tower-http's `CatchPanicLayer` does
/// that. They never become a success.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct RevocationLayer<A, B> {
    authenticator: A,
    backend: B,
    settings: Arc<Settings>,
    paths: Paths,
}

/// What is answered here.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    revoke: Arc<str>,
    #[cfg(feature = "metadata")]
    well_known: Option<Arc<dyn Route>>,
}

impl<A, B> RevocationLayer<A, B> {
    /// A layer that answers on `path`.
    ///
    /// **The path is compared byte for byte with the one in the request's URI**: no trailing slash
    /// is forgiven, no case, no escape, no dot segment.
    ///
    /// # Panics
    ///
    /// If `path` does not begin with `/`, or has a `?` or a `#`: no request could match it.
    pub fn new(path: impl Into<Arc<str>>, authenticator: A, backend: B) -> Self {
        let path = path.into();
        assert!(
            path.starts_with('/') && !path.contains(['?', '#']),
            "the path of a RevocationLayer begins with `/` and has neither `?` nor `#`: {path:?}"
        );
        Self {
            authenticator,
            backend,
            settings: Arc::default(),
            paths: Paths {
                revoke: path,
                #[cfg(feature = "metadata")]
                well_known: None,
            },
        }
    }

    /// The endpoint without the layer, to be mounted as a route of its own. The router then does
    /// the matching.
    pub fn into_endpoint<C>(self) -> Endpoint<A, B, C>
    where
        A: Service<Request<Credentials>, Response = Option<C>>,
        A::Error: Into<BoxError>,
        B: Service<RevocationRequest<C>, Response = Outcome>,
        B::Error: Into<BoxError>,
    {
        Endpoint::new(self.authenticator, self.backend, self.settings)
    }

    fn settings_mut(&mut self) -> &mut Settings {
        Arc::make_mut(&mut self.settings)
    }

    /// The authentication methods that are accepted. All of them, unless this is called.
    ///
    /// Credentials of any other method are refused as `invalid_client`, before the authenticator
    /// sees them. Without [`AuthMethod::None`] public clients are refused; without
    /// [`AuthMethod::ClientSecretBasic`] a failure that did not use the Authorization field is
    /// answered 400, because there is no challenge for a 401 to carry.
    pub fn auth_methods(mut self, methods: impl IntoIterator<Item = AuthMethod>) -> Self {
        let settings = self.settings_mut();
        settings.auth_methods = AcceptedMethods::new(methods);
        settings.manner.basic_enabled = settings
            .auth_methods
            .contains(AuthMethod::ClientSecretBasic);
        self
    }

    /// The realm of the challenge. `oauth`, unless this is called.
    ///
    /// # Panics
    ///
    /// If `realm` has other than visible ASCII characters and spaces.
    pub fn realm(mut self, realm: &str) -> Self {
        self.settings_mut().manner.realm(realm);
        self
    }

    /// The largest body that is read, in octets. 64 KiB, unless this is called; beyond it the
    /// answer is 413.
    pub fn max_body(mut self, octets: usize) -> Self {
        self.settings_mut().max_body = octets;
        self
    }

    /// The longest token, in octets. 16 KiB, unless this is called; beyond it the answer is 400
    /// `invalid_request`.
    pub fn max_token(mut self, octets: usize) -> Self {
        self.settings_mut().max_token = octets;
        self
    }

    /// Answers 200 for a token that was issued to another client, and still leaves it untouched.
    ///
    /// The default is 400 `invalid_grant`, which RFC 7009 §2.1 asks for: the client hears that the
    /// token lives on. Silence hides whether a token exists from those who guess, and hides
    /// mistakes from everybody.
    pub fn silent_for_foreign_tokens(mut self, silent: bool) -> Self {
        self.settings_mut().silent_for_foreign_tokens = silent;
        self
    }

    /// Takes one client and one secret, sent both in the Authorization field and in the body, for
    /// one method.
    ///
    /// RFC 6749 §2.3 forbids it, and the default refuses it. Different ones are refused in either
    /// case.
    pub fn lenient_double_credentials(mut self, lenient: bool) -> Self {
        self.settings_mut().lenient_double_credentials = lenient;
        self
    }

    /// What a success has for a body. None, unless this is called.
    pub fn success_body(mut self, body: SuccessBody) -> Self {
        self.settings_mut().manner.success_body = body;
        self
    }

    /// `Retry-After` of a 503 or a 429 whose cause does not say better. One second, unless this is
    /// called.
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.settings_mut().manner.retry_after = delay;
        self
    }

    /// Arms the time-outs, by the runtime's timer: `hyper_util::rt::TokioTimer::new()` with Tokio.
    pub fn timer(mut self, timer: impl Timer + Send + Sync + 'static) -> Self {
        self.settings_mut().patience.timer(timer);
        self
    }

    /// How long a body may take to arrive, from the request's head on. Ten seconds, unless this is
    /// called; then the answer is 408. Needs a [`timer`](Self::timer).
    pub fn body_timeout(mut self, limit: Duration) -> Self {
        self.settings_mut().patience.body = limit;
        self
    }

    /// How long everything together may take, the readiness of authenticator and backend included.
    /// Thirty seconds, unless this is called; then the answer is 503. Needs a
    /// [`timer`](Self::timer).
    ///
    /// What the backend was doing is dropped where it stands.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.settings_mut().patience.conversation = limit;
        self
    }

    /// Lets browser apps of these origins revoke across origins, without touching the inner
    /// service's own policy.
    ///
    /// `tower-http`'s `CorsLayer` is put around the endpoint alone: `POST` with `Authorization`,
    /// `Content-Type` and an attestation, no credentials, and the fields on every status, so that a
    /// browser shows an app why it was refused. CORS is not access control: a form on any page can
    /// still post here.
    ///
    /// ```
    /// # use tower_revocation::RevocationLayer;
    /// # fn layer<A, B>(layer: RevocationLayer<A, B>) -> RevocationLayer<A, B> {
    /// use hyper::header::HeaderValue;
    ///
    /// layer.cors([HeaderValue::from_static("https://spa.example")])
    /// # }
    /// ```
    ///
    /// **Origins are compared byte for byte**, as a browser sends them: `scheme://host[:port]`. `*`
    /// means every origin.
    #[cfg(feature = "cors")]
    #[cfg_attr(docsrs, doc(cfg(feature = "cors")))]
    pub fn cors(mut self, origins: impl IntoIterator<Item = HeaderValue>) -> Self {
        self.settings_mut().cors = Some(crate::endpoint::cors_policy(origins));
        self
    }

    /// The key of the token fingerprints in events: give a fleet one key, and its logs can be
    /// joined.
    ///
    /// At random for each process, unless this is called. Whoever has the key can tell whether a
    /// token that they hold was the one in the log.
    #[cfg(feature = "tracing")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tracing")))]
    pub fn fingerprint_key(mut self, key: [u8; 32]) -> Self {
        self.settings_mut().fingerprints = crate::endpoint::Fingerprints::keyed(&key);
        self
    }
}

/// What is said about the endpoint.
#[cfg(feature = "metadata")]
#[cfg_attr(docsrs, doc(cfg(feature = "metadata")))]
impl<A, B> RevocationLayer<A, B> {
    /// What the metadata of a server say about this endpoint, whose URL is `endpoint` (RFC 8414 §2).
    ///
    /// **Call it last**: it says how the layer is configured now.
    pub fn metadata(&self, endpoint: impl Into<String>) -> Metadata
    where
        A: Offer,
    {
        Metadata::of(&self.settings, &self.authenticator, endpoint.into())
    }

    /// Where clients that have certificates find the endpoint, if that is another host or port
    /// (`mtls_endpoint_aliases`, RFC 8705 §5). Nowhere else, unless this is called.
    pub fn mtls_alias(mut self, endpoint: impl Into<String>) -> Self {
        self.settings_mut().mtls_alias = Some(endpoint.into());
        self
    }

    /// Answers `GET /.well-known/oauth-authorization-server`, with the path of the issuer behind it
    /// (RFC 8414 §3.1): what `document` says, `issuer`, and what this layer does.
    ///
    /// A browser app of any origin may read it. It is a route of the layer:
    /// [`into_endpoint`](Self::into_endpoint) leaves it out.
    ///
    /// ```
    /// use serde_json::json;
    /// use tower_revocation::{RevocationLayer, client::registry::{ClientAuthenticator, Registry}};
    ///
    /// # fn backend() {}
    /// let authenticator = ClientAuthenticator::new(Registry::default());
    /// let document = json!({
    ///     "token_endpoint": "https://as.example.com/oauth2/token",
    ///     "response_types_supported": ["code"],
    /// });
    /// let layer = RevocationLayer::new("/oauth2/revoke", authenticator, backend()).serve_metadata(
    ///     "https://as.example.com",
    ///     "https://as.example.com/oauth2/revoke",
    ///     document.as_object().cloned().unwrap_or_default(),
    /// );
    /// ```
    ///
    /// # Panics
    ///
    /// If `issuer` is not a URL with a host and without query and fragment; is `http` and its host is
    /// not this machine (`localhost`, `127.0.0.1`, `[::1]`); or is not the one that the authenticator
    /// verifies assertions and attestations for.
    pub fn serve_metadata(
        mut self,
        issuer: &str,
        endpoint: impl Into<String>,
        document: serde_json::Map<String, serde_json::Value>,
    ) -> Self
    where
        A: Offer + Clone + Send + Sync + 'static,
    {
        let offer = self.authenticator.clone();
        let route = WellKnown::new(issuer, endpoint.into(), document, offer);
        self.paths.well_known = Some(Arc::new(route));
        self
    }
}

impl Paths {
    pub(crate) fn is_revoke(&self, path: &str) -> bool {
        path == &*self.revoke
    }

    /// The answer to a request for the metadata, if it is one.
    #[cfg(feature = "metadata")]
    pub(crate) fn well_known<R>(
        &self,
        request: &Request<R>,
        settings: &Settings,
    ) -> Option<Response<Full<Bytes>>> {
        let route = self.well_known.as_deref()?;
        route
            .matches(request.uri().path())
            .then(|| route.answer(request.method(), settings))
    }
}

impl<S, A, B, C> Layer<S> for RevocationLayer<A, B>
where
    A: Service<Request<Credentials>, Response = Option<C>> + Clone,
    A::Error: Into<BoxError>,
    B: Service<RevocationRequest<C>, Response = Outcome> + Clone,
    B::Error: Into<BoxError>,
{
    type Service = RevocationService<S, A, B, C>;

    fn layer(&self, inner: S) -> Self::Service {
        let Self {
            authenticator,
            backend,
            settings,
            paths,
        } = self.clone();
        RevocationService {
            inner,
            endpoint: Endpoint::new(authenticator, backend, settings),
            paths,
        }
    }
}
