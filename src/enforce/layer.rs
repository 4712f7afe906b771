//! What is configured.

use std::{sync::Arc, time::Duration};

use hyper::{HeaderMap, Uri, http::request::Parts};
use tower::{BoxError, Service, ServiceExt as _, util::BoxCloneSyncService};
use tower_layer::Layer;

use super::{
    Index, Policy, bearer::Shape, response::Refusals, service::EnforcementService,
    settings::Settings, verified::Verified,
};
#[cfg(feature = "tracing")]
use crate::observe::Fingerprints;
use crate::{ask::Ask, introspect::Introspected, log::SelectorClass, token::Secret};

/// Lets requests through whose token is good now, and refuses the others (RFC 6750).
///
/// For every request, in this order:
///
/// 1. **Token.** That of the Authorization field, of the schemes `Bearer` and `DPoP`.
/// 2. **Introspection.** Is it genuine, and for this use? Any service over [`Secret`] that answers
///    [`Introspected`] or `Option<Introspection>`, as those of [`introspect`](crate::introspect) do.
///    It has to come to an end by itself: put a time-out around one that may not.
/// 3. **Time.** Its `exp` is not past, and `iat` and `nbf` are not ahead.
/// 4. **Index.** No record covers it, by any of its selectors, and the [`Index`] is fresh.
/// 5. The [`Introspection`](crate::introspect::Introspection) and a
///    [`TokenLife`](super::TokenLife) go into the request's extensions, and the request to the inner
///    service. What its token may do (`scope`), and whether its key was used (`cnf`), is for those
///    who come after.
///
/// | what is wrong | the answer |
/// |---|---|
/// | there is no token | 401 with a bare challenge, or it [passes](Policy::anonymous) |
/// | two Authorization fields, or a scheme without a token | 400 `invalid_request` |
/// | not genuine, expired, revoked | 401 `invalid_token`, for every reason the same |
/// | could not be found out | 503 with `Retry-After` |
///
/// A request of gRPC (`Content-Type: application/grpc`) hears the status `UNAUTHENTICATED` or
/// `UNAVAILABLE` instead, unless the layer [answers in HTTP](Self::answers_in_http). Why a request
/// was refused rides in the answer's extensions, as [`Refused`](super::Refused).
///
/// **The body of a response ends with its token**: within a second of the record that covers the
/// token, or of its `exp`, it is [cut](super::EnforcedBody). So is an upgraded connection, such as
/// a WebSocket, if what was accepted has been wrapped in an [`Abortable`](super::Abortable), and not
/// otherwise.
///
/// The inner service has to be `Clone`: the instance that was ready waits for the introspection,
/// which is cloned for each request, and waited for until it is ready.
/// Put a `CorsLayer` around this layer and not inside: a preflight has no token.
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
    /// A layer that asks `introspect` about tokens, and `index` whether they were revoked.
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
        Self::new(introspect, Index::without_log()).without_iat()
    }

    /// The realm of the challenge. `api`, unless this is called.
    ///
    /// # Panics
    ///
    /// If `realm` has other than visible ASCII characters and spaces.
    pub fn realm(mut self, realm: &str) -> Self {
        let settings = self.settings_mut();
        let retry_after = settings.refusals.retry_after;
        settings.refusals = Refusals::new(realm);
        settings.refusals.retry_after = retry_after;
        self
    }

    /// `Retry-After` of a 503 whose cause does not say better. One second, unless this is called.
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.settings_mut().refusals.retry_after = delay;
        self
    }

    /// Answers in HTTP whatever the request says it is, and never in gRPC. Off by default.
    ///
    /// Call this where the status decides, as behind `auth_request` of nginx: a refusal in gRPC has
    /// the status 200 there, which means that the request may pass. Streams of gRPC that are cut
    /// are reset then, without trailers.
    ///
    /// ```
    /// # use tower_revocation::enforce::{EnforcementLayer, Index};
    /// # let introspect = ();
    /// let layer = EnforcementLayer::new(introspect, Index::new()).answers_in_http();
    /// ```
    pub fn answers_in_http(mut self) -> Self {
        self.settings_mut().answers_in_http = true;
        self
    }

    /// How far `iat` and `nbf` may be ahead of this clock. A minute, unless this is called. Nothing
    /// is forgiven of `exp`: a record may be forgotten soon after it.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.settings_mut().leeway = leeway;
        self
    }

    /// Lets tokens pass that do not say when they were issued (`iat`). They are refused, unless
    /// this is called.
    ///
    /// Records about a subject, a client, a key or an issuer are about all that was issued until
    /// then. **A token without `iat` is covered by every such record, and once that is forgotten,
    /// it is live again.** Call this where nobody makes such records.
    pub fn without_iat(mut self) -> Self {
        self.settings_mut().iat_demanded = false;
        self
    }

    /// Refuses tokens that have no selector of this class: those without a session (`sid`), for
    /// example, where sessions are what is revoked. Nothing but `iat` is demanded, unless this is
    /// called.
    pub fn demand(mut self, class: SelectorClass) -> Self {
        self.settings_mut().demanded.push(class);
        self
    }

    /// What is done on every route. [`Policy::new`], unless this is called.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.settings_mut().policy = policy;
        self
    }

    /// What is done on the route of a request, where that differs.
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

    /// Where to look for a token if the Authorization field has none: a cookie, say, for browsers
    /// that open a WebSocket. Nowhere, unless this is called. RFC 9700 §2.6 advises against the
    /// query.
    ///
    /// **A browser may send a cookie with what another site makes it send**, also to open a
    /// WebSocket: look at `Origin` where one counts.
    pub fn token_from<F>(mut self, find: F) -> Self
    where
        F: Fn(&Uri, &HeaderMap) -> Option<Secret> + Send + Sync + 'static,
    {
        self.settings_mut().token_from = Some(Arc::new(find));
        self
    }

    /// Accepts tokens of any visible ASCII characters, such as the `|` and `:` of some products (RFC
    /// 6749 §A.12). Defaults to `false`: a token is a `b64token` (RFC 6750 §2.1), and any other is
    /// refused without an introspection.
    ///
    /// The revocation endpoint accepts all of them in any case.
    pub fn any_visible_token(mut self, any: bool) -> Self {
        self.settings_mut().shape = Shape { any_visible: any };
        self
    }

    /// Who is asked about a token under
    /// [`WhenUnknown::Introspect`](super::WhenUnknown::Introspect): somebody who knows what was
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

    /// The key of the fingerprints by which events name tokens, where they are to be the same in
    /// every process. At random, unless this is called.
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
    /// A layer for tokens that somebody before it has verified and put into the extensions of the
    /// request, as an [`Introspection`](crate::introspect::Introspection): it goes on with the third
    /// step. A request without one is a request without a token.
    ///
    /// **What is there is believed.** It has to come from whoever verified the signature.
    ///
    /// There is no token here that an authority could be asked about: under
    /// [`WhenUnknown::Introspect`](super::WhenUnknown::Introspect) what is unknown is denied.
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
