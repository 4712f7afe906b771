//! Orders of clients about their own tokens, without a token in hand.

use std::{
    fmt,
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use hyper::Request;
use tower::{BoxError, Service, ServiceExt as _, util::BoxCloneSyncService};

use crate::{
    client::{Credentials, Identified, Refusal},
    error::Error,
    log::{NumericDate, RevocationLog},
    revoke::{AdminRequest, AdminResponse, Administration, Target},
    token::Outcome,
};

/// Carries out a [`ClientOrder`]: authenticates the client, and revokes tokens that it holds.
///
/// `authenticator` is that of the endpoint. The tokens are those of the authenticated client, so no
/// order can reach the tokens of another one. A `client_id` without a secret or an assertion is not
/// enough: everybody knows it, and could end the sessions of all users.
///
/// ```
/// use tower_revocation::{
///     client::registry::{ClientAuthenticator, Registry},
///     log::MemoryLog,
///     profiles::{ClientOrders, Square},
///     revoke::Administration,
/// };
///
/// let clients = ClientAuthenticator::new(Registry::default());
/// let administration = Administration::new(MemoryLog::new());
/// let profile = Square::new().orders(ClientOrders::new(clients, administration));
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is revoked until an order is sent"]
pub struct ClientOrders<A, L> {
    authenticator: A,
    administration: Administration<L>,
}

impl<A, L> ClientOrders<A, L> {
    /// Makes a service that revokes by `administration`.
    pub fn new(authenticator: A, administration: Administration<L>) -> Self {
        Self {
            authenticator,
            administration,
        }
    }
}

/// An order of a client about the tokens that it holds.
#[derive(Debug)]
#[non_exhaustive]
pub struct ClientOrder {
    /// The credentials of the client.
    pub credentials: Request<Credentials>,
    /// Whose tokens. `None` for those of every subject.
    pub subject: Option<String>,
    /// The tenant of the names, if one log serves several issuers.
    pub tenant: Option<String>,
    /// Revokes only tokens that were issued before the end of this second. `None` for now.
    pub before: Option<NumericDate>,
}

impl ClientOrder {
    /// An order about all tokens that the client holds until now.
    #[must_use]
    pub fn new(credentials: Request<Credentials>) -> Self {
        Self {
            credentials,
            subject: None,
            tenant: None,
            before: None,
        }
    }
}

impl<A, L, C> Service<ClientOrder> for ClientOrders<A, L>
where
    A: Service<Request<Credentials>, Response = Option<C>> + Clone + Send + 'static,
    A::Error: Into<BoxError>,
    A::Future: Send,
    C: Identified + Send,
    L: RevocationLog + Clone + Send + Sync + 'static,
{
    /// `None` if the client was not authenticated.
    type Response = Option<AdminResponse>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Option<AdminResponse>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, order: ClientOrder) -> Self::Future {
        let Self {
            authenticator,
            administration,
        } = self.clone();
        Box::pin(async move {
            let ClientOrder {
                credentials,
                subject,
                tenant,
                before,
            } = order;
            if matches!(credentials.body(), Credentials::ClientId { .. }) {
                return Ok(None);
            }
            let client = authenticator.oneshot(credentials).await;
            let Some(client) = client.map_err(Into::into)? else {
                return Ok(None);
            };
            let client_id = client.client_id().to_owned();
            let actor = client_id.clone();
            let target = match subject {
                Some(subject) => Target::SubjectAndClient { subject, client_id },
                None => Target::Client(client_id),
            };
            let mut request = AdminRequest::new(target).actor(actor);
            request.tenant = tenant;
            request.before = before;
            Ok(Some(administration.oneshot(request).await?))
        })
    }
}

/// A [`ClientOrders`] of any type, for profiles.
#[derive(Clone)]
pub(super) struct AnyClientOrders(
    BoxCloneSyncService<ClientOrder, Option<AdminResponse>, BoxError>,
);

impl AnyClientOrders {
    pub(super) fn new<S>(service: S) -> Self
    where
        S: Service<ClientOrder, Response = Option<AdminResponse>, Error = BoxError>,
        S: Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        Self(BoxCloneSyncService::new(service))
    }

    /// Carries out an order.
    ///
    /// # Errors
    ///
    /// `invalid_client` if the client was not authenticated.
    pub(super) async fn send(&self, order: ClientOrder) -> Result<Outcome, Error> {
        let response = self.0.clone().oneshot(order).await;
        match response.map_err(Error::from_service)? {
            Some(_) => Ok(Outcome::Revoked),
            None => Err(Error::refused(Refusal::Unspecified)),
        }
    }
}

impl fmt::Debug for AnyClientOrders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientOrders")
    }
}
