//! Looks up a client, and checks that it may use the method.

use std::sync::Arc;

use hyper::Request;

use super::{Client, ClientAuthenticator, Clients};
use crate::{
    client::{AcceptedMethods, AuthMethod, Credentials, Refusal},
    error::Error,
};

impl<L: Clients> ClientAuthenticator<L> {
    /// Returns the client with this identifier if it may use one of these methods here.
    ///
    /// The inner error is the reason to refuse. Report it only after all the work that a registered
    /// client would have cost.
    pub(super) async fn lookup(
        &self,
        request: &Request<Credentials>,
        client_id: &str,
        methods: &[AuthMethod],
    ) -> Result<Result<Arc<Client>, Refusal>, Error> {
        let client = self.clients.client(client_id).await;
        let client = client
            .map_err(Error::from_service)?
            // A database may ignore case.
            .filter(|client| client.client_id() == client_id && !client.disabled());
        let Some(client) = client else {
            return Ok(Err(Refusal::UnknownClient));
        };
        if methods
            .iter()
            .any(|method| may_use(request, &client, *method))
        {
            Ok(Ok(client))
        } else {
            Ok(Err(Refusal::MethodNotRegistered))
        }
    }
}

/// Whether the client may use this method at this endpoint. Credentials do not always show their
/// method, so the endpoint states which methods it accepts.
pub(super) fn may_use(request: &Request<Credentials>, client: &Client, method: AuthMethod) -> bool {
    let accepted = AcceptedMethods::of(request.extensions());
    client.admits(method) && accepted.contains(method)
}
