//! Calls without credentials of a client.

use std::{
    future::{Ready, ready},
    task::{Context, Poll},
};

use hyper::{Request, header::AUTHORIZATION};
use tower::{BoxError, Service};

use super::{Call, Parameters, ProfileRequest};
use crate::{client::Credentials, error::Error, revoke::RevocationOptions};

/// The client that whoever has a token is taken for.
const HOLDER: &str = "holder of the token";

/// The authenticator for an endpoint whose profile has no client authentication, such as
/// [`Salesforce`](super::Salesforce): whoever has a token may revoke it.
///
/// **Only for an endpoint that nothing but such a profile can reach**: mount no
/// [`RevocationLayer`](crate::RevocationLayer) with it. Behind another profile, or without one, it
/// authenticates nobody who has a token: the token belongs to another client.
///
/// ```
/// use tower_revocation::{
///     RevocationLayer, Secret,
///     introspect::Introspection,
///     log::MemoryLog,
///     profiles::{Possession, ProfileLayer, Salesforce},
///     revoke::RecordRevocation,
/// };
///
/// # let introspect = tower::service_fn(async |_: Secret| Ok::<_, tower::BoxError>(None::<Introspection>));
/// let backend = RecordRevocation::new(introspect, MemoryLog::new()).responsible_for_all_tokens(true);
/// let endpoint = RevocationLayer::new("/", Possession, backend).into_endpoint();
/// let layer = ProfileLayer::new("/services/oauth2/revoke", Salesforce::new(), endpoint);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Possession;

impl Service<Request<Credentials>> for Possession {
    type Response = Option<&'static str>;
    type Error = BoxError;
    type Future = Ready<Result<Option<&'static str>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Credentials>) -> Self::Future {
        let is_holder = matches!(
            request.body(),
            Credentials::ClientId { client_id } if client_id == HOLDER
        );
        ready(Ok(is_holder.then_some(HOLDER)))
    }
}

/// The call to revoke a token of any client, and what falls with it. Credentials in the request are
/// ignored.
pub(super) fn revoke(
    mut request: ProfileRequest,
    parameters: &Parameters,
    options: RevocationOptions,
) -> Result<Call, Error> {
    request.head.headers.remove(AUTHORIZATION);
    let mut by_holder = Parameters::default();
    if let Some(token) = parameters.value("token")? {
        by_holder.insert("token", token.clone())?;
    }
    by_holder.insert("client_id", HOLDER)?;
    let options = options.by_possession(true);
    Ok(request.revoke(by_holder).options(options))
}
