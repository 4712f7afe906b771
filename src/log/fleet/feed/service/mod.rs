//! The side of the relay: a Tower service that answers those that follow.

mod access;
mod future;
mod respond;
mod tokens;

use std::{
    convert::Infallible,
    fmt,
    path::Path,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request, Response, http::request::Parts};
use tower::Service;

use self::{access::Access, tokens::Tokens};
use super::{super::FleetLog, question::Question};
use crate::log::LogError;

pub use self::future::FeedFuture;

/// Serves a [`FleetLog`] to processes that cannot reach its database: a relay.
///
/// They follow it with `FleetLog::connect("https://relay.example.com/feed")`, and can be relays
/// themselves. What is promised about a [lease](FleetLog::connect) holds over all of them together: a
/// relay says how old its own knowledge is. So a relay that has lost the database renews no
/// lease.
///
/// Answers `GET` requests on one path, `/feed` unless changed by [`path`](Self::path), and responds
/// with 404 on all others. Serve it by HTTPS. It reads no body.
///
/// **A feed is confidential.** Its records are digests, and somebody who can guess a token, a grant
/// or a name can confirm the guess. So there is no feed without authentication: by a
/// [token](Self::with_tokens), or [as you decide](Self::authorized_by).
///
/// * A request waits for something new, for at most a fifth of the lease. A proxy in front must pass
///   requests that take as long, and must not buffer or cache answers.
/// * The newest 65,536 records come from memory, and older ones from the database: at most 8 requests
///   at once, and 503 with `Retry-After` for the others.
/// * At most 10,000 processes follow one relay.
///
/// ```no_run
/// use axum::Router;
/// use tower_revocation::log::{FeedService, FleetLog};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let log = FleetLog::connect("postgres://revoker@db.example.com/app").await?;
/// let feed = FeedService::with_tokens(&log, "/run/secrets/feed-tokens")?;
/// let router: Router = Router::new().route_service("/feed", feed);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct FeedService {
    log: FleetLog,
    access: Arc<Access>,
    path: Arc<str>,
}

impl FeedService {
    /// Serves a log to those that send one of the bearer tokens in a file.
    ///
    /// The file has one token in each line, of at least 20 characters. Draw them at random, for
    /// example with `openssl rand -hex 32`. The file is read again when a request comes, at most once
    /// a second. To replace a token, write the new one beside the old one first. A file that is not
    /// usable any more changes nothing, and is an event of level `ERROR`.
    ///
    /// # Errors
    ///
    /// Fails with [`Misconfigured`](crate::log::LogErrorKind::Misconfigured) if the file cannot be
    /// read or has no usable token.
    pub fn with_tokens(log: &FleetLog, file: impl AsRef<Path>) -> Result<Self, LogError> {
        let tokens = Tokens::open(file.as_ref())?;
        Ok(Self::new(log, Access::Tokens(tokens)))
    }

    /// Serves a log to those whose request passes a check, such as one of the client certificate that
    /// your server has put into the extensions of the request. Others get 403.
    ///
    /// **Everybody whose request passes can read the whole log.** With a check that is always true,
    /// the server in front must authenticate.
    ///
    /// ```no_run
    /// use tower_revocation::{
    ///     client::certificate::ClientCertificate,
    ///     log::{FeedService, FleetLog},
    /// };
    ///
    /// # async fn serve(log: FleetLog) {
    /// // The server verifies certificates against a CA that issues them to gateways only.
    /// let feed = FeedService::authorized_by(&log, |request| {
    ///     request.extensions.get::<ClientCertificate>().is_some()
    /// });
    /// # }
    /// ```
    pub fn authorized_by(
        log: &FleetLog,
        check: impl Fn(&Parts) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self::new(log, Access::Check(Box::new(check)))
    }

    /// Sets the path. Defaults to `/feed`. **Compared byte for byte, without normalisation.**
    #[must_use]
    pub fn path(self, path: &str) -> Self {
        Self {
            path: path.into(),
            ..self
        }
    }

    fn new(log: &FleetLog, access: Access) -> Self {
        log.relay.turn_on();
        Self {
            log: log.clone(),
            access: Arc::new(access),
            path: "/feed".into(),
        }
    }

    async fn answer(self, head: Parts) -> Response<Full<Bytes>> {
        if head.uri.path() != &*self.path {
            return respond::not_found();
        }
        if head.method != Method::GET {
            return respond::only_get();
        }
        if let Some(refusal) = self.access.refuse(&head).await {
            return refusal;
        }
        let question = match Question::read(&head.uri, &head.headers) {
            Ok(question) => question,
            Err(why) => return respond::wrong(why),
        };
        match self.log.relay.answer(&question).await {
            Ok(answer) => respond::records(answer),
            Err(busy) => respond::busy(&busy),
        }
    }
}

impl<B> Service<Request<B>> for FeedService {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = FeedFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> FeedFuture {
        let (head, _) = request.into_parts();
        FeedFuture::new(self.clone().answer(head))
    }
}

impl fmt::Debug for FeedService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeedService")
            .field("log", &self.log)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
