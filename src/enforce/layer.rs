//! The layer and its setters.

use std::{sync::Arc, time::Duration};

use hyper::{HeaderMap, Uri, http::request::Parts};
use tower::{BoxError, Service, ServiceExt as _, util::BoxCloneSyncService};
use tower_layer::Layer;

use super::{
    Index, Policy, bearer::Shape, service::EnforcementService, settings::Settings,
    verified::Verified,
};
#[cfg(feature = "tracing")]
use crate::observe::Fingerprints;
use crate::{ask::Ask, introspect::Introspected, log::SelectorClass, token::Secret};

/// Passes requests with a live token on to the inner service and refuses all others (RFC 6750).
///
/// The layer does this for every request:
///
/// 1. **Token.** Takes the token from the Authorization header, scheme `Bearer` or `DPoP`.
/// 2. **Introspection.** Is the token genuine, and is it for this API? Any service that takes a
///    [`Secret`] and returns [`Introspected`] or `Option<Introspection>` can tell, such as those of
///    [`introspect`](crate::introspect). The layer waits for it without a limit: put a timeout
///    around a service that may not return.
/// 3. **Time.** `exp` is not past, and `iat` and `nbf` are not in the future.
/// 4. **Index.** The [`Index`] is fresh, and none of its records covers any selector of the token.
/// 5. **Pass.** Puts the [`Introspection`](crate::introspect::Introspection) and a
///    [`TokenLife`](super::TokenLife) into the request's extensions, and calls the inner service.
///
/// The layer does not check what the token may do: use a [`ScopeLayer`](super::ScopeLayer) for
/// `scope`. It does not check proof of possession of the token's key (`cnf`) either.
///
/// | what is wrong | response |
/// |---|---|
/// | no token | 401 with a bare challenge, or [the request passes](Policy::anonymous) |
/// | two Authorization headers, or a scheme without a token | 400 `invalid_request` |
/// | the token is not genuine, expired or revoked | 401 `invalid_token`, the same for every reason |
/// | the state of the token is unknown | 503 with `Retry-After` |
///
/// A gRPC request (`Content-Type: application/grpc`) gets the status `UNAUTHENTICATED` or
/// `UNAVAILABLE` instead, unless the layer [responds in HTTP](Self::respond_in_http). The response's
/// extensions hold the reason, as [`Refused`](super::Refused).
///
/// **The body of a response ends with its token.** It is [cut](super::EnforcedBody) within a second
/// after a record covers the token, or after the token's `exp`. An upgraded connection such as a
/// WebSocket is cut too, but only if the accepted connection is wrapped in an
/// [`Abortable`](super::Abortable).
///
/// The inner service must be `Clone`, because the instance that was ready waits for the
/// introspection. The introspection is cloned for each request, and the request waits until the
/// clone is ready. Put a `CorsLayer` around this layer and not inside it: a preflight request has no
/// token.
///
/// ```
/// use hyper::{Request, Response, StatusCode, header};
/// use tower::{BoxError, Layer, ServiceExt, service_fn};
/// use tower_revocation::{
///     Secret,
///     enforce::{EnforcementLayer, Index},
///     introspect::{Introspection, TokenKind},
///     log::{MemoryLog, NumericDate, Revocation, RevocationLog, Selector},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let introspect = service_fn(async |_: Secret| {
///     let mut token = Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3");
///     token.sub = Some("alice".into());
///     token.iat = Some(NumericDate::new(1_300_819_380));
///     Ok::<_, BoxError>(Some(token))
/// });
/// let api = service_fn(async |request: Request<String>| {
///     let token = request.extensions().get::<Introspection>().expect("the layer puts it there");
///     Ok::<_, BoxError>(Response::new(token.sub.clone().unwrap_or_default()))
/// });
///
/// let log = MemoryLog::new();
/// let index = Index::follow(&log).await?;
/// let service = EnforcementLayer::new(introspect, index).layer(api);
///
/// let request = || Request::get("/").header(header::AUTHORIZATION, "Bearer mF_9.B5f-4.1JqM");
/// let response = service.clone().oneshot(request().body(String::new())?).await?;
/// assert_eq!(response.status(), StatusCode::OK);
///
/// let now = NumericDate::now();
/// let record = Revocation::watermark(Selector::subject("alice"), now, NumericDate::FOREVER);
/// log.append(vec![record]).await?;
/// let response = service.oneshot(request().body(String::new())?).await?;
/// assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct EnforcementLayer<I> {
    introspect: I,
    settings: Arc<Settings>,
}

impl<I> EnforcementLayer<I> {
    /// Creates a layer that asks `introspect` whether a token is genuine, and `index` whether it is
    /// revoked.
    pub fn new(introspect: I, index: Index) -> Self {
        Self {
            introspect,
            settings: Arc::new(Settings::new(index)),
        }
    }

    /// A layer for a token table of your own: `introspect` alone decides whether a token is live.
    ///
    /// There is no log and no [`Index`]. The layer refuses a token that the introspection returns as
    /// [`revoked`](crate::introspect::Claims::revoked) or as
    /// [`rotated`](crate::introspect::Claims::rotated), that has expired, or that the introspection
    /// does not return. Tokens without `iat` pass, because only records need it.
    ///
    /// **An open stream ends at the `exp` of its token, and not when the table revokes the token.**
    /// The layer asks the table once for each request. To cut streams as well, pass an index of a
    /// [`MemoryLog`](crate::log::MemoryLog) to [`new`](Self::new), and append a record to that log
    /// whenever the table revokes a token.
    ///
    /// # Panics
    ///
    /// If the operating system does not start the thread that cuts expired streams.
    ///
    /// ```
    /// use std::{collections::HashMap, sync::{Arc, Mutex}};
    ///
    /// use hyper::{Request, Response, StatusCode, header};
    /// use tower::{BoxError, Layer, ServiceExt, service_fn};
    /// use tower_revocation::{
    ///     Secret,
    ///     enforce::EnforcementLayer,
    ///     introspect::{Introspection, TokenKind},
    /// };
    ///
    /// struct Row {
    ///     client_id: String,
    ///     revoked: bool,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), BoxError> {
    /// let table = Arc::new(Mutex::new(HashMap::from([(
    ///     "mF_9.B5f-4.1JqM".to_owned(),
    ///     Row { client_id: "s6BhdRkqt3".to_owned(), revoked: false },
    /// )])));
    /// let rows = table.clone();
    /// let introspect = service_fn(move |token: Secret| {
    ///     let rows = rows.lock().expect("nothing panics while it holds the lock");
    ///     let token = rows.get(token.expose()).map(|row| {
    ///         let mut token = Introspection::new(TokenKind::AccessToken, row.client_id.as_str());
    ///         token.revoked = row.revoked;
    ///         token
    ///     });
    ///     std::future::ready(Ok::<_, BoxError>(token))
    /// });
    /// let api = service_fn(async |_: Request<String>| {
    ///     Ok::<_, BoxError>(Response::new("hello".to_owned()))
    /// });
    /// let service = EnforcementLayer::by_introspection(introspect).layer(api);
    ///
    /// let request = || Request::get("/").header(header::AUTHORIZATION, "Bearer mF_9.B5f-4.1JqM");
    /// let response = service.clone().oneshot(request().body(String::new())?).await?;
    /// assert_eq!(response.status(), StatusCode::OK);
    ///
    /// table.lock().expect("nothing panics").get_mut("mF_9.B5f-4.1JqM").expect("a row").revoked = true;
    /// let response = service.oneshot(request().body(String::new())?).await?;
    /// assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    /// # Ok(())
    /// # }
    /// ```
    pub fn by_introspection(introspect: I) -> Self {
        Self::new(introspect, Index::without_log()).allow_missing_iat()
    }

    /// The realm of the challenge. Defaults to `api`.
    ///
    /// # Panics
    ///
    /// If `realm` has a character that is neither visible ASCII nor a space.
    pub fn realm(mut self, realm: &str) -> Self {
        let refusals = &mut self.settings_mut().refusals;
        refusals.set(|parameters| parameters.set_realm(realm));
        self
    }

    /// The URL of the metadata of this API as a protected resource, which every challenge then
    /// states as `resource_metadata` (RFC 9728 §5.1). By default no challenge has it.
    ///
    /// A client that has no token learns from it which authorization servers issue tokens for this
    /// API. This layer does not serve the metadata. **Clients must reach the URL without a token**:
    /// serve it outside of this layer, or under a policy for [`anonymous`](Policy::anonymous)
    /// requests.
    ///
    /// ```
    /// # use tower_revocation::enforce::{EnforcementLayer, Index};
    /// # let introspect = ();
    /// let layer = EnforcementLayer::new(introspect, Index::new())
    ///     .resource_metadata("https://api.example.com/.well-known/oauth-protected-resource");
    /// ```
    ///
    /// # Panics
    ///
    /// If `url` is neither an `https` URL nor an `http` URL of this machine, such as
    /// `http://localhost:3000/`, if it has a fragment or user information, or if it has characters
    /// other than those of a URL.
    pub fn resource_metadata(mut self, url: &str) -> Self {
        let refusals = &mut self.settings_mut().refusals;
        refusals.set(|parameters| parameters.set_resource_metadata(url));
        self
    }

    /// `Retry-After` of a 503 whose cause does not state a time itself. Defaults to 1 s.
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.settings_mut().refusals.retry_after = delay;
        self
    }

    /// Sends every refusal as an HTTP response, also to gRPC requests. Off by default.
    ///
    /// Use this where the HTTP status decides, such as behind `auth_request` of nginx. A refusal in
    /// gRPC has the HTTP status 200, which nginx takes as permission. With this setting a gRPC
    /// stream is cut by a reset, without trailers.
    ///
    /// ```
    /// # use tower_revocation::enforce::{EnforcementLayer, Index};
    /// # let introspect = ();
    /// let layer = EnforcementLayer::new(introspect, Index::new()).respond_in_http();
    /// ```
    pub fn respond_in_http(mut self) -> Self {
        self.settings_mut().responds_in_http = true;
        self
    }

    /// How far `iat` and `nbf` may be ahead of this process's clock. Defaults to 60 s.
    ///
    /// It does not apply to `exp`, because the log may forget a record soon after the `exp` of its
    /// tokens.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.settings_mut().leeway = leeway;
        self
    }

    /// Accepts tokens without the time when they were issued (`iat`). By default they are refused.
    ///
    /// A record of a subject, a client, a key or an issuer covers what was issued up to some time.
    /// **Every such record covers a token without `iat`, and once the log has forgotten the record,
    /// the token is live again.** Use this only if nobody appends such records.
    pub fn allow_missing_iat(mut self) -> Self {
        self.settings_mut().requires_iat = false;
        self
    }

    /// Refuses tokens without a selector of this class. By default only `iat` is required.
    ///
    /// If you revoke sessions, for example, require [`SelectorClass::Session`]: a token without a
    /// session (`sid`) is then refused, because no record of a session can cover it.
    pub fn require(mut self, class: SelectorClass) -> Self {
        self.settings_mut().required.push(class);
        self
    }

    /// The policy of every route. Defaults to [`Policy::new`].
    pub fn policy(mut self, policy: Policy) -> Self {
        self.settings_mut().policy = policy;
        self
    }

    /// Chooses the policy for each request. It replaces [`policy`](Self::policy).
    ///
    /// ```
    /// # use tower_revocation::enforce::{EnforcementLayer, Index, Policy};
    /// # let introspect = ();
    /// let layer = EnforcementLayer::new(introspect, Index::new())
    ///     .policy_by(|head| Policy::new().anonymous(head.uri.path() == "/health"));
    /// ```
    pub fn policy_by<F>(mut self, choose: F) -> Self
    where
        F: Fn(&Parts) -> Policy + Send + Sync + 'static,
    {
        self.settings_mut().policy_by = Some(Arc::new(choose));
        self
    }

    /// Where to find a token if the Authorization header has none, such as in a cookie, which a
    /// browser sends when it opens a WebSocket. By default the layer looks nowhere else. RFC 9700
    /// §2.6 advises against the query.
    ///
    /// **A browser may also send a cookie with a request that another site caused**, including one
    /// that opens a WebSocket. Check `Origin` where a cookie counts.
    pub fn token_from<F>(mut self, find: F) -> Self
    where
        F: Fn(&Uri, &HeaderMap) -> Option<Secret> + Send + Sync + 'static,
    {
        self.settings_mut().token_from = Some(Arc::new(find));
        self
    }

    /// Whether a token may have any visible ASCII characters, such as the `|` and `:` of some
    /// products (RFC 6749 §A.12). Defaults to `false`: a token is a `b64token` (RFC 6750 §2.1), and
    /// the layer refuses any other without an introspection.
    ///
    /// The revocation endpoint accepts all of them in any case.
    pub fn any_visible_token(mut self, any: bool) -> Self {
        self.settings_mut().shape = Shape { any_visible: any };
        self
    }

    /// The service that decides about a token under
    /// [`WhenUnknown::Introspect`](super::WhenUnknown::Introspect). It must know which tokens are
    /// revoked.
    pub fn confirm_by<S>(mut self, authority: S) -> Self
    where
        S: Service<Secret, Response: Into<Introspected>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send + 'static,
    {
        let authority =
            BoxCloneSyncService::new(authority.map_response(Into::into).map_err(Into::into));
        self.settings_mut().confirm_by = Some(authority);
        self
    }

    /// The key of the fingerprints that stand for tokens in events. Defaults to a random key for
    /// each process. Set it if several processes must write the same fingerprint.
    #[cfg(feature = "tracing")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tracing")))]
    pub fn fingerprint_key(mut self, key: [u8; 32]) -> Self {
        self.settings_mut().fingerprints = Fingerprints::keyed(key);
        self
    }

    fn settings_mut(&mut self) -> &mut Settings {
        Arc::make_mut(&mut self.settings)
    }
}

impl EnforcementLayer<Verified> {
    /// Creates a layer for tokens that an outer layer has verified. That layer puts an
    /// [`Introspection`](crate::introspect::Introspection) into the extensions of the request, and
    /// this layer continues with step 3. A request without one is a request without a token.
    ///
    /// **The layer trusts what it finds there.** The outer layer must have verified the signature.
    ///
    /// There is no token that an authority could confirm: under
    /// [`WhenUnknown::Introspect`](super::WhenUnknown::Introspect) the layer denies what is unknown.
    pub fn from_extension(index: Index) -> Self {
        let mut layer = Self::new(Verified::elsewhere(), index);
        layer.settings_mut().from_extension = true;
        layer
    }
}

impl<I, S> Layer<S> for EnforcementLayer<I>
where
    I: Service<Secret, Response: Into<Introspected>> + Clone,
    I::Error: Into<BoxError>,
{
    type Service = EnforcementService<S, I>;

    fn layer(&self, inner: S) -> Self::Service {
        EnforcementService {
            inner,
            introspect: Ask::new(self.introspect.clone()),
            settings: self.settings.clone(),
        }
    }
}
