//! Whose credentials are these?

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
    client::{AuthMethod, Credentials, Refusal, secret::Key},
    error::Error,
};

/// The authenticator over registered clients.
///
/// It verifies `client_secret_basic`, `client_secret_post` and `none`, and each method that it is
/// given what it needs for: with `assertions` it verifies `private_key_jwt` and `client_secret_jwt`,
/// with `certificates` `tls_client_auth` and `self_signed_tls_client_auth`, with `attestations`
/// `attest_jwt_client_auth`, and with `passwords` secrets that people chose. Each has a feature of
/// its own.
///
/// There is one answer for every reason, and it takes the same work to find: nobody learns from it
/// whether a client exists, is disabled, or has an expired secret. The reason is in the error, for
/// the log.
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
    /// Looks clients up in `clients`: a [`Registry`](super::Registry), or your database.
    ///
    /// As a `tower::Service` it clones `clients` for every request: put what is not cheap to clone
    /// into an `Arc`.
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

    /// The key of the secrets that are registered as HMAC-SHA-256.
    ///
    /// # Panics
    ///
    /// If the key is empty: that is a setting that was forgotten.
    #[must_use]
    pub fn hmac_key(mut self, key: impl AsRef<[u8]>) -> Self {
        self.hmac_key = Some(Key::new(key.as_ref()));
        self
    }

    /// Verifies the secrets that are registered as password hashes.
    ///
    /// If a client has such a hash, every secret that is wrong costs the work of one password, so
    /// that nobody learns which clients have one. A secret that is right as a digest costs nothing.
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
    /// If the attestations, where there are any, are for another issuer: a server has one.
    #[cfg(feature = "jwt")]
    #[cfg_attr(docsrs, doc(cfg(feature = "jwt")))]
    #[must_use]
    pub fn assertions(mut self, assertions: Assertions) -> Self {
        self.assertions = Some(Arc::new(assertions));
        #[cfg(feature = "attestation")]
        self.assert_one_issuer();
        self
    }

    /// How keys are fetched from the `jwks_uri`s of clients.
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
    /// A certificate counts only where a request has no other credentials. Beside a secret or an
    /// assertion it is ignored, also for a client that is registered for certificates: an answer of
    /// its own would tell which clients those are.
    ///
    /// Whoever accepts the connections puts it there, or a
    /// [`CertificateFieldsLayer`](crate::client::certificate::CertificateFieldsLayer) behind a
    /// proxy.
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
    /// If the assertions, where there are any, are for another issuer: a server has one.
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
                "assertions and attestations are for one issuer"
            );
        }
    }
}

impl<L: Clients> ClientAuthenticator<L> {
    /// The client whose credentials these are. Expiry is judged now.
    ///
    /// The service does no more than this: a token endpoint or an introspection endpoint can call
    /// it too, with what [`Credentials::from_request`] makes of a request.
    ///
    /// # Errors
    ///
    /// [`InvalidClient`](crate::ErrorKind::InvalidClient), with the [`Refusal`], if they are not the
    /// client's. [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if a certificate cannot be
    /// read. [`Unavailable`](crate::ErrorKind::Unavailable) if it could not be found out: the lookup
    /// failed, a key is missing here or could not be fetched, or there is too much to do.
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
                let methods = [AuthMethod::AttestJwtClientAuth];
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

    /// Always ready: a database waits for its connections when it is asked.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Credentials>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { this.authenticate(&request).await.map(Some) })
    }
}
