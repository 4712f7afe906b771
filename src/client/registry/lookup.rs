//! Looks up a client, and checks that it may use the method.

use std::sync::Arc;

use hyper::Request;

use super::{Client, ClientAuthenticator, Clients};
use crate::{
    client::{AcceptedMethods, AuthMethod, Credentials, Refusal},
    error::Error,
};

impl<L: Clients> ClientAuthenticator<L> {
    /// The client of this identifier, if it may use one of these methods here; else why not, to be
    /// told only when everything has been done that would have been done for it.
    pub(super) async fn lookup(
        &self,
        request: &Request<Credentials>,
        client_id: &str,
        methods: &[AuthMethod],
    ) -> Result<Result<Arc<Client>, Refusal>, Error> {
        let client = self.clients.client(client_id).await;
        let client = client
            .map_err(Error::from_service)?
            // A database may have found it without regard to case.
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

/// Whether the client may use this method here. Credentials do not always tell which method they are
/// of, so the endpoint says which ones it accepts.
pub(super) fn may_use(request: &Request<Credentials>, client: &Client, method: AuthMethod) -> bool {
    let accepted = request.extensions().get::<AcceptedMethods>();
    client.admits(method) && accepted.is_none_or(|accepted| accepted.contains(method))
}
