//! The service of the pages.

use std::{
    convert::Infallible,
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http_body_util::Full;
use hyper::{Method, Request, Response, body::Body, http::request::Parts};
use tower::{BoxError, Service};

use super::{sign_in, visit::Visit};
use crate::admin::{
    PageSessions, observe,
    pages::{
        api::Api,
        failure::Failure,
        frame::Frame,
        respond::{Page, problem, protect, see_other},
        style,
        visit::{check_host, check_origin},
    },
    problem::Refusal,
};

/// The pages of users: their own sessions, with the current one marked, to end one or all others, and a
/// field for a token that they type.
///
/// They are a client of an [`OwnSessions`](crate::admin::OwnSessions) with its default path. Mount them
/// at [`path`](Self::path) and everything below.
///
/// A user signs in by typing an access token. If a request has an `Authorization: Bearer`, as those of a
/// proxy that signs users in, that token counts and there is no sign-in. The token is checked with each
/// request, so its session ends with it. This process keeps it in memory, for as long as
/// [`PageSessions`] says.
///
/// **Serve the pages over HTTPS, or on this machine under `localhost` or a loopback address**: a browser
/// keeps the cookie of a session nowhere else. The cookie is sent to every path of this host:
/// remove it from the requests that go to other servers, such as an API behind a proxy.
///
/// ```
/// use http_body_util::Full;
/// use hyper::{Request, body::Bytes};
/// use tower::{BoxError, ServiceExt};
/// use tower_revocation::{
///     admin::{OwnPages, OwnSessions, PageSessions},
///     enforce::{EnforcementLayer, Index},
///     log::MemoryLog,
///     revoke::{Administration, Handles},
///     sightings::Sightings,
///     test_util::TestIssuer,
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let log = MemoryLog::new();
/// let index = Index::follow(&log).await?;
/// let tokens = TestIssuer::new("https://issuer.test").tokens();
/// let service = OwnSessions::new(
///     EnforcementLayer::new(tokens.clone(), index.clone()),
///     index,
///     tokens,
///     Administration::new(log),
///     Sightings::new(),
///     Handles::random()?,
/// );
/// let pages = OwnPages::new(service, PageSessions::new()?).hosts(["localhost:8080"]);
///
/// let request = Request::get("/me").header("host", "localhost:8080");
/// let response = pages.oneshot(request.body(Full::<Bytes>::default())?).await?;
/// assert_eq!(response.headers()["location"], "/me/sign-in");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a service does nothing until it is called"]
pub struct OwnPages {
    pub(super) api: Api,
    pub(super) shared: Arc<Shared>,
}

#[derive(Clone)]
pub(super) struct Shared {
    pub(super) sessions: PageSessions,
    pub(super) hosts: Vec<String>,
    pub(super) path: String,
}

impl OwnPages {
    /// Calls `service`. Pass the same `sessions` again when the pages are made anew.
    pub fn new<S, B>(service: S, sessions: PageSessions) -> Self
    where
        S: Service<Request<Full<Bytes>>, Response = Response<B>, Error = Infallible>,
        S: Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        Self {
            api: Api::new(service),
            shared: Arc::new(Shared {
                sessions,
                hosts: Vec::new(),
                path: "/me".to_owned(),
            }),
        }
    }

    /// Sets the names of this server that a request can have as its `Host`, with the port if it is not
    /// the usual one. **Defaults to none: every request is refused.**
    pub fn hosts<N>(mut self, hosts: N) -> Self
    where
        N: IntoIterator<Item: Into<String>>,
    {
        self.shared_mut().hosts = hosts.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the path of the first page. Defaults to `/me`.
    ///
    /// # Panics
    ///
    /// Panics if it does not begin with `/`, or ends with one.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        let path = path.into();
        assert!(
            path.starts_with('/') && !path.ends_with('/'),
            "the path of the pages does not begin with a slash, or ends with one"
        );
        self.shared_mut().path = path;
        self
    }

    fn shared_mut(&mut self) -> &mut Shared {
        Arc::make_mut(&mut self.shared)
    }

    pub(super) fn below(&self, rest: &str) -> String {
        format!("{}{rest}", self.shared.path)
    }

    pub(super) fn anonymous(&self, form_token: String) -> Frame {
        Frame::own(&self.shared.path, form_token)
    }

    async fn respond<B>(self, request: Request<B>) -> Page
    where
        B: Body<Data: Send, Error: Into<BoxError>>,
    {
        let (head, body) = request.into_parts();
        if let Err(refusal) = self.check(&head) {
            observe::refused(&refusal, None);
            return problem(&refusal.into(), self.anonymous(String::new()));
        }
        let rest = head.uri.path().strip_prefix(&*self.shared.path);
        if rest.and_then(|rest| rest.strip_prefix('/')) == Some(&style::NAME) {
            return style::respond(&head.headers);
        }
        let rest = rest.unwrap_or("/");
        match Visit::of(&self, &head) {
            Ok(Some(visit)) => {
                let page = visit.respond(rest, &head, body).await;
                let page = page.unwrap_or_else(|failure| problem(&failure, visit.frame()));
                visit.remembered(page, &head)
            }
            Ok(None) => {
                let page = self.before_sign_in(rest, &head, body).await;
                let frame = self.anonymous(String::new());
                page.unwrap_or_else(|failure| problem(&failure, frame))
            }
            Err(failure) => problem(&failure, self.anonymous(String::new())),
        }
    }

    fn check(&self, head: &Parts) -> Result<(), Refusal> {
        check_host(head, &self.shared.hosts)?;
        match head.method {
            Method::GET | Method::HEAD => Ok(()),
            Method::POST => check_origin(head),
            _ => Err(Refusal::Method("GET, HEAD, POST")),
        }
    }

    /// Everything else than the sign-in needs one.
    async fn before_sign_in<B>(&self, rest: &str, head: &Parts, body: B) -> Result<Page, Failure>
    where
        B: Body<Data: Send, Error: Into<BoxError>>,
    {
        match (rest, head.method == Method::POST) {
            ("/sign-in", false) => sign_in::form(self, head),
            ("/sign-in", true) => sign_in::sign_in(self, head, body).await,
            (_, false) => Ok(see_other(&self.below("/sign-in"))),
            (_, true) => Err(Failure::signed_out()),
        }
    }
}

impl<B> Service<Request<B>> for OwnPages
where
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { Ok(protect(this.respond(request).await)) })
    }
}

impl fmt::Debug for OwnPages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnPages")
            .field("path", &self.shared.path)
            .field("hosts", &self.shared.hosts)
            .finish_non_exhaustive()
    }
}
