//! Is this the client's certificate (RFC 8705 §2)?

use std::sync::Arc;

use hyper::Request;

use super::{Client, ClientAuthenticator, Clients, candidate::may};
use crate::{
    client::{
        AuthMethod, Credentials, Refusal,
        assertion::without_keys,
        certificate::{ClientCertificate, registered},
    },
    endpoint::Error,
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

        let by_authority = may(request, &client, AuthMethod::TlsClientAuth);
        let by_key = may(request, &client, AuthMethod::SelfSignedTlsClientAuth);
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
            Some(Keys::Uri(uri)) => {
                let keys = self.remote_keys.keys(uri, None).await;
                Ok(registered(certificate, &keys.map_err(without_keys)?))
            }
            None => Ok(false),
        }
    }
}

/// Whether a request that was sorted by its other credentials shows a certificate too, where the
/// client is registered for nothing else (RFC 6749 §2.3).
///
/// To every other client a certificate on the connection may mean something else, such as that its
/// tokens are bound to it (RFC 8705 §3).
pub(super) fn is_second_method(client: &Client, request: &Request<Credentials>) -> bool {
    let of_certificates = |method: &AuthMethod| {
        matches!(
            method,
            AuthMethod::TlsClientAuth | AuthMethod::SelfSignedTlsClientAuth
        )
    };
    let by_name = matches!(request.body(), Credentials::ClientId { .. });
    !by_name
        && request.extensions().get::<ClientCertificate>().is_some()
        && client
            .token_endpoint_auth_methods()
            .iter()
            .all(of_certificates)
}
