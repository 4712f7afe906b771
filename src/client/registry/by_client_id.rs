//! Requests that present a `client_id` and no secret.

use std::sync::Arc;

use hyper::Request;

use super::{Client, ClientAuthenticator, Clients, lookup::may_use};
use crate::{
    client::{AuthMethod, Credentials, Refusal},
    error::Error,
};

impl<L: Clients> ClientAuthenticator<L> {
    /// Authenticates a public client, or one that has a certificate.
    pub(super) async fn by_client_id(
        &self,
        request: &Request<Credentials>,
        client_id: &str,
    ) -> Result<Arc<Client>, Error> {
        let methods = [
            AuthMethod::None,
            AuthMethod::TlsClientAuth,
            AuthMethod::SelfSignedTlsClientAuth,
        ];
        let client = self.lookup(request, client_id, &methods).await?;
        let client = client.map_err(Error::refused)?;
        if client.is_public() && may_use(request, &client, AuthMethod::None) {
            return Ok(client);
        }
        #[cfg(feature = "mtls")]
        if self.certificates {
            return self.by_certificate(request, client).await;
        }
        Err(Error::refused(Refusal::MethodNotRegistered))
    }
}
