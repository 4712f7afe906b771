//! The side of the relay: a Tower service that answers those that follow.

mod access;
mod body;
mod future;
mod respond;
mod source;
mod tokens;

use std::{
    convert::Infallible,
    fmt,
    path::Path,
    sync::Arc,
    task::{Context, Poll},
};

use hyper::{Method, Request, Response, http::request::Parts};
use sha2::{Digest as _, Sha256};
use tower::Service;

use self::{access::Access, tokens::Tokens};
use super::{super::FleetLog, question::Question, relay::Credential};
use crate::log::LogError;

pub use self::{body::FeedBody, future::FeedFuture, source::FeedSource};

/// Serves a log to other processes over HTTP: a relay.
///
/// The log is a [`FleetLog`], for processes that cannot reach its database, or an `EmbeddedLog`, for a
/// fleet without a database: one process revokes, and all others follow it.
///
/// They follow it with `FleetLog::connect("https://relay.example.com/feed")`, and can be relays
/// themselves. A relay says how old its own knowledge is, so what is promised about a
/// [lease](FleetLog::connect) holds over all relays together: one that has lost the database renews
/// no lease. **Put at most two relays between the log and a process.** Each adds up to two fifths of
/// its lease to the age of what the process knows. A process whose lease would end without a fault, as
/// behind a third relay, is refused when it connects.
///
/// Responds to `GET` requests on one path, with 405 to other methods, and with 404 on all other
/// paths. The path defaults to `/feed`: see [`path`](Self::path). Serve it over HTTPS. It reads no
/// body.
///
/// **A feed is confidential.** Its records are digests, and somebody who can guess a token, a grant
/// or a name can confirm the guess. So there is no feed without authentication: by a
/// [token](Self::with_token_file), or by [your own check](Self::authorized_by).
///
/// A request waits for something new, for at most a fifth of the lease. A proxy in front must pass
/// requests that take as long, and must not buffer or cache responses.
///
/// # Limits
///
/// A request over a limit gets 503 with `Retry-After`. No token and no name of your check can use up
/// a limit: each gets at most half of what is left. **So give every operator a token of its own.**
/// With one token for all processes, the limits are half of these:
///
/// * 20,000 processes follow one relay, each with one request at a time. If a process sends another
///   request, the one before ends.
/// * The newest 65,536 records come from memory, and older ones from the database: 16 requests at a
///   time.
/// * 128 MB of responses are being sent.
///
/// ```no_run
/// use axum::Router;
/// use tower_revocation::log::{FeedService, FleetLog};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let log = FleetLog::connect("postgres://revoker@db.example.com/app").await?;
/// let feed = FeedService::with_token_file(&log, "/run/secrets/feed-tokens")?;
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
    /// Serves a log to processes that send one of the bearer tokens in a file.
    ///
    /// The file has one token in each line, of at least 20 characters. Draw them at random, for
    /// example with `openssl rand -hex 32`. The service reads the file again when a request comes, at
    /// most once a second. To replace a token, add the new one before you remove the old one. If the
    /// file becomes unusable, the tokens before it stay valid, and there is an event of level `ERROR`.
    ///
    /// # Errors
    ///
    /// Fails with [`Misconfigured`](crate::log::LogErrorKind::Misconfigured) if the file cannot be
    /// read or has no usable token.
    ///
    /// # Panics
    ///
    /// Panics outside of a runtime of tokio if the log is an `EmbeddedLog`.
    pub fn with_token_file(
        log: impl Into<FeedSource>,
        file: impl AsRef<Path>,
    ) -> Result<Self, LogError> {
        let tokens = Tokens::open(file.as_ref())?;
        Ok(Self::new(log.into(), Access::Tokens(tokens)))
    }

    /// Checks a file of tokens, as [`with_token_file`](Self::with_token_file) does, without a log.
    ///
    /// ```
    /// use tower_revocation::log::FeedService;
    ///
    /// assert!(FeedService::check_token_file("no/such/file").is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// The same as those of [`with_token_file`](Self::with_token_file).
    pub fn check_token_file(file: impl AsRef<Path>) -> Result<(), LogError> {
        Tokens::open(file.as_ref()).map(drop)
    }

    /// Serves a log to requests that pass a check, such as one of the client certificate that your
    /// server has put into the extensions of the request. The check returns a name of who asks, which
    /// has [limits](Self#limits) of its own. `None` is 403.
    ///
    /// **A client that passes the check can read the whole log.** With a check that always returns a name,
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
    ///     let certificate = request.extensions.get::<ClientCertificate>()?;
    ///     Some(certificate.thumbprint())
    /// });
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Panics outside of a runtime of tokio if the log is an `EmbeddedLog`.
    #[must_use]
    pub fn authorized_by<N: AsRef<[u8]>>(
        log: impl Into<FeedSource>,
        check: impl Fn(&Parts) -> Option<N> + Send + Sync + 'static,
    ) -> Self {
        let check = move |request: &Parts| {
            let name = check(request)?;
            Some(Credential(Sha256::digest(name).into()))
        };
        Self::new(log.into(), Access::Check(Box::new(check)))
    }

    /// Sets the path. Defaults to `/feed`.
    ///
    /// **The path is compared byte for byte with the path of the request's URI**, without any
    /// normalisation.
    ///
    /// # Panics
    ///
    /// Panics if `path` does not start with `/`, or contains `?` or `#`: no request could match it.
    #[must_use]
    pub fn path(mut self, path: impl Into<Arc<str>>) -> Self {
        let path = path.into();
        assert!(
            path.starts_with('/') && !path.contains(['?', '#']),
            "the path of a FeedService must start with `/` and contain neither `?` nor `#`: {path:?}"
        );
        self.path = path;
        self
    }

    fn new(log: FeedSource, access: Access) -> Self {
        let log = log.node();
        log.relay.turn_on();
        Self {
            log,
            access: Arc::new(access),
            path: "/feed".into(),
        }
    }

    async fn answer(self, head: Parts) -> Response<FeedBody> {
        let (credential, question) = match self.read(&head).await {
            Ok(read) => read,
            Err(refusal) => return refusal,
        };
        // An answer may wait, for very many at once.
        drop(head);
        match self.log.relay.answer(credential, &question).await {
            Ok(answer) => respond::records(answer),
            Err(busy) => respond::busy(&busy),
        }
    }

    async fn read(&self, head: &Parts) -> Result<(Credential, Question), Response<FeedBody>> {
        let credential = self.access.credential(head).await?;
        let question = Question::read(&head.uri, &head.headers).map_err(respond::wrong)?;
        Ok((credential, question))
    }
}

impl<B> Service<Request<B>> for FeedService {
    type Response = Response<FeedBody>;
    type Error = Infallible;
    type Future = FeedFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> FeedFuture {
        let (head, _) = request.into_parts();
        if head.uri.path() != &*self.path {
            return FeedFuture::refused(respond::not_found());
        }
        if head.method != Method::GET {
            return FeedFuture::refused(respond::only_get());
        }
        FeedFuture::asked(self.clone().answer(head))
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
