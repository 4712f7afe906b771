//! The configuration of revocation.

use std::{sync::Arc, time::Duration};

#[cfg(feature = "metadata")]
use crate::{client::SupportedMethods, metadata::Metadata};
#[cfg(feature = "cors")]
use hyper::header::HeaderValue;
use hyper::{Request, rt::Timer};
use tower::{BoxError, Service};
use tower_layer::Layer;

use crate::{
    client::{AcceptedMethods, AuthMethod, Credentials},
    endpoint::{Endpoint, EndpointSettings, SuccessBody},
    service::RevocationService,
    token::{Outcome, RevocationRequest},
};

/// A layer that handles token revocation (RFC 7009) on one path, and passes every other request to
/// the inner service unchanged.
///
/// * `authenticator`: `Service<Request<Credentials>, Response = Option<C>> + Clone`. Returns the
///   client, or `None` if the credentials are not valid for any reason.
/// * `backend`: `Service<RevocationRequest<C>, Response = Outcome> + Clone`. Compares the owner of
///   the token, revokes it, and returns once that is durable.
///
/// Each request clones both and waits until they are ready. Their errors become 503 with
/// `Retry-After`, unless their source chain contains an [`Error`](crate::Error) of this crate.
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
/// # Events
///
/// With the feature `tracing`, each request on the path is one event of the target
/// `tower_revocation`. The fields are:
///
/// * `outcome`: `revoked`, `not_found`, `issued_to_another` or `unsupported`, as the backend
///   returned; `refused` for a mistake of the client; `failed` for a failure of this server;
///   `options` and `preflight`; `cancelled` if the client closed the connection; `panicked` if the
///   authenticator or the backend panicked.
/// * `error`: the [`ErrorKind`](crate::ErrorKind).
/// * `reason`: the [`Refusal`](crate::client::Refusal), if the client was not authenticated.
/// * `cause`: all causes of the error. They are never part of the response.
/// * `client_id`: as the request claims it, verified or not. It is cut to 128 characters and
///   escaped.
/// * `token`: a fingerprint of the token (see `fingerprint_key`), never the token.
/// * `duration`: in seconds, by the clock of the [`timer`](Self::timer) if there is one.
///
/// With the feature `metrics`, the module `observe` lists all series.
///
/// # Time-outs
///
/// **Without a [`timer`](Self::timer) there is no time-out**, neither for a body that stalls nor for
/// a backend that never returns.
///
/// # Panics
///
/// This layer does not catch panics of the authenticator and the backend. Use tower-http's
/// `CatchPanicLayer`. A panic never becomes a success.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct RevocationLayer<A, B> {
    authenticator: A,
    backend: B,
    settings: Arc<EndpointSettings>,
    path: Arc<str>,
}

impl<A, B> RevocationLayer<A, B> {
    /// Creates a layer for requests on `path`.
    ///
    /// **The path is compared byte for byte with the path of the request's URI**, without any
    /// normalisation of trailing slashes, case, escapes or dot segments.
    ///
    /// # Panics
    ///
    /// Panics if `path` does not start with `/`, or contains `?` or `#`: no request could match it.
    pub fn new(path: impl Into<Arc<str>>, authenticator: A, backend: B) -> Self {
        let path = path.into();
        assert!(
            path.starts_with('/') && !path.contains(['?', '#']),
            "the path of a RevocationLayer must start with `/` and contain neither `?` nor `#`: {path:?}"
        );
        Self {
            authenticator,
            backend,
            settings: Arc::default(),
            path,
        }
    }

    /// Returns the endpoint without the layer, to mount it as a route. The router then matches the
    /// path.
    pub fn into_endpoint<C>(self) -> Endpoint<A, B, C>
    where
        A: Service<Request<Credentials>, Response = Option<C>>,
        A::Error: Into<BoxError>,
        B: Service<RevocationRequest<C>, Response = Outcome>,
        B::Error: Into<BoxError>,
    {
        Endpoint::new(self.authenticator, self.backend, self.settings)
    }

    fn settings_mut(&mut self) -> &mut EndpointSettings {
        Arc::make_mut(&mut self.settings)
    }

    /// Sets the accepted authentication methods. Defaults to all.
    ///
    /// Credentials of another method fail with `invalid_client` before the authenticator sees them.
    /// Without [`AuthMethod::None`] public clients are refused. Without
    /// [`AuthMethod::ClientSecretBasic`] a failure is 400 if the request has no Authorization
    /// field, because a 401 requires a challenge.
    pub fn auth_methods(mut self, methods: impl IntoIterator<Item = AuthMethod>) -> Self {
        let settings = self.settings_mut();
        settings.auth_methods = AcceptedMethods::new(methods);
        settings.responder.basic_enabled = settings
            .auth_methods
            .contains(AuthMethod::ClientSecretBasic);
        self
    }

    /// Sets the realm of the challenge. Defaults to `oauth`.
    ///
    /// # Panics
    ///
    /// Panics if `realm` contains anything but visible ASCII characters and spaces.
    pub fn realm(mut self, realm: &str) -> Self {
        self.settings_mut().responder.realm(realm);
        self
    }

    /// Limits the request body to `bytes` bytes. Defaults to 64 KiB. A longer body is 413.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.settings_mut().max_body = bytes;
        self
    }

    /// Limits the token to `bytes` bytes. Defaults to 16 KiB. A longer token is 400
    /// `invalid_request`.
    pub fn max_token(mut self, bytes: usize) -> Self {
        self.settings_mut().max_token = bytes;
        self
    }

    /// Responds with 200 to a token of another client. The token is still not revoked.
    ///
    /// Defaults to `false`: 400 `invalid_grant`, as RFC 7009 §2.1 requires, so that the client
    /// knows that the token is still valid. `true` hides from a guessing client whether a token
    /// exists, and hides mistakes from every client.
    pub fn silent_for_foreign_tokens(mut self, silent: bool) -> Self {
        self.settings_mut().silent_for_foreign_tokens = silent;
        self
    }

    /// Accepts `GET` with the token in the query, for pages that use JSONP (RFC 7009 §2.3). Defaults to
    /// `false`: `GET` is 405.
    ///
    /// **Use `cors` instead**, with the feature of that name. It does all of this, without these dangers:
    ///
    /// * The token is part of a URL: in the history of the browser, in the logs of proxies, in
    ///   `Referer`.
    /// * `GET` changes something, so every page can send such a request. It only needs a token.
    /// * The page cannot read a status: the response is always 200. Pages of every origin can read it.
    ///
    /// Only public clients can use it: a query is no place for a secret, and a `client_secret` or an
    /// assertion in it is `invalid_request`. `callback` is a name of at most 64 letters, digits, `_`,
    /// `$` and dots; without a valid one the response is a plain 400. The response is
    /// `/**/package.myCallback();`, or `/**/package.myCallback({"error":"invalid_client"});`.
    ///
    /// Put a [limiter](crate::client) around the authenticator, as for every public endpoint.
    ///
    /// ```
    /// # use tower_revocation::RevocationLayer;
    /// # fn layer<A, B>(layer: RevocationLayer<A, B>) -> RevocationLayer<A, B> {
    /// // GET /oauth2/revoke?token=45ghiukldjahdnhzdauz&client_id=spa-1&callback=package.myCallback
    /// layer.dangerously_allow_jsonp(true)
    /// # }
    /// ```
    pub fn dangerously_allow_jsonp(mut self, is_allowed: bool) -> Self {
        let settings = self.settings_mut();
        settings.jsonp = is_allowed;
        settings.responder.allow_get(is_allowed);
        self
    }

    /// Accepts equal credentials in both the Authorization field and the body as one method.
    ///
    /// Defaults to `false`, because RFC 6749 §2.3 forbids two methods. Different credentials always
    /// fail.
    pub fn lenient_double_credentials(mut self, lenient: bool) -> Self {
        self.settings_mut().lenient_double_credentials = lenient;
        self
    }

    /// Sets the body of a success. Defaults to [`SuccessBody::Empty`].
    pub fn success_body(mut self, body: SuccessBody) -> Self {
        self.settings_mut().responder.success_body(body);
        self
    }

    /// Sets `Retry-After` of a 503 or 429 whose error has none. Defaults to 1 s.
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.settings_mut().responder.retry_after = delay;
        self
    }

    /// Enables the time-outs with the timer of the runtime: `hyper_util::rt::TokioTimer::new()` for
    /// Tokio.
    pub fn timer(mut self, timer: impl Timer + Send + Sync + 'static) -> Self {
        self.settings_mut().timeouts.timer(timer);
        self
    }

    /// Limits the time from the request's head to the end of its body. Defaults to 10 s. A slower
    /// body is 408. Requires a [`timer`](Self::timer).
    pub fn body_timeout(mut self, limit: Duration) -> Self {
        self.settings_mut().timeouts.body = limit;
        self
    }

    /// Limits the time of the whole request, including the readiness of authenticator and backend.
    /// Defaults to 30 s. A slower request is 503. Requires a [`timer`](Self::timer).
    ///
    /// The time-out drops the future of the backend.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.settings_mut().timeouts.conversation = limit;
        self
    }

    /// Allows browser apps of these origins to revoke tokens. Defaults to none.
    ///
    /// Applies `tower-http`'s `CorsLayer` to the endpoint, and not to the inner service. It allows
    /// `POST` with the headers `Authorization`, `Content-Type` and those of an attestation, without
    /// credentials of the browser. Every response has the CORS headers, so that apps can read
    /// errors. CORS is not access control: a form on any page can still post to the endpoint.
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
    /// **Origins are compared byte for byte**, as browsers send them: `scheme://host[:port]`. `*`
    /// allows every origin.
    #[cfg(feature = "cors")]
    #[cfg_attr(docsrs, doc(cfg(feature = "cors")))]
    pub fn cors(mut self, origins: impl IntoIterator<Item = HeaderValue>) -> Self {
        self.settings_mut().cors = Some(crate::endpoint::cors_policy(origins));
        self
    }

    /// Sets the key of the token fingerprints in events. Defaults to a random key for each process.
    ///
    /// With one key for several processes, the same token has the same fingerprint in all of their
    /// logs. Keep the key secret: with it, anyone who holds a token can find it in the logs.
    #[cfg(feature = "tracing")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tracing")))]
    pub fn fingerprint_key(mut self, key: [u8; 32]) -> Self {
        self.settings_mut().fingerprints = crate::observe::Fingerprints::keyed(key);
        self
    }
}

/// The metadata of the endpoint.
#[cfg(feature = "metadata")]
#[cfg_attr(docsrs, doc(cfg(feature = "metadata")))]
impl<A, B> RevocationLayer<A, B> {
    /// Returns the metadata of this endpoint, whose URL is `endpoint` (RFC 8414 §2).
    ///
    /// **Call it last**: it describes the current configuration. Serve it by a
    /// [`MetadataLayer`](crate::MetadataLayer).
    pub fn metadata(&self, endpoint: impl Into<String>) -> Metadata
    where
        A: SupportedMethods,
    {
        Metadata::of(&self.settings, &self.authenticator, endpoint.into())
    }

    /// Sets the URL of the endpoint for clients with certificates, if it has another host or port
    /// (`mtls_endpoint_aliases`, RFC 8705 §5). Defaults to none.
    pub fn mtls_alias(mut self, endpoint: impl Into<String>) -> Self {
        self.settings_mut().mtls_alias = Some(endpoint.into());
        self
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
            path,
        } = self.clone();
        RevocationService {
            inner,
            endpoint: Endpoint::new(authenticator, backend, settings),
            path,
        }
    }
}
