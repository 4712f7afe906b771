//! A layer that checks the scope of a token.

mod service;

use std::sync::Arc;

use hyper::HeaderMap;
use tower_layer::Layer;

pub use self::service::{ScopeFuture, ScopeService};
use super::{protocol::Protocol, response::Refusals};
use crate::introspect::Introspection;

/// Passes requests whose token has the required scopes, and refuses all others with 403
/// `insufficient_scope` (RFC 6750 §3.1).
///
/// The layer reads the [`Introspection`] that an [`EnforcementLayer`](super::EnforcementLayer) puts
/// into the extensions of a request. So put it inside of that layer, such as around one route. A
/// request that passes allocates nothing.
///
/// | the token | response |
/// |---|---|
/// | has every required scope | that of the inner service |
/// | lacks a scope, or states none at all | 403 `insufficient_scope`; the challenge names the required scopes |
/// | is not there | 401 with a bare challenge that names the required scopes |
///
/// A gRPC request gets the status `PERMISSION_DENIED` or `UNAUTHENTICATED` instead, unless the
/// layer [responds in HTTP](Self::respond_in_http). The response's extensions hold the reason, as
/// [`Refused`](super::Refused).
///
/// There is no introspection in two cases. Either the policy lets requests without a token
/// [pass](super::Policy::anonymous): the client then learns that this route needs one. Or **no
/// `EnforcementLayer` is outside of this layer, and then it refuses every request.**
///
/// Scopes are compared byte for byte, without normalisation.
///
/// ```
/// use hyper::{Request, Response, StatusCode};
/// use tower::{BoxError, Layer, ServiceExt, service_fn};
/// use tower_revocation::{
///     enforce::ScopeLayer,
///     introspect::{Introspection, Scope, TokenKind},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let api = service_fn(async |_: Request<()>| {
///     Ok::<_, BoxError>(Response::new("the files".to_owned()))
/// });
/// let service = ScopeLayer::new("files:read").layer(api);
///
/// // An EnforcementLayer does this for each request.
/// let mut token = Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3");
/// token.scope = Some(Scope::new("files:read files:write"));
/// let request = Request::get("/files").extension(token.clone()).body(())?;
/// assert_eq!(service.clone().oneshot(request).await?.status(), StatusCode::OK);
///
/// token.scope = Some(Scope::new("profile"));
/// let request = Request::get("/files").extension(token).body(())?;
/// assert_eq!(service.oneshot(request).await?.status(), StatusCode::FORBIDDEN);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct ScopeLayer {
    settings: Arc<ScopeSettings>,
}

#[derive(Clone, Debug)]
struct ScopeSettings {
    required: Box<[String]>,
    refusals: Refusals,
    responds_in_http: bool,
}

impl ScopeLayer {
    /// Creates a layer that requires one scope.
    ///
    /// # Panics
    ///
    /// Panics if `scope` is not one scope (RFC 6749 §3.3): it is empty, or it has a character other
    /// than visible ASCII without `"` and `\`. A space separates scopes: see [`all`](Self::all).
    pub fn new(scope: &str) -> Self {
        Self::all([scope])
    }

    /// Creates a layer that requires all of these scopes.
    ///
    /// ```
    /// use tower_revocation::enforce::ScopeLayer;
    ///
    /// let layer = ScopeLayer::all(["files:read", "files:write"]);
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if there are no scopes, or if one of them is not a scope: see [`new`](Self::new).
    pub fn all<I>(scopes: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let required: Box<[String]> = scopes.into_iter().map(Into::into).collect();
        assert!(!required.is_empty(), "a scope layer requires a scope");
        assert!(
            required.iter().all(|scope| is_scope(scope)),
            "a scope is visible ASCII without a space, a quote or a backslash (RFC 6749 §3.3)"
        );
        let mut refusals = Refusals::new();
        refusals.set(|parameters| parameters.set_scope(&required.join(" ")));
        let settings = ScopeSettings {
            required,
            refusals,
            responds_in_http: false,
        };
        Self {
            settings: Arc::new(settings),
        }
    }

    /// The realm of the challenge. Defaults to `api`.
    ///
    /// # Panics
    ///
    /// Panics if `realm` has a character that is neither visible ASCII nor a space.
    pub fn realm(mut self, realm: &str) -> Self {
        let refusals = &mut self.settings_mut().refusals;
        refusals.set(|parameters| parameters.set_realm(realm));
        self
    }

    /// The URL of the metadata of this API, which every challenge then states as
    /// `resource_metadata` (RFC 9728 §5.1). By default no challenge has it. See
    /// [`EnforcementLayer::resource_metadata`](super::EnforcementLayer::resource_metadata).
    ///
    /// # Panics
    ///
    /// Panics if `url` is neither an `https` URL nor an `http` URL of this machine, or has a
    /// fragment, user information or characters other than those of a URL.
    pub fn resource_metadata(mut self, url: &str) -> Self {
        let refusals = &mut self.settings_mut().refusals;
        refusals.set(|parameters| parameters.set_resource_metadata(url));
        self
    }

    /// Whether every refusal is an HTTP response, also to gRPC requests. Defaults to `false`. See
    /// [`EnforcementLayer::respond_in_http`](super::EnforcementLayer::respond_in_http).
    pub fn respond_in_http(mut self, http: bool) -> Self {
        self.settings_mut().responds_in_http = http;
        self
    }

    fn settings_mut(&mut self) -> &mut ScopeSettings {
        Arc::make_mut(&mut self.settings)
    }
}

impl ScopeSettings {
    fn permits(&self, token: &Introspection) -> bool {
        let scope = token.scope.as_ref();
        let has = |required: &String| scope.is_some_and(|scope| scope.contains(required));
        self.required.iter().all(has)
    }

    fn protocol(&self, headers: &HeaderMap) -> Protocol {
        if self.responds_in_http {
            Protocol::Http
        } else {
            Protocol::of(headers)
        }
    }
}

/// A `scope-token` of RFC 6749 §3.3.
fn is_scope(scope: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
    !scope.is_empty() && scope.bytes().all(allowed)
}

impl<S> Layer<S> for ScopeLayer {
    type Service = ScopeService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ScopeService {
            inner,
            settings: self.settings.clone(),
        }
    }
}
