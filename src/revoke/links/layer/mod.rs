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
use super::{Links, observe::count};
use crate::introspect::Introspection;

/// Learns [`Links`] from the responses of a token endpoint that pass through: a layer for the
/// service that forwards to the authorization server.
///
/// It watches POST requests on one path, **byte for byte**, and passes every other request on
/// unchanged. Of these:
///
/// 1. It reads the form, or the JSON object, for the refresh token that the client presents: that of
///    a refresh, or the subject of an exchange (RFC 8693). If it cannot read the request, if there are
///    several, or if one is the actor of an exchange, the response is 400 `invalid_request`, and the
///    request is not passed on: the server might find a refresh token in it. It cannot read a body that
///    is longer than 64 KiB, compressed, of another media type, or not UTF-8, nor one with a repeated
///    parameter, nor parameters in the query.
/// 2. It passes the request on, without `Accept-Encoding`: it reads no compressed response.
/// 3. It reads a successful response (2xx) with JSON of at most 64 KiB, introspects the access token
///    in it, and stores the link. Other responses pass without being held back. **A success that
///    cannot be read passes if it is not the response to a refresh**: its refresh token is unknown
///    then. The response to a refresh is 503 if revoked refresh tokens are
///    [refused](Self::refuse_revoked). If they are not, it passes, and a revocation of the presented
///    token ends what its holder has.
/// 4. Once the link is durable, it passes the response on, unchanged.
///
/// The access token is introspected as enforcement does, and not merely read, so give it the same
/// introspection. If the introspection does not recognise it, nothing is learnt, and the refresh
/// token stays unknown. An access token for another API ends with a refresh token that is linked
/// already.
///
/// **If the link cannot be stored**, the response passes all the same if it starts a new family: its
/// refresh token is unknown then, and a revocation says so. If the response is about a refresh token
/// that is known, and a revocation must find its tokens one by one, it is 503: the client would otherwise get a token
/// that outlives the revocation of its refresh token.
///
/// The counter `tower_revocation_links_total` (feature `metrics`) has the label `result`:
///
/// * `linked`: the link is stored. `full`: there was no room for another one.
/// * `unlinked`: the access token was not recognised, or nothing in it can be recorded.
/// * `unread`: the request or the response could not be read.
/// * `refused`: the refresh token is revoked. `failed`: a link could not be stored or read.
/// * `damaged`: a row in the file could not be read, and was skipped.
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
    /// Watches this path, **byte for byte**. `introspect` verifies access tokens. At most 64 KiB of a
    /// request are read, within 10 s; a slower one is 408.
    ///
    /// # Panics
    ///
    /// Panics if `path` does not start with `/`, or contains `?` or `#`: no request could match it.
    pub fn new(path: impl Into<String>, introspect: I, links: Links) -> Self {
        let path = path.into();
        assert!(
            path.starts_with('/') && !path.contains(['?', '#']),
            "the path of a LearnLinksLayer must start with `/` and contain neither `?` nor `#`: {path:?}"
        );
        Self {
            shared: Arc::new(Shared {
                path,
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
    /// example above. It is asked again after the response, so that a revocation in between counts,
    /// and also about the client and the subject of the new access token.
    ///
    /// The date of a refresh token that no link knows is unknown, so it has no `iat`, and **every
    /// record about its subject, client, key or issuer covers it**: the user has to log in again.
    /// If its access token cannot be introspected, the response is 503. If its access token is for
    /// another API, only a record about the refresh token itself is found.
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
