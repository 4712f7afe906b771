//! Registers a client in code.

use std::time::SystemTime;

use super::{BasicDecoding, Client, client::ClientSecret};
#[cfg(feature = "mtls")]
use crate::client::certificate::CertificateSubject;
use crate::client::{AuthMethod, SecretDigest};
#[cfg(feature = "jwt")]
use crate::{
    jose::{Algorithm, HmacKey, KeySet, Keys, RemoteError},
    token::Secret,
};

/// Builds a [`Client`].
///
/// The order of the setters does not matter. A setter that is called twice replaces its first
/// value.
///
/// ```
/// use tower_revocation::{Secret, client::{AuthMethod, SecretDigest, registry::Client}};
///
/// let client = Client::builder("s6BhdRkqt3")
///     .secret(SecretDigest::sha256(&Secret::new("gX1fBat3bV")))
///     .auth_methods([AuthMethod::ClientSecretPost])
///     .redirect_uris(["https://client.example.com/callback"])
///     .build();
/// assert_eq!(client.token_endpoint_auth_methods(), [AuthMethod::ClientSecretPost]);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientBuilder {
    client: Client,
    /// Of the first secret, which may be set later.
    secret_expires_at: Option<SystemTime>,
}

impl Client {
    /// Starts a client with this identifier.
    ///
    /// Its authentication method defaults to `client_secret_basic` (RFC 7591 §2).
    pub fn builder(client_id: impl Into<String>) -> ClientBuilder {
        Self::new(client_id, AuthMethod::ClientSecretBasic).into_builder()
    }

    /// Starts a changed client from this one.
    ///
    /// ```
    /// use tower_revocation::client::registry::Client;
    ///
    /// let client = Client::public("spa-1").into_builder().disabled(true).build();
    /// assert!(client.disabled());
    /// ```
    pub fn into_builder(self) -> ClientBuilder {
        let first = self.secrets[0].as_ref();
        ClientBuilder {
            secret_expires_at: first.and_then(|first| first.expires_at),
            client: self,
        }
    }
}

impl ClientBuilder {
    /// Returns the client.
    pub fn build(self) -> Client {
        let mut client = self.client;
        if let [Some(secret), _] = &mut client.secrets {
            secret.expires_at = self.secret_expires_at;
        }
        client
    }

    /// Sets the accepted authentication methods. Defaults to `client_secret_basic`.
    ///
    /// A client that has a secret, keys or a certificate subject must always prove its identity,
    /// even if `none` is one of the methods.
    pub fn auth_methods(mut self, methods: impl IntoIterator<Item = AuthMethod>) -> Self {
        self.client.token_endpoint_auth_methods = methods.into_iter().collect();
        self
    }

    /// Sets the secret. Does not change when it [expires](Self::secret_expires_at).
    pub fn secret(mut self, secret: SecretDigest) -> Self {
        self.client.secrets[0] = Some(ClientSecret::new(secret, None));
        self
    }

    /// Sets when the secret expires (`client_secret_expires_at`, RFC 7591 §3.2.1). **The secret is
    /// refused from exactly this moment.** By default it does not expire.
    ///
    /// Has no effect on a client without a secret.
    pub fn secret_expires_at(mut self, expires_at: SystemTime) -> Self {
        self.secret_expires_at = Some(expires_at);
        self
    }

    /// Sets the secret before this one, which is accepted too until it expires. A client has at
    /// most one previous secret.
    pub fn previous_secret(mut self, secret: SecretDigest, expires_at: SystemTime) -> Self {
        self.client.secrets[1] = Some(ClientSecret::new(secret, Some(expires_at)));
        self
    }

    /// Sets the secret and keeps it in plain text, because `client_secret_jwt` computes with it.
    ///
    /// It replaces the [`secret`](Self::secret). **A secret that is shorter than the hash of the
    /// algorithm verifies nothing** (RFC 7518 §3.2): 32 bytes for HS256, 48 for HS384, 64 for
    /// HS512.
    #[cfg(feature = "jwt")]
    #[cfg_attr(docsrs, doc(cfg(feature = "jwt")))]
    pub fn shared_secret(mut self, secret: &Secret) -> Self {
        self.client.secrets[0] = Some(ClientSecret {
            hmac_key: Some(HmacKey::new(secret.expose().as_bytes())),
            ..ClientSecret::new(SecretDigest::sha256(secret), None)
        });
        self
    }

    /// Sets the public keys (`jwks`). They replace a [`jwks_uri`](Self::jwks_uri).
    #[cfg(feature = "jwt")]
    #[cfg_attr(docsrs, doc(cfg(feature = "jwt")))]
    pub fn jwks(mut self, keys: KeySet) -> Self {
        self.client.keys = Some(Keys::Set(keys));
        self
    }

    /// Sets the URI of the public keys (`jwks_uri`). It replaces the [`jwks`](Self::jwks). See
    /// [`Keys::from_client_uri`].
    ///
    /// ```
    /// use tower_revocation::client::{AuthMethod, registry::Client};
    ///
    /// let client = Client::builder("pk-client")
    ///     .auth_methods([AuthMethod::PrivateKeyJwt])
    ///     .jwks_uri("https://client.example.com/keys")?
    ///     .build();
    /// # Ok::<_, tower_revocation::jose::RemoteError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the URI can never be fetched.
    #[cfg(feature = "jwt")]
    #[cfg_attr(docsrs, doc(cfg(feature = "jwt")))]
    pub fn jwks_uri(mut self, uri: &str) -> Result<Self, RemoteError> {
        self.client.keys = Some(Keys::from_client_uri(uri)?);
        Ok(self)
    }

    /// Sets the algorithms that the client may sign with (`token_endpoint_auth_signing_alg`).
    ///
    /// Defaults to all algorithms that its keys admit, and to HS256 for a secret.
    #[cfg(feature = "jwt")]
    #[cfg_attr(docsrs, doc(cfg(feature = "jwt")))]
    pub fn signing_algs(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.client.signing_algs = algorithms.into_iter().collect();
        self
    }

    /// Sets the expected subject of the client certificate, for `tls_client_auth`.
    #[cfg(feature = "mtls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "mtls")))]
    pub fn certificate_subject(mut self, subject: CertificateSubject) -> Self {
        self.client.certificate_subject = Some(subject);
        self
    }

    /// Sets how Basic credentials are decoded. Defaults to [`BasicDecoding::Form`].
    pub fn basic_decoding(mut self, decoding: BasicDecoding) -> Self {
        self.client.basic_decoding = decoding;
        self
    }

    /// Sets whether the client is refused as if it were not registered. Defaults to `false`.
    pub fn disabled(mut self, disabled: bool) -> Self {
        self.client.disabled = disabled;
        self
    }

    /// Sets the issuers whose tokens the client may revoke. By default there are none, and the client
    /// may revoke the tokens of any issuer.
    ///
    /// **If a server revokes the tokens of several issuers, name them for every client.** Otherwise
    /// it may revoke the tokens of a client that has the same identifier at another issuer.
    pub fn issuers<I>(mut self, issuers: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.client.issuers = issuers.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the redirection URIs. By default there are none.
    pub fn redirect_uris<I>(mut self, uris: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.client.redirect_uris = uris.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the grant types. Defaults to `authorization_code` (RFC 7591 §2).
    pub fn grant_types<I>(mut self, types: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.client.grant_types = types.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the scope values that the client may request, separated by spaces.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.client.scope = Some(scope.into());
        self
    }

    /// Sets the name of the client for people.
    pub fn client_name(mut self, name: impl Into<String>) -> Self {
        self.client.name = Some(name.into());
        self
    }
}
