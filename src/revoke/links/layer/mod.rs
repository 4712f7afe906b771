//! Learns links from the token responses that pass.

mod body;
mod future;
mod refusal;
mod request;
mod response;
mod service;

use std::{fmt, sync::Arc};

use tower::{BoxError, Layer};

pub use self::{body::WatchedBody, future::LearnLinksFuture, service::LearnLinks};
use super::Links;
use crate::introspect::Introspection;

/// Learns [`Links`] from the responses of a token endpoint that pass through: a layer for the
/// service that forwards to the authorization server.
///
/// It watches POST requests on one path, **byte for byte**, and passes every other request on
/// unchanged. Of these:
///
/// 1. It reads the form, or the JSON object, for the refresh token that the client presents. A body
///    of more than 64 KiB is passed on unread.
/// 2. It passes the request on, without `Accept-Encoding`: it reads no compressed response.
/// 3. It reads a response with status 200 and JSON of at most 64 KiB, introspects the access token
///    in it, and stores the link. Other responses pass without being held back, except that the
///    response to a refresh is 503 if it has status 200, cannot be read, and revoked refresh tokens
///    are [refused](Self::refuse_revoked).
/// 4. Once the link is durable, it passes the response on, unchanged.
///
/// The access token is introspected as enforcement does, and not merely read, so give it the same
/// introspection. If the introspection does not recognise it, nothing is learnt, and the refresh
/// token stays unknown.
///
/// **If the link cannot be stored**, the response passes all the same if it starts a new family: its
/// refresh token is unknown then, and a revocation says so. If a client refreshes tokens that a
/// revocation must find one by one, the response is 503: the client would otherwise get a token
/// that outlives the revocation of its refresh token.
///
/// The counter `tower_revocation_links_total` (feature `metrics`) has the label `result`:
///
/// * `linked`: the link is stored. `full`: there was no room for another one.
/// * `unlinked`: the access token was not recognised, or nothing in it can be recorded.
/// * `unread`: the request or the response could not be read.
/// * `refused`: the refresh token is revoked. `failed`: a link could not be stored or read.
///
/// ```
/// use http_body_util::Full;
/// use hyper::{Request, Response, body::Bytes};
/// use tower::{BoxError, Layer, service_fn};
/// use tower_revocation::{
///     enforce::{Freshness, Index},
///     log::EmbeddedLog,
///     revoke::{LearnLinksLayer, Links, WatchedBody},
///     test_util::TestIssuer,
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("revocations.redb");
/// let log = EmbeddedLog::open(&path)?;
/// let index = Index::follow(&log).await?;
/// let issuer = TestIssuer::new("https://issuer.test");
/// let forward = service_fn(async |request: Request<WatchedBody<Full<Bytes>>>| {
///     // Send it to the authorization server.
///     Ok::<_, BoxError>(Response::new(request.into_body()))
/// });
///
/// let layer = LearnLinksLayer::new("/oauth2/token", issuer.tokens(), Links::open(log)?)
///     .refuse_revoked(move |token| match (index.covers(token), index.freshness()) {
///         (true, _) => Ok(true),
///         (false, Freshness::Fresh) => Ok(false),
///         _ => Err("the index is not fresh".into()),
///     });
/// let service = layer.layer(forward);
/// # Ok(())
/// # }
/// ```
#[must_use = "a layer does nothing until it is applied"]
pub struct LearnLinksLayer<I> {
    shared: Arc<Shared<I>>,
}

struct Shared<I> {
    path: String,
    introspect: I,
    links: Links,
    is_revoked: Option<IsRevoked>,
}

type IsRevoked = Arc<dyn Fn(&Introspection) -> Result<bool, BoxError> + Send + Sync>;

impl<I> LearnLinksLayer<I> {
    /// Watches this path, **byte for byte**. `introspect` verifies access tokens.
    pub fn new(path: impl Into<String>, introspect: I, links: Links) -> Self {
        Self {
            shared: Arc::new(Shared {
                path: path.into(),
                introspect,
                links,
                is_revoked: None,
            }),
        }
    }
}

impl<I: Clone> LearnLinksLayer<I> {
    /// Refuses a refresh token that is revoked, with 400 `invalid_grant` (RFC 6749 §5.2), and does
    /// not pass the request on. Defaults to passing every request on.
    ///
    /// An authorization server that cannot revoke would otherwise issue live tokens for it. **It
    /// refuses only what passes here, on this path**: a client that reaches the authorization server
    /// in another way gets tokens. Pass no other spelling of the path on to it.
    ///
    /// `is_revoked` gets what is known of the refresh token and returns whether a record covers it,
    /// or an error if that is unknown: 503. Ask an [`Index`](crate::enforce::Index), as in the
    /// example above. It is asked again after the response, so that a revocation in between counts.
    ///
    /// A request whose body cannot be read is then 400 `invalid_request`: one that is longer than
    /// 64 KiB, compressed, in another media type, not UTF-8, with a repeated parameter, or with its
    /// parameters in the query.
    pub fn refuse_revoked<F>(mut self, is_revoked: F) -> Self
    where
        F: Fn(&Introspection) -> Result<bool, BoxError> + Send + Sync + 'static,
    {
        let shared = &*self.shared;
        self.shared = Arc::new(Shared {
            path: shared.path.clone(),
            introspect: shared.introspect.clone(),
            links: shared.links.clone(),
            is_revoked: Some(Arc::new(is_revoked)),
        });
        self
    }
}

impl<S, I> Layer<S> for LearnLinksLayer<I> {
    type Service = LearnLinks<S, I>;

    fn layer(&self, inner: S) -> Self::Service {
        LearnLinks::new(inner, self.clone())
    }
}

impl<I> Clone for LearnLinksLayer<I> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
        }
    }
}

impl<I> fmt::Debug for LearnLinksLayer<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LearnLinksLayer")
            .field("path", &self.shared.path)
            .field("links", &self.shared.links)
            .finish_non_exhaustive()
    }
}

fn count(result: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!("tower_revocation_links_total", "result" => result).increment(1);
    let _ = result;
}
