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
    Access, PageSessions, RecentRecords, observe,
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

/// The pages of operators: to find a subject, to revoke, to check a token, and to see the status.
///
/// It is a client of an [`AdminService`](super::super::super::AdminService), which decides what the
/// operator may do and records it. Mount that service at `/v1/`, and the pages at every other path of
/// the same origin. Any other path than theirs is a page that says 404.
///
/// An operator signs in with one of the tokens. **Serve the pages over HTTPS, or on this machine
/// under `localhost` or a loopback address**: a browser keeps the cookie of a session nowhere else.
///
/// ```
/// use http_body_util::Full;
/// use hyper::{Request, body::Bytes};
/// use tower::{BoxError, ServiceExt};
/// use tower_revocation::{
///     admin::{Access, AdminPages, AdminService, Operators, PageSessions, Tenants},
///     enforce::Index,
///     log::MemoryLog,
///     revoke::Administration,
///     test_util::TestIssuer,
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let log = MemoryLog::new();
/// let index = Index::follow(&log).await?;
/// let issuer = TestIssuer::new("https://issuer.test");
/// let tokens = issuer.tokens().tenant(issuer.issuer());
/// let tenants = Tenants::each_issuer([issuer.issuer()]);
/// let digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
/// let access = Access::operators(Operators::parse(&format!("helpdesk operator {digest}\n"))?);
///
/// let administration = Administration::new(log);
/// let service = AdminService::new(administration, index, tokens, tenants, access.clone());
/// let service = service.hosts(["127.0.0.1:9002"]);
/// let pages = AdminPages::new(service, access, PageSessions::new()?);
/// let pages = pages.hosts(["127.0.0.1:9002"]);
///
/// let request = Request::get("/").header("host", "127.0.0.1:9002");
/// let response = pages.oneshot(request.body(Full::<Bytes>::default())?).await?;
/// assert_eq!(response.headers()["location"], "/sign-in");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a service does nothing until it is called"]
pub struct AdminPages {
    pub(super) api: Api,
    pub(super) shared: Arc<Shared>,
}

#[derive(Clone)]
pub(super) struct Shared {
    pub(super) access: Access,
    pub(super) sessions: PageSessions,
    pub(super) hosts: Vec<String>,
    pub(super) issuers: Vec<String>,
    pub(super) recent: Option<RecentRecords>,
}

impl AdminPages {
    /// Calls `service`, for the operators of `access`: those who sign in with a token, and those whom a
    /// certificate or a proxy names, who need no sign-in.
    ///
    /// A session ends when its operator is not one of them any more, so pass the same `sessions` again
    /// after a reload.
    pub fn new<S, B>(service: S, access: Access, sessions: PageSessions) -> Self
    where
        S: Service<Request<Full<Bytes>>, Response = Response<B>, Error = Infallible>,
        S: Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        Self {
            api: Api::new(service),
            shared: Arc::new(Shared {
                access,
                sessions,
                hosts: Vec::new(),
                issuers: Vec::new(),
                recent: None,
            }),
        }
    }

    /// Sets the names of this server that a request can have as its `Host`, with the port, such as
    /// `127.0.0.1:9002`. **Defaults to none: every request is refused.**
    pub fn hosts<N>(mut self, hosts: N) -> Self
    where
        N: IntoIterator<Item: Into<String>>,
    {
        self.shared_mut().hosts = hosts.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the issuers from which an operator chooses. Defaults to none: with a single issuer there is
    /// nothing to choose.
    pub fn issuers<N>(mut self, issuers: N) -> Self
    where
        N: IntoIterator<Item: Into<String>>,
    {
        self.shared_mut().issuers = issuers.into_iter().map(Into::into).collect();
        self
    }

    /// Shows these counts on the page of the status. Defaults to none.
    pub fn recent(mut self, recent: RecentRecords) -> Self {
        self.shared_mut().recent = Some(recent);
        self
    }

    fn shared_mut(&mut self) -> &mut Shared {
        Arc::make_mut(&mut self.shared)
    }

    async fn respond<B>(self, request: Request<B>) -> Page
    where
        B: Body<Data: Send, Error: Into<BoxError>>,
    {
        let anonymous = || Frame::operator("", String::new());
        let (head, body) = request.into_parts();
        if let Err(refusal) = self.check(&head) {
            observe::refused(&refusal, None);
            return problem(&refusal.into(), anonymous());
        }
        let path = head.uri.path();
        if path.strip_prefix('/') == Some(&style::NAME) {
            return style::respond(&head.headers);
        }
        match Visit::of(&self, &head) {
            Ok(Some(visit)) => {
                let page = visit.respond(&head, body).await;
                let page = page.unwrap_or_else(|failure| problem(&failure, visit.frame("")));
                visit.remembered(page)
            }
            Ok(None) => {
                let page = self.before_sign_in(&head, body).await;
                page.unwrap_or_else(|failure| problem(&failure, anonymous()))
            }
            Err(failure) => problem(&failure, anonymous()),
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
    async fn before_sign_in<B>(&self, head: &Parts, body: B) -> Result<Page, Failure>
    where
        B: Body<Data: Send, Error: Into<BoxError>>,
    {
        match (head.uri.path(), head.method == Method::POST) {
            ("/sign-in", false) => sign_in::form(self, &head.headers),
            ("/sign-in", true) => sign_in::sign_in(self, head, body).await,
            (_, false) => Ok(see_other("/sign-in")),
            (_, true) => Err(Failure::signed_out()),
        }
    }
}

impl<B> Service<Request<B>> for AdminPages
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

impl fmt::Debug for AdminPages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminPages")
            .field("access", &self.shared.access)
            .field("hosts", &self.shared.hosts)
            .finish_non_exhaustive()
    }
}
