//! The token endpoint of the authorization server behind the gateway, and what is learnt from it.

use hyper::{
    Request, Uri,
    body::Incoming,
    http::uri::{InvalidUri, PathAndQuery},
};
use tower::{Layer as _, util::MapRequestLayer};
use tower_revocation::{
    enforce::{Freshness, Index},
    introspect::Introspection,
    proxy::{ReverseProxy, SanitizedBody, Upstream},
    revoke::{LearnLinksLayer, Links, WatchedBody},
};

use crate::{
    config::{Limits, Links as Config, Problem},
    failure::causes,
    gateway::{Inner, erased},
    tokens::Tokens,
};

type Body = WatchedBody<SanitizedBody<Incoming>>;

/// The token endpoint of the authorization server.
pub(crate) struct Forwarding {
    proxy: ReverseProxy<Body>,
    path: PathAndQuery,
}

/// How token requests are forwarded.
pub(crate) fn forwarding(config: &Config, limits: &Limits) -> Result<Forwarding, Problem> {
    let problem = |error: &dyn std::error::Error| Problem::new("links.upstream", error);
    let (scheme, authority) = (config.upstream.scheme_str(), config.upstream.authority());
    let (Some(scheme), Some(authority)) = (scheme, authority) else {
        return Err(Problem::new("links.upstream", "the URL has no host"));
    };
    let upstream = Upstream::new(&format!("{scheme}://{authority}"));
    let upstream = upstream.map_err(|error| problem(&error))?;
    let upstream = upstream.head_timeout(limits.upstream_timeout);
    let proxy = ReverseProxy::<Body>::new(upstream);
    let proxy = proxy.map_err(|error| Problem::new("links.upstream", causes(&error)))?;
    let path = config.upstream.path().parse();
    let path = path.map_err(|error: InvalidUri| problem(&error))?;
    Ok(Forwarding { proxy, path })
}

/// Forwards token requests, and learns from the responses.
pub(crate) fn endpoint(
    config: &Config,
    forwarding: Forwarding,
    links: &Links,
    tokens: &Tokens,
    index: &Index,
) -> (String, Inner) {
    let Forwarding { proxy, path } = forwarding;
    // The gateway may have another path for it.
    let renamed = MapRequestLayer::new(move |mut request: Request<Body>| {
        *request.uri_mut() = with_path(request.uri(), &path);
        request
    });
    let mut learning =
        LearnLinksLayer::new(&*config.path, tokens.for_checks.clone(), links.clone());
    if config.refuse_revoked {
        let index = index.clone();
        learning = learning.refuse_revoked(move |token: &Introspection| {
            match (index.covers(token), index.freshness()) {
                (true, _) => Ok(true),
                (false, Freshness::Fresh) => Ok(false),
                _ => Err("the index is not fresh".into()),
            }
        });
    }
    let service = learning.layer(renamed.layer(proxy));
    (config.path.clone(), erased(service))
}

/// The same URI with another path, and with its own query.
fn with_path(uri: &Uri, path: &PathAndQuery) -> Uri {
    let target = match uri.query() {
        Some(query) => format!("{}?{query}", path.path()).parse(),
        None => Ok(path.clone()),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = target.ok();
    Uri::from_parts(parts).unwrap_or_else(|_| uri.clone())
}
