//! The service of administrative requests.

use std::{
    convert::Infallible,
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use hyper::{Request, Response, body::Body};
use serde_json::{Map, Value};
use tower::{BoxError, Service};

use super::{
    Access, AdminBody, Tenants, Trail, pace::Pace, problem::Refusal, response::RETRY_AFTER,
};
use crate::{
    enforce::Index,
    introspect::Introspected,
    log::RevocationLog,
    revoke::{Administration, Handles},
    token::Secret,
};

/// Carries out the orders of operators: see [the module](super).
///
/// Every path is one of its own, **byte for byte**; another one is 404. The body type of requests is
/// any, and at most 64 KiB of a body are read, within 10 s. Of a bulk order, 1 MiB are read.
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
pub(super) struct Shared<L> {
    pub(super) administration: Administration<L>,
    pub(super) index: Index,
    pub(super) access: Access,
    pub(super) tenants: Tenants,
    pub(super) hosts: Vec<String>,
    pub(super) pace: Pace,
    pub(super) details: Option<Details>,
    pub(super) tells_causes: bool,
    pub(super) trail: Option<Trail>,
    pub(super) handles: Option<Handles>,
    #[cfg(feature = "sightings")]
    pub(super) seen: Option<super::sightings::Seen>,
}

pub(super) type Details = Arc<dyn Fn() -> Map<String, Value> + Send + Sync>;

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
                pace: Pace::default(),
                details: None,
                tells_causes: false,
                trail: None,
                handles: None,
                #[cfg(feature = "sightings")]
                seen: None,
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

    /// Limits how many requests each caller can send in a minute. Beyond it, a request is 429 with
    /// `Retry-After`. Defaults to 6000.
    ///
    /// # Panics
    ///
    /// Panics if it is zero.
    pub fn requests_per_minute(mut self, requests: u32) -> Self {
        assert!(requests > 0, "no request is allowed");
        self.shared_mut().pace = Pace::new(requests);
        self
    }

    /// Keeps every order in this trail, and serves it. Defaults to none: no order is kept.
    pub fn trail(mut self, trail: Trail) -> Self {
        self.shared_mut().trail = Some(trail);
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

    /// Lists these sightings at `GET /v1/sightings`, counts them in dry runs, and takes orders about
    /// `handles`. Defaults to none: the resource is 404.
    #[cfg(feature = "sightings")]
    #[cfg_attr(docsrs, doc(cfg(feature = "sightings")))]
    pub fn sightings(mut self, sightings: crate::sightings::Sightings, handles: Handles) -> Self {
        let shared = self.shared_mut();
        shared.seen = Some(super::sightings::Seen::new(sightings));
        shared.handles = Some(handles);
        self
    }

    /// Whether an inspection that fails says why, for those who repair it. Defaults to `false`.
    ///
    /// **The cause is that of your introspection: it must not have secrets, and those who have access learn
    /// of the servers behind this one.**
    pub fn tell_causes(mut self, tells: bool) -> Self {
        self.shared_mut().tells_causes = tells;
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
    type Response = Response<AdminBody>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (shared, introspect) = (self.shared.clone(), self.introspect.clone());
        Box::pin(async move {
            // An order has an end and is written down also if the caller goes away.
            let responding = async move { shared.respond(introspect, request).await };
            let response = match tokio::spawn(responding).await {
                Ok(response) => response,
                Err(_) => Err(Refusal::Unavailable(RETRY_AFTER)),
            };
            Ok(response.unwrap_or_else(|refusal| refusal.response()))
        })
    }
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
            .field("trail", &self.shared.trail)
            .finish_non_exhaustive()
    }
}
