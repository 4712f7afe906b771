//! Takes the questions of proxies.

use std::{
    convert::Infallible,
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

#[cfg(feature = "ext-authz")]
use hyper::{HeaderMap, header::HeaderName};
use hyper::{Request, Response, http::request::Parts};
use tower::{BoxError, Layer as _, Service};

use super::{
    VerifyBody,
    future::VerifyFuture,
    head::{is_known_route, restore},
    permit::Permit,
};
use crate::{
    client::{Network, PeerAddr},
    enforce::{EnforcementFuture, EnforcementLayer, EnforcementService},
    introspect::Introspected,
    proxy::IdentityHeaders,
    token::Secret,
};

/// Tells proxies whether a request may pass: nginx `auth_request`, Traefik `ForwardAuth`, Caddy
/// `forward_auth`, `HAProxy`, Envoy and Istio `ext_authz` over HTTP. **They ask once for each
/// request**: a revocation refuses the next request, and does not end a response or a WebSocket that
/// is open. Only a proxy that enforces by itself cuts those, such as a
/// [`ReverseProxy`](crate::proxy::ReverseProxy) behind an [`EnforcementLayer`].
///
/// It takes any method on its path and on all paths below. It restores the head of the original
/// request, and has an [`EnforcementLayer`] check it:
///
/// | the layer | response |
/// |---|---|
/// | passes the request | 200 with every [identity header](IdentityHeaders), empty if it has no value |
/// | refuses it | 401 with a challenge, 400, or 503 with `Retry-After` |
///
/// **Only 200 permits.** The proxy must refuse the request for every other status, and if there is
/// no response. Every response is in HTTP, also about a call of gRPC, has `no-store` and has no body.
/// The service reads no body either. Other paths get 404.
///
/// **The proxy must pass the identity headers of the 200 to the API**, in place of those of its
/// client. It must also remove other spellings of their names, such as `X_Token_Subject` for
/// `X-Token-Subject`: only the proxy sees what passes on. The repository has a tested configuration
/// for each proxy in `examples/proxies`.
///
/// # Routes without a token
///
/// The layer chooses its [policy](EnforcementLayer::policy_by) by the method and the URI of the
/// original request, if a [trusted proxy](Self::trusted_proxies) reports them. That is for routes
/// that pass [without a token](crate::enforce::Policy::anonymous). In every other case the request
/// needs a token, and the chooser is not asked:
///
/// * The proxy is not trusted, or reports nothing. By default no proxy is trusted.
/// * The path is not [canonical](crate::proxy::is_canonical).
/// * Two reports differ, or one is repeated or incomplete: the client may have written one of them.
///
/// A report is `X-Original-Method` and `X-Original-URI`, or `X-Forwarded-Method` and
/// `X-Forwarded-Uri`, or the method of the question and what follows the service's path. The fields
/// of a proxy that is not trusted are removed from the head, with all other `X-Forwarded-*`.
/// `Forwarded` is always removed.
///
/// # Time
///
/// The service waits for the introspection without a limit, as the layer does. The proxy must have a
/// time-out, after which it refuses.
///
/// ```
/// use http_body_util::Empty;
/// use hyper::{Request, StatusCode, body::Bytes, header::HeaderName};
/// use tower::{BoxError, ServiceExt, service_fn};
/// use tower_revocation::{
///     Secret,
///     enforce::EnforcementLayer,
///     introspect::{Introspection, TokenKind},
///     proxy::{IdentityHeaders, VerifyService},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let introspect = service_fn(async |token: Secret| {
///     let is_ours = token.expose() == "mF_9.B5f-4.1JqM";
///     let token = is_ours.then(|| Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3"));
///     Ok::<_, BoxError>(token)
/// });
/// let layer = EnforcementLayer::by_introspection(introspect);
/// let identity = IdentityHeaders::new().client(HeaderName::from_static("x-token-client"));
/// let verify = VerifyService::new(layer, identity);
///
/// let question = || Request::get("/verify");
/// let live = question().header("authorization", "Bearer mF_9.B5f-4.1JqM");
/// let response = verify.clone().oneshot(live.body(Empty::<Bytes>::new())?).await?;
/// assert_eq!(response.status(), StatusCode::OK);
/// assert_eq!(response.headers()["x-token-client"], "s6BhdRkqt3");
///
/// let response = verify.oneshot(question().body(Empty::<Bytes>::new())?).await?;
/// assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
/// # Ok(())
/// # }
/// ```
#[must_use = "a service does nothing until it is called"]
pub struct VerifyService<I, F = <I as Service<Secret>>::Future> {
    enforcement: EnforcementService<Permit, I, F>,
    trusted: Arc<[Network]>,
    path: Arc<str>,
}

impl<I, F> VerifyService<I, F> {
    /// Creates a service that checks requests with `layer`, on the path `/verify`.
    ///
    /// It always responds in HTTP, whatever the layer is [set](EnforcementLayer::respond_in_http)
    /// to, and ignores [`cut_streams`](crate::enforce::Policy::cut_streams).
    pub fn new(layer: EnforcementLayer<I>, identity: IdentityHeaders) -> Self
    where
        I: Service<Secret, Response: Into<Introspected>, Future = F> + Clone,
        I::Error: Into<BoxError>,
    {
        let identity = Arc::new(identity);
        let layer = layer.respond_in_http(true).for_known_routes(is_known_route);
        Self {
            enforcement: layer.layer(Permit { identity }),
            trusted: Arc::new([]),
            path: "/verify".into(),
        }
    }

    /// The proxies whose reports of the original method and URI are believed. Defaults to none.
    ///
    /// The proxy is the [`PeerAddr`] in the extensions of the request. Without it no proxy is
    /// trusted. **A trusted proxy must set one of the [reports](Self#routes-without-a-token) in
    /// every question, method and URI**, else its clients can: a client that reports a route without
    /// a token would need none on any route.
    pub fn trusted_proxies(mut self, trusted: impl IntoIterator<Item = Network>) -> Self {
        self.trusted = trusted.into_iter().collect();
        self
    }

    /// Sets the path. Defaults to `/verify`.
    ///
    /// **The path is compared byte for byte with the path of the request's URI, or with what precedes
    /// a `/` in it**, without any normalisation.
    ///
    /// # Panics
    ///
    /// Panics if `path` does not start with `/`, ends with it, or contains `?` or `#`: no request
    /// could match it.
    pub fn path(mut self, path: impl Into<Arc<str>>) -> Self {
        let path = path.into();
        assert!(
            path.starts_with('/') && !path.ends_with('/') && !path.contains(['?', '#']),
            "the path of a VerifyService must start with `/` and not end with it, and contain neither \
             `?` nor `#`: {path:?}"
        );
        self.path = path;
        self
    }

    /// Whether the peer in these extensions is a trusted proxy.
    pub(in crate::proxy) fn trusts(&self, head: &Parts) -> bool {
        let peer = head.extensions.get::<PeerAddr>();
        peer.is_some_and(|peer| {
            let mut trusted = self.trusted.iter();
            trusted.any(|network| network.contains(peer.0.ip()))
        })
    }

    /// The identity fields among these, in any spelling.
    #[cfg(feature = "ext-authz")]
    pub(in crate::proxy) fn forged(&self, headers: &HeaderMap) -> Vec<HeaderName> {
        let identity = &self.enforcement.get_ref().identity;
        let forged = headers.keys().filter(|name| identity.contains(name));
        forged.cloned().collect()
    }

    /// Checks the head of an original request.
    pub(in crate::proxy) fn check(&mut self, head: Parts) -> EnforcementFuture<I, F, Permit, ()>
    where
        I: Clone,
    {
        self.enforcement.call(Request::from_parts(head, ()))
    }
}

impl<I, F, B> Service<Request<B>> for VerifyService<I, F>
where
    I: Clone,
{
    type Response = Response<VerifyBody>;
    type Error = Infallible;
    type Future = VerifyFuture<I, F>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (head, _) = request.into_parts();
        let below = head.uri.path().strip_prefix(&*self.path);
        let Some(below) = below.filter(|below| below.is_empty() || below.starts_with('/')) else {
            return VerifyFuture::not_found();
        };
        let below = below.to_owned();
        let is_trusted = self.trusts(&head);
        VerifyFuture::check(self.check(restore(head, &below, is_trusted)))
    }
}

impl<I: Clone, F> Clone for VerifyService<I, F> {
    fn clone(&self) -> Self {
        Self {
            enforcement: self.enforcement.clone(),
            trusted: self.trusted.clone(),
            path: self.path.clone(),
        }
    }
}

impl<I: fmt::Debug, F> fmt::Debug for VerifyService<I, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyService")
            .field("enforcement", &self.enforcement)
            .field("trusted", &self.trusted)
            .field("path", &self.path)
            .finish()
    }
}
