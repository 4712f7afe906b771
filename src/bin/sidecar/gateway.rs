//! What the gateway's listener serves: revocations, and everything else by the API.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use futures::future::{BoxFuture, ready};
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, HeaderName, ORIGIN},
    http::request::Parts,
};
use tower::{
    BoxError, Layer as _, Service, ServiceExt as _,
    util::{MapRequestLayer, option_layer},
};
use tower_revocation::{
    enforce::{EnforcementLayer, Policy, WhenUnknown},
    proxy::{
        AllowWebSocket, IdentityHeaders, ReverseProxy, SanitizeLayer, SanitizeService,
        SanitizedBody, Upstream,
    },
    sightings::SightingsLayer,
};

use crate::{
    config::{Authorization, Gateway, Identity, Limits, Preflight, Problem, Route, Upgrade},
    cookies,
    failure::causes,
    respond::{AnyBody, any, empty, starting},
    shared::Shared,
    tokens::Introspect,
};

type Body = SanitizedBody<Incoming>;

/// A service behind the rules for requests.
pub(crate) type Inner = Shared<Request<Body>, Response<AnyBody>, Infallible>;

/// What the gateway's listener serves.
pub(crate) type Entry = SanitizeService<ByPath>;

/// Chooses the service by the path.
#[derive(Clone)]
pub(crate) struct ByPath(Arc<Services>);

enum Services {
    /// It is not known yet what is revoked.
    Starting,
    Serving {
        /// The endpoints of the sidecar and their paths, **byte for byte**.
        endpoints: Vec<(String, Inner)>,
        /// The calls of other systems and of users, each for its path and everything below.
        below: Vec<(String, Inner)>,
        api: Option<Inner>,
    },
}

impl ByPath {
    /// Responds to everything with 503.
    pub(crate) fn starting() -> Entry {
        SanitizeLayer::new().layer(Self(Arc::new(Services::Starting)))
    }

    /// Serves the API, and endpoints on their paths.
    pub(crate) fn serving(
        gateway: &Gateway,
        endpoints: Vec<(String, Inner)>,
        below: Vec<(String, Inner)>,
        api: Option<Inner>,
    ) -> Entry {
        SanitizeLayer::new()
            .identity(headers(&gateway.identity))
            .trusted_proxies(gateway.trusted_proxies.iter().copied())
            .layer(Self(Arc::new(Services::Serving {
                endpoints,
                below,
                api,
            })))
    }
}

impl Service<Request<Body>> for ByPath {
    type Response = Response<AnyBody>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (endpoints, below, api) = match &*self.0 {
            Services::Starting => return Box::pin(ready(Ok(starting()))),
            Services::Serving {
                endpoints,
                below,
                api,
            } => (endpoints, below, api),
        };
        let path = request.uri().path();
        let mut endpoints = endpoints.iter();
        let endpoint = endpoints.find(|(known, _)| known == path);
        let mut below = below.iter();
        let above = || below.find(|(known, _)| is_at_or_below(path, known));
        let service = endpoint.or_else(above).map(|(_, service)| service);
        let service = service.or(api.as_ref());
        match service {
            Some(service) => service.run(request),
            None => Box::pin(ready(Ok(empty(StatusCode::NOT_FOUND)))),
        }
    }
}

fn is_at_or_below(path: &str, known: &str) -> bool {
    // The root ends with the `/` that everything below it starts with.
    let rest = path.strip_prefix(known.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The API behind the enforcement of its tokens. `None` if the gateway has no API. With pages on this
/// host, it gets none of their cookies.
pub(crate) fn api(
    gateway: &Gateway,
    limits: &Limits,
    enforcement: EnforcementLayer<Introspect>,
    noting: Option<SightingsLayer>,
    has_pages: bool,
) -> Result<Option<Inner>, Problem> {
    let Some(url) = &gateway.upstream else {
        return Ok(None);
    };
    let problem = |error| Problem::new("gateway.upstream", causes(&error));
    let upstream = Upstream::new(&url.to_string()).map_err(problem)?;
    let upstream = upstream.head_timeout(limits.upstream_timeout);
    let proxy = ReverseProxy::<Body>::new(upstream).map_err(problem)?;
    let proxy = proxy
        .identity(headers(&gateway.identity))
        .remove_authorization(gateway.authorization == Authorization::Remove)
        .websocket_idle_timeout(limits.websocket_idle_timeout)
        .upload_idle_timeout(limits.upload_idle_timeout)
        .max_requests(limits.upstream_requests);

    // A clone for each request must cost nothing.
    let sockets: Arc<[Route]> = gateway
        .routes
        .iter()
        .filter(|route| route.upgrade == Some(Upgrade::Websocket))
        .cloned()
        .collect();
    let told = MapRequestLayer::new(move |mut request: Request<Body>| {
        if sockets
            .iter()
            .any(|route| route.is_of(request.uri().path()))
        {
            request.extensions_mut().insert(AllowWebSocket);
        }
        if has_pages {
            cookies::remove(request.headers_mut());
        }
        request
    });
    let preflights_pass = gateway.preflight == Preflight::Pass;
    let routes = gateway.routes.clone();
    let enforced = enforcement
        .policy_by(move |head| {
            let policy = policy(&routes, head.uri.path());
            if preflights_pass && is_preflight(head) {
                policy.anonymous(true)
            } else {
                policy
            }
        })
        .layer(option_layer(noting).layer(told.layer(proxy)));
    Ok(Some(erased(enforced)))
}

/// Erases the types of a service.
pub(crate) fn erased<S, B>(service: S) -> Inner
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    B: hyper::body::Body<Data = hyper::body::Bytes, Error: Into<BoxError>> + Send + 'static,
{
    Shared::new(service.map_response(|response: Response<B>| response.map(any)))
}

/// The policy of a path: that of its first route.
pub(crate) fn policy(routes: &[Route], path: &str) -> Policy {
    let policy = Policy::new();
    let Some(route) = routes.iter().find(|route| route.is_of(path)) else {
        return policy;
    };
    let policy = policy.anonymous(route.is_token_optional);
    match route.serve_stale {
        Some(max) => policy.when_unknown(WhenUnknown::ServeStale { max }),
        None => policy,
    }
}

/// A browser asks whether a script may send a request. It sends no token with that.
fn is_preflight(head: &Parts) -> bool {
    head.method == Method::OPTIONS
        && head.headers.contains_key(ORIGIN)
        && head.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
        && !head.headers.contains_key(AUTHORIZATION)
}

/// Names one field.
type Set = fn(IdentityHeaders, HeaderName) -> IdentityHeaders;

/// The fields in which an API is told whose token it is.
pub(crate) fn headers(identity: &Identity) -> IdentityHeaders {
    let mut headers = IdentityHeaders::new();
    let fields: [(&Option<_>, Set); 5] = [
        (&identity.subject, IdentityHeaders::subject),
        (&identity.client, IdentityHeaders::client),
        (&identity.scope, IdentityHeaders::scope),
        (&identity.issuer, IdentityHeaders::issuer),
        (&identity.session, IdentityHeaders::session),
    ];
    for (name, set) in fields {
        if let Some(name) = name.clone() {
            headers = set(headers, name);
        }
    }
    headers
}
