//! The rules for a request, before anything else reads it.

mod body;
mod forwarded;
mod host;
mod refuse;
mod service;
#[cfg(test)]
mod tests;
mod websocket;

use std::sync::Arc;

use hyper::{HeaderMap, header::HeaderName};
use tower_layer::Layer;

pub use self::{body::SanitizedBody, service::SanitizeService};
pub(super) use self::{
    host::is_plain,
    websocket::{WantsWebSocket, is_websocket},
};
use super::{
    IdentityHeaders,
    fields::{is_believed, remove_hop_by_hop, remove_if},
};
use crate::client::Network;

/// Refuses ambiguous requests, and removes the fields that a client must not send to an API.
///
/// Put it around everything else, so that no layer reads what is removed.
///
/// | the request | response |
/// |---|---|
/// | has no `Host`, several, or one that is not that of its target | 400 |
/// | has both `Content-Length` and `Transfer-Encoding`, or several `Content-Length` | 400 |
/// | is `CONNECT`, `TRACE` or `OPTIONS *` | 400 |
/// | has a body with another transfer coding than `chunked` | 501 |
/// | is a `GET` or `HEAD` with a chunked body, which HTTP/1.1 clients do not send on | 400 |
/// | names `Authorization`, `Cache-Control`, `Content-Length`, `Content-Type`, `Cookie`, `Host` or `Transfer-Encoding` in `Connection` | 400 |
/// | has more than [100 fields](Self::max_fields), or a head of [more than 16 KiB](Self::max_head) | 431 |
///
/// From all other requests it removes, in the head and in the trailers:
///
/// * the fields about one connection, and those that `Connection` names (RFC 9110 §7.6.1).
///   `Trailer` stays, and so does `TE: trailers`;
/// * `Expect`, because the server has the connection to the client and sends `100 Continue`;
/// * the fields that an API believes because its proxy sets them, such as `X-Forwarded-For`,
///   `Client-Cert`, `X-Remote-User`, `X-Original-URL` or `X-HTTP-Method-Override`, whatever their spelling. [`keep`](Self::keep)
///   makes exceptions;
/// * the [identity headers](Self::identity) of the API, in every spelling.
///
/// Then it sets `X-Forwarded-For` from [`PeerAddr`](crate::client::PeerAddr), `X-Forwarded-Proto`
/// from [`OverTls`](super::server::OverTls) and `X-Forwarded-Host` from the host. It does not set
/// `Forwarded`: an API that reads both fields could find two answers, and most read the former.
/// `traceparent` and `tracestate` pass.
///
/// ```
/// use std::convert::Infallible;
/// use hyper::{Request, Response, StatusCode};
/// use tower::{Layer, ServiceExt, service_fn};
/// use tower_revocation::proxy::{SanitizeLayer, SanitizedBody};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), hyper::http::Error> {
/// let api = service_fn(async |request: Request<SanitizedBody<String>>| {
///     assert!(!request.headers().contains_key("x_real_ip"));
///     Ok::<_, Infallible>(Response::new(String::new()))
/// });
/// let service = SanitizeLayer::new().layer(api);
///
/// let request = Request::get("/").header("host", "api.example").header("x_real_ip", "10.0.0.1");
/// let Ok(response) = service.clone().oneshot(request.body(String::new())?).await;
/// assert_eq!(response.status(), StatusCode::OK);
///
/// let request = Request::get("/").header("host", "api.example").header("host", "evil.example");
/// let Ok(response) = service.oneshot(request.body(String::new())?).await;
/// assert_eq!(response.status(), StatusCode::BAD_REQUEST);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct SanitizeLayer {
    rules: Arc<Rules>,
}

#[derive(Clone, Debug)]
struct Rules {
    identity: IdentityHeaders,
    kept: Vec<HeaderName>,
    sets_forwarded: bool,
    proxies: Vec<Network>,
    max_fields: usize,
    max_head: usize,
}

impl SanitizeLayer {
    /// Creates a layer with the default rules and without identity headers.
    pub fn new() -> Self {
        let rules = Rules {
            identity: IdentityHeaders::new(),
            kept: Vec::new(),
            sets_forwarded: true,
            proxies: Vec::new(),
            max_fields: 100,
            max_head: 16 * 1024,
        };
        Self {
            rules: Arc::new(rules),
        }
    }

    /// The identity headers of the API, which no client may send. Defaults to none.
    pub fn identity(mut self, identity: IdentityHeaders) -> Self {
        self.rules_mut().identity = identity;
        self
    }

    /// Lets a field pass that the API would get from its proxy elsewhere, in this spelling only.
    /// Call it once for each field.
    ///
    /// **The API must not believe that the field comes from its proxy.**
    ///
    /// ```
    /// use hyper::header::HeaderName;
    /// use tower_revocation::proxy::SanitizeLayer;
    ///
    /// // To this API, it is an ordinary field of its clients.
    /// let layer = SanitizeLayer::new().keep(HeaderName::from_static("x-client-version"));
    /// ```
    pub fn keep(mut self, name: HeaderName) -> Self {
        self.rules_mut().kept.push(name);
        self
    }

    /// Whether to set `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host`. Defaults to
    /// `true`. Those of the client are removed in any case.
    pub fn set_forwarded(mut self, sets: bool) -> Self {
        self.rules_mut().sets_forwarded = sets;
        self
    }

    /// The proxies in front of this one, such as load balancers: what they say about the client is
    /// passed on. Defaults to none.
    ///
    /// For a peer in one of these networks, its address is added to its `X-Forwarded-For`, and its
    /// `X-Forwarded-Proto` and `X-Forwarded-Host` stay, if each is there once and is valid. **Such a
    /// proxy must set these fields itself, or remove those of its clients**: the API would believe a
    /// client.
    ///
    /// ```
    /// use tower_revocation::{client::Network, proxy::SanitizeLayer};
    ///
    /// let balancers: Network = "10.0.0.0/24".parse()?;
    /// let layer = SanitizeLayer::new().trusted_proxies([balancers]);
    /// # Ok::<_, tower_revocation::client::InvalidNetwork>(())
    /// ```
    pub fn trusted_proxies(mut self, networks: impl IntoIterator<Item = Network>) -> Self {
        self.rules_mut().proxies = networks.into_iter().collect();
        self
    }

    /// Limits the number of header fields. Defaults to 100.
    pub fn max_fields(mut self, fields: usize) -> Self {
        self.rules_mut().max_fields = fields;
        self
    }

    /// Limits the size of the target and the header fields together, in bytes. Defaults to 16 KiB.
    pub fn max_head(mut self, bytes: usize) -> Self {
        self.rules_mut().max_head = bytes;
        self
    }

    fn rules_mut(&mut self) -> &mut Rules {
        Arc::make_mut(&mut self.rules)
    }
}

impl Default for SanitizeLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl Rules {
    /// Removes the fields that a client must not send to an API.
    fn clean(&self, headers: &mut HeaderMap) {
        remove_hop_by_hop(headers);
        remove_if(headers, |name| {
            is_believed(name) && !self.kept.contains(name) || self.identity.contains(name)
        });
    }
}

impl<S> Layer<S> for SanitizeLayer {
    type Service = SanitizeService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SanitizeService {
            inner,
            rules: self.rules.clone(),
        }
    }
}
