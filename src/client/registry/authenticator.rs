//! Authenticates registered clients.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use hyper::Request;
use tower::Service;

use super::{Client, Clients};
#[cfg(feature = "jwt")]
use crate::client::assertion::Assertions;
#[cfg(feature = "attestation")]
use crate::client::attestation::Attestations;
#[cfg(feature = "mtls")]
use crate::client::certificate::MalformedCertificate;
#[cfg(feature = "password-hashes")]
use crate::client::password::Passwords;
#[cfg(feature = "jwt")]
use crate::jose::RemoteKeys;
use crate::{
    client::{Credentials, Refusal, secret::Key},
    error::Error,
};

/// Authenticates registered clients.
///
/// It always verifies `client_secret_basic`, `client_secret_post` and `none`. Configure the other
/// methods, each of which has its own feature:
///
/// * `assertions`: `private_key_jwt` and `client_secret_jwt`;
/// * `certificates`: `tls_client_auth` and `self_signed_tls_client_auth`;
/// * `attestations`: `attest_jwt_client_auth`;
/// * `passwords`: secrets that people chose.
///
/// Every failure gives the peer the same response and costs the same work, so that a peer cannot
/// find out whether a client exists, is disabled, or has an expired secret. The error contains the
/// reason, for the log.
///
/// ```
/// use hyper::Request;
/// use tower_revocation::client::{Basic, Credentials, registry::{ClientAuthenticator, Registry}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clients = Registry::from_json(
///     r#"{ "client_id": "s6BhdRkqt3", "client_secret": "gX1fBat3bV" }"#,
/// )?;
/// let authenticator = ClientAuthenticator::new(clients);
///
/// let basic = Basic::new("s6BhdRkqt3:gX1fBat3bV").ok_or("no colon")?;
/// let client = authenticator.authenticate(&Request::new(Credentials::Basic(basic))).await?;
/// assert_eq!(client.client_id(), "s6BhdRkqt3");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ClientAuthenticator<L> {
    pub(super) clients: L,
    pub(super) hmac_key: Option<Key>,
    #[cfg(feature = "password-hashes")]
    pub(super) passwords: Option<Passwords>,
    #[cfg(feature = "jwt")]
    pub(super) assertions: Option<Arc<Assertions>>,
    #[cfg(feature = "jwt")]
    pub(super) remote_keys: RemoteKeys,
    #[cfg(feature = "mtls")]
    pub(super) certificates: bool,
    #[cfg(feature = "attestation")]
    pub(super) attestations: Option<Arc<Attestations>>,
}

impl<L> ClientAuthenticator<L> {
    /// Authenticates the clients in `clients`: a [`Registry`](super::Registry), or your database.
    ///
    /// As a `tower::Service`, it clones `clients` for every request. If a clone is not cheap, use
    /// an `Arc`.
    #[must_use]
    pub fn new(clients: L) -> Self {
        Self {
            clients,
            hmac_key: None,
            #[cfg(feature = "password-hashes")]
            passwords: None,
            #[cfg(feature = "jwt")]
            assertions: None,
            #[cfg(feature = "jwt")]
            remote_keys: RemoteKeys::new(),
            #[cfg(feature = "mtls")]
            certificates: false,
            #[cfg(feature = "attestation")]
            attestations: None,
        }
    }

    /// Sets the key of the secrets that are registered as HMAC-SHA-256.
    ///
    /// # Panics
    ///
    /// Panics if the key is empty, because the setting was probably forgotten.
    #[must_use]
    pub fn hmac_key(mut self, key: impl AsRef<[u8]>) -> Self {
        self.hmac_key = Some(Key::new(key.as_ref()));
        self
    }

    /// Verifies secrets that are registered as password hashes.
    ///
    /// If any client has such a hash, every wrong secret costs the work of one password, so that
    /// a peer cannot find out which clients have one. A secret that matches a digest costs no such
    /// work.
    #[cfg(feature = "password-hashes")]
    #[cfg_attr(docsrs, doc(cfg(feature = "password-hashes")))]
    #[must_use]
    pub fn passwords(mut self, passwords: Passwords) -> Self {
        self.passwords = Some(passwords);
        self
    }

    /// Verifies `private_key_jwt` and `client_secret_jwt`.
    ///
    /// # Panics
    ///
    /// Panics if attestations are configured for another issuer. A server has one issuer.
    #[cfg(feature = "jwt")]
    #[cfg_attr(docsrs, doc(cfg(feature = "jwt")))]
    #[must_use]
    pub fn assertions(mut self, assertions: Assertions) -> Self {
        self.assertions = Some(Arc::new(assertions));
        #[cfg(feature = "attestation")]
        self.assert_one_issuer();
        self
    }

    /// Sets how keys are fetched from the `jwks_uri`s of clients.
    #[cfg(feature = "jwt")]
    #[cfg_attr(docsrs, doc(cfg(feature = "jwt")))]
    #[must_use]
    pub fn remote_keys(mut self, remote: RemoteKeys) -> Self {
        self.remote_keys = remote;
        self
    }

    /// Verifies `tls_client_auth` and `self_signed_tls_client_auth`, for requests that have a
    /// [`ClientCertificate`](crate::client::certificate::ClientCertificate) in their extensions.
    ///
    /// The code that accepts connections inserts the certificate, or, behind a proxy, a
    /// [`CertificateFieldsLayer`](crate::client::certificate::CertificateFieldsLayer).
    ///
    /// A certificate counts only if the request has no other credentials. Beside a secret or an
    /// assertion it is ignored, even for a client that is registered for certificates: a different
    /// response would reveal which clients these are.
    #[cfg(feature = "mtls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "mtls")))]
    #[must_use]
    pub fn certificates(mut self) -> Self {
        self.certificates = true;
        self
    }

    /// Verifies `attest_jwt_client_auth`.
    ///
    /// # Panics
    ///
    /// Panics if assertions are configured for another issuer. A server has one issuer.
    #[cfg(feature = "attestation")]
    #[cfg_attr(docsrs, doc(cfg(feature = "attestation")))]
    #[must_use]
    pub fn attestations(mut self, attestations: Attestations) -> Self {
        self.attestations = Some(Arc::new(attestations));
        self.assert_one_issuer();
        self
    }

    #[cfg(feature = "attestation")]
    fn assert_one_issuer(&self) {
        if let (Some(assertions), Some(attestations)) = (&self.assertions, &self.attestations) {
            assert_eq!(
                assertions.issuer(),
                attestations.issuer(),
                "assertions and attestations have different issuers"
            );
        }
    }
}

impl<L: Clients> ClientAuthenticator<L> {
    /// Returns the client that the credentials belong to. Expiry is checked at the time of the
    /// call.
    ///
    /// The `tower::Service` does exactly this. A token endpoint or an introspection endpoint can
    /// call it too, with the result of [`Credentials::from_request`].
    ///
    /// # Errors
    ///
    /// [`InvalidClient`](crate::ErrorKind::InvalidClient), with the [`Refusal`], if the credentials
    /// are wrong. [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if a certificate cannot be
    /// read. [`Unavailable`](crate::ErrorKind::Unavailable) if the result is unknown: the lookup
    /// failed, a key is not configured or could not be fetched, or there is too much work.
    pub async fn authenticate(&self, request: &Request<Credentials>) -> Result<Arc<Client>, Error> {
        #[cfg(feature = "mtls")]
        if let Some(malformed) = request.extensions().get::<MalformedCertificate>() {
            return Err(
                Error::invalid_request("The client certificate cannot be read")
                    .caused_by(*malformed),
            );
        }
        match request.body() {
            Credentials::Basic(basic) => self.by_basic(request, basic).await,
            Credentials::Post {
                client_id,
                client_secret,
            } => self.by_post(request, client_id, client_secret).await,
            Credentials::ClientId { client_id } => self.by_client_id(request, client_id).await,
            #[cfg(feature = "jwt")]
            Credentials::Assertion {
                client_id,
                client_assertion_type,
                client_assertion,
            } => {
                let assertions = self.assertions.as_ref().ok_or_else(not_offered)?;
                let claimed = assertions.read(client_assertion_type, client_assertion)?;
                claimed.is_of(client_id.as_deref())?;
                let client = self
                    .lookup(request, claimed.subject(), &[claimed.method()])
                    .await?;
                assertions.verify(&claimed, client, &self.remote_keys).await
            }
            #[cfg(feature = "attestation")]
            Credentials::Attestation { client_id } => {
                let attestations = self.attestations.as_ref().ok_or_else(not_offered)?;
                let claimed = attestations.read(request.headers(), client_id.as_deref())?;
                let methods = [crate::client::AuthMethod::AttestJwtClientAuth];
                let client = self.lookup(request, claimed.subject(), &methods).await?;
                attestations.verify(&claimed, client).await
            }
            #[cfg(not(feature = "attestation"))]
            _ => Err(not_offered()),
        }
    }
}

fn not_offered() -> Error {
    Error::refused(Refusal::MethodNotOffered)
}

impl<L> Service<Request<Credentials>> for ClientAuthenticator<L>
where
    L: Clients + Clone + Send + Sync + 'static,
{
    type Response = Option<Arc<Client>>;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    /// Always ready: a database waits for a connection during the call.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Credentials>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { this.authenticate(&request).await.map(Some) })
    }
}
