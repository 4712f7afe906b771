//! The service of administrative requests.

use std::{
    convert::Infallible,
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Body,
    header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS},
    http::request::Parts,
};
use serde::Serialize;
use serde_json::{Map, Value};
use tower::{BoxError, Service, ServiceExt as _};

use super::{
    Access, Caller, InspectionOrder, Receipt, RevocationOrder, Role, Tenants, inspect, observe,
    problem::Refusal,
    request,
    revoke::{self, Ordered},
    status,
};
use crate::{
    enforce::Index,
    error::Error,
    introspect::Introspected,
    log::RevocationLog,
    revoke::{AdminRequest, Administration},
    token::Secret,
};

/// How long to wait before the next attempt, in seconds, if nothing else says.
const RETRY_AFTER: u64 = 5;

/// Carries out the orders of operators: see [the module](super).
///
/// Every path is one of its own, **byte for byte**; another one is 404. The body type of requests is
/// any, and at most 64 KiB of a body are read, within 10 s.
///
/// ```
/// use http_body_util::{BodyExt, Full};
/// use hyper::{Request, body::Bytes};
/// use tower::{BoxError, ServiceExt};
/// use tower_revocation::{
///     admin::{Access, AdminService, Receipt, Tenants},
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
/// // On a Unix socket.
/// let access = Access::owner("root");
/// let service = AdminService::new(Administration::new(log), index, tokens, tenants, access);
///
/// let order = r#"{"target":{"subject":"alice"},"reason":"laptop stolen"}"#;
/// let request = Request::post("/v1/revocations")
///     .header("content-type", "application/json")
///     .body(Full::<Bytes>::from(order))?;
/// let response = service.oneshot(request).await?;
/// assert_eq!(response.status(), 201);
/// let body = response.into_body().collect().await?.to_bytes();
/// assert_eq!(serde_json::from_slice::<Receipt>(&body)?.class, "subject");
/// # Ok(())
/// # }
/// ```
#[must_use = "a service does nothing until it is called"]
pub struct AdminService<L, I> {
    shared: Arc<Shared<L>>,
    introspect: I,
}

#[derive(Clone)]
struct Shared<L> {
    administration: Administration<L>,
    index: Index,
    access: Access,
    tenants: Tenants,
    hosts: Vec<String>,
    details: Option<Details>,
}

type Details = Arc<dyn Fn() -> Map<String, Value> + Send + Sync>;

impl<L, I> AdminService<L, I> {
    /// Revokes by `administration`, checks by `index`, and introspects tokens by `introspect`.
    ///
    /// `tenants` are those that `introspect` sets. **With others, a record about a subject would
    /// cover no token.** An order about a token whose tenant is not one of them is 422.
    pub fn new(
        administration: Administration<L>,
        index: Index,
        introspect: I,
        tenants: Tenants,
        access: Access,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                administration,
                index,
                access,
                tenants,
                hosts: Vec::new(),
                details: None,
            }),
            introspect,
        }
    }
}

impl<L: Clone, I> AdminService<L, I> {
    /// Sets the names of this server that a request over the network can have as its `Host`, with
    /// the port, such as `127.0.0.1:9002`. **Defaults to none: every request is refused.** Not used
    /// with [`Access::owner`].
    pub fn hosts<N>(mut self, hosts: N) -> Self
    where
        N: IntoIterator<Item: Into<String>>,
    {
        self.shared_mut().hosts = hosts.into_iter().map(Into::into).collect();
        self
    }

    /// Adds these members to the status, as [`Status::details`](super::Status::details). **Put no
    /// secret into them.**
    pub fn details<F>(mut self, details: F) -> Self
    where
        F: Fn() -> Map<String, Value> + Send + Sync + 'static,
    {
        self.shared_mut().details = Some(Arc::new(details));
        self
    }

    fn shared_mut(&mut self) -> &mut Shared<L> {
        Arc::make_mut(&mut self.shared)
    }
}

impl<L, I, B> Service<Request<B>> for AdminService<L, I>
where
    L: RevocationLog + Clone + Send + Sync + 'static,
    I: Service<Secret, Response: Into<Introspected>> + Clone + Send + 'static,
    I::Error: Into<BoxError>,
    I::Future: Send,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (shared, introspect) = (self.shared.clone(), self.introspect.clone());
        Box::pin(async move {
            let response = shared.respond(introspect, request).await;
            Ok(response.unwrap_or_else(|refusal| refusal.response()))
        })
    }
}

impl<L: RevocationLog + Clone + Send + Sync + 'static> Shared<L> {
    async fn respond<I, B>(
        &self,
        introspect: I,
        request: Request<B>,
    ) -> Result<Response<Full<Bytes>>, Refusal>
    where
        I: Service<Secret, Response: Into<Introspected>> + Clone,
        I::Error: Into<BoxError>,
        B: Body<Data: Send, Error: Into<BoxError>>,
    {
        let hosts = self.access.is_remote().then_some(&*self.hosts);
        let checked = request::check_origin(&request, hosts);
        let caller = checked.and_then(|()| self.access.caller(request.headers()));
        let caller = caller.inspect_err(|refusal| observe::refused(refusal, None))?;
        let (head, body) = request.into_parts();
        let response = match (head.uri.path(), &head.method) {
            ("/v1/revocations", &Method::POST) => {
                self.revoke(introspect, &caller, &head, body).await
            }
            ("/v1/tokens:inspect", &Method::POST) => {
                self.inspect(introspect, &caller, &head, body).await
            }
            ("/v1/status", &Method::GET) => self.status(&caller, &head),
            ("/v1/revocations" | "/v1/tokens:inspect", _) => Err(Refusal::Method("POST")),
            ("/v1/status", _) => Err(Refusal::Method("GET")),
            _ => Err(Refusal::NotFound),
        };
        response.inspect_err(|refusal| observe::refused(refusal, Some(caller.name())))
    }

    async fn revoke<I, B>(
        &self,
        introspect: I,
        caller: &Caller,
        head: &Parts,
        body: B,
    ) -> Result<Response<Full<Bytes>>, Refusal>
    where
        I: Service<Secret, Response: Into<Introspected>> + Clone,
        I::Error: Into<BoxError>,
        B: Body<Data: Send, Error: Into<BoxError>>,
    {
        let is_dry_run = request::is_dry_run(head.uri.query())?;
        let order: RevocationOrder = request::document(&head.headers, body).await?;
        let mut linked = None;
        let requests = match revoke::target(&order, &self.tenants)? {
            Ordered::Target(target) => {
                vec![revoke::named(&order, target, &self.tenants, caller)?]
            }
            Ordered::Token(secret) => {
                // Whether a token is genuine is not for viewers.
                caller.needs(Role::Operator)?;
                let token = introspected(introspect.clone(), secret.clone()).await?;
                let token = token.into_token().ok_or(revoke::FOREIGN_TOKEN)?;
                let requests = revoke::of_token(&order, &token, &self.tenants, caller)?;
                linked = token.issued_with.clone().map(|with| (secret, with));
                requests
            }
        };
        if is_dry_run {
            let dry_run = revoke::dry_run(&requests, &self.index, caller);
            let dry_run = dry_run.ok_or(Refusal::Unprocessable(UNNAMED))?;
            return Ok(json(StatusCode::OK, &dry_run));
        }
        for request in &requests {
            caller.needs(revoke::role(&request.target))?;
        }
        let receipt = self.carry_out(requests).await?;
        let mut receipt = receipt.ok_or(Refusal::Unprocessable(UNNAMED))?;
        if let Some((secret, with)) = linked {
            // Another token may have been issued before the records. From now on there is none.
            let again = introspected(introspect, secret).await?.into_token();
            let again = again.ok_or(Refusal::Unprocessable(UNNAMED))?;
            if again.issued_with.as_ref() != Some(&with) {
                let requests = revoke::of_token(&order, &again, &self.tenants, caller)?;
                let later = self.carry_out(requests).await?;
                if let Some(later) = later {
                    receipt = receipt.until(&later);
                }
            }
        }
        Ok(json(StatusCode::CREATED, &receipt))
    }

    /// The receipt is about the first of the requests, and the position about the last.
    async fn carry_out(&self, requests: Vec<AdminRequest>) -> Result<Option<Receipt>, Refusal> {
        let mut receipt: Option<Receipt> = None;
        for request in requests {
            let class = request.selector().class();
            let response = self.administration.clone().oneshot(request).await;
            let response = response.map_err(|error| unavailable(&error))?;
            let next = revoke::receipt(class, &response);
            receipt = Some(match receipt {
                Some(first) => first.until(&next),
                None => next,
            });
        }
        Ok(receipt)
    }

    async fn inspect<I, B>(
        &self,
        introspect: I,
        caller: &Caller,
        head: &Parts,
        body: B,
    ) -> Result<Response<Full<Bytes>>, Refusal>
    where
        I: Service<Secret, Response: Into<Introspected>>,
        I::Error: Into<BoxError>,
        B: Body<Data: Send, Error: Into<BoxError>>,
    {
        caller.needs(Role::Operator)?;
        no_query(head)?;
        let InspectionOrder { token } = request::document(&head.headers, body).await?;
        let introspected = introspected(introspect, token).await?;
        let inspection = inspect::inspection(&introspected, &self.index);
        observe::inspected(caller.name(), &inspection.verdict);
        Ok(json(StatusCode::OK, &inspection))
    }

    fn status(&self, caller: &Caller, head: &Parts) -> Result<Response<Full<Bytes>>, Refusal> {
        caller.needs(Role::Viewer)?;
        no_query(head)?;
        let details = self.details.as_ref().map(|details| details());
        let health = self.administration.log().health();
        let status = status::status(&health, &self.index, details.unwrap_or_default());
        Ok(json(StatusCode::OK, &status))
    }
}

const UNNAMED: &str = "no record can name the token alone";

async fn introspected<I>(introspect: I, token: Secret) -> Result<Introspected, Refusal>
where
    I: Service<Secret, Response: Into<Introspected>>,
    I::Error: Into<BoxError>,
{
    let introspected = introspect.oneshot(token).await;
    let introspected = introspected.map_err(|error| unavailable(&*error.into()))?;
    Ok(introspected.into())
}

fn no_query(head: &Parts) -> Result<(), Refusal> {
    match head.uri.query() {
        None | Some("") => Ok(()),
        Some(_) => Err(Refusal::BadRequest("the resource has no parameters")),
    }
}

fn unavailable(error: &(dyn std::error::Error + 'static)) -> Refusal {
    let delay = Error::in_chain(error).and_then(Error::retry_delay);
    Refusal::Unavailable(delay.map_or(RETRY_AFTER, |delay| delay.as_secs().max(1)))
}

fn json(status: StatusCode, document: &impl Serialize) -> Response<Full<Bytes>> {
    let Ok(body) = serde_json::to_vec(document) else {
        return Refusal::Unavailable(RETRY_AFTER).response();
    };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    protect(response)
}

/// No cache keeps the response, and no browser guesses what it is.
pub(super) fn protect(mut response: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

impl<L, I: Clone> Clone for AdminService<L, I> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            introspect: self.introspect.clone(),
        }
    }
}

impl<L, I> fmt::Debug for AdminService<L, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminService")
            .field("access", &self.shared.access)
            .field("tenants", &self.shared.tenants)
            .field("hosts", &self.shared.hosts)
            .finish_non_exhaustive()
    }
}
