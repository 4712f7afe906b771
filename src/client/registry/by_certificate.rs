//! Verifies client certificates (RFC 8705 §2).

use std::sync::Arc;

use hyper::Request;

use super::{Client, ClientAuthenticator, Clients, lookup::may_use};
use crate::{
    client::{
        AuthMethod, Credentials, Refusal,
        certificate::{ClientCertificate, registered},
        key_errors::{key_fetch_failed, undecided},
    },
    error::Error,
    jose::Keys,
};

impl<L: Clients> ClientAuthenticator<L> {
    pub(super) async fn by_certificate(
        &self,
        request: &Request<Credentials>,
        client: Arc<Client>,
    ) -> Result<Arc<Client>, Error> {
        let certificate = request.extensions().get::<ClientCertificate>();
        let certificate = certificate.ok_or_else(|| Error::refused(Refusal::NoCertificate))?;

        let by_authority = may_use(request, &client, AuthMethod::TlsClientAuth);
        let by_key = may_use(request, &client, AuthMethod::SelfSignedTlsClientAuth);
        let named = by_authority
            && client
                .certificate_subject()
                .is_some_and(|subject| subject.matches(certificate));
        if named && certificate.is_verified()
            || by_key && self.is_registered(&client, certificate).await?
        {
            Ok(client)
        } else if named {
            Err(Error::refused(Refusal::UntrustedCertificate))
        } else {
            Err(Error::refused(Refusal::WrongCertificate))
        }
    }

    async fn is_registered(
        &self,
        client: &Client,
        certificate: &ClientCertificate,
    ) -> Result<bool, Error> {
        match client.keys() {
            Some(Keys::Set(keys)) => Ok(registered(certificate, keys)),
            Some(Keys::Remote(place)) => {
                let served = self.remote_keys.get(place, None).await;
                let served = served.map_err(key_fetch_failed)?;
                let is_registered = registered(certificate, &served.keys);
                match served.refresh_error_for(None) {
                    Some(error) if !is_registered => Err(undecided(error.clone())),
                    _ => Ok(is_registered),
                }
            }
            None => Ok(false),
        }
    }
}
