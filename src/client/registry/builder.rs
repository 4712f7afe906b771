//! What is said of a client that is registered in code?

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

impl Client {
    /// The methods that are accepted of it, in place of the one that it began with.
    ///
    /// A client that has a secret, keys or a certificate's subject is never accepted without a
    /// proof, whatever this says.
    pub fn with_auth_methods(mut self, methods: impl IntoIterator<Item = AuthMethod>) -> Self {
        self.token_endpoint_auth_methods = methods.into_iter().collect();
        self
    }

    /// When the secret expires (`client_secret_expires_at`, RFC 7591 §3.2.1). **From that very
    /// moment on it is refused.**
    ///
    /// It does nothing to a client without a secret.
    pub fn with_secret_expires_at(mut self, expires_at: SystemTime) -> Self {
        if let [Some(secret), _] = &mut self.secrets {
            secret.expires_at = Some(expires_at);
        }
        self
    }

    /// The secret before this one, which is accepted too until it expires. There is one such secret
    /// at most.
    pub fn with_previous_secret(mut self, secret: SecretDigest, expires_at: SystemTime) -> Self {
        self.secrets[1] = Some(ClientSecret::new(secret, Some(expires_at)));
        self
    }

    /// Its secret, kept itself: `client_secret_jwt` has to compute with it.
    ///
    /// It takes the place of the first secret. **One that is shorter than the algorithm's hash
    /// verifies nothing** (RFC 7518 §3.2): 32 octets for HS256, 48 for HS384, 64 for HS512.
    #[cfg(feature = "jwt")]
    #[cfg_attr(docsrs, doc(cfg(feature = "jwt")))]
    pub fn with_shared_secret(mut self, secret: &Secret) -> Self {
        let expires_at = self.secrets[0].as_ref().and_then(|first| first.expires_at);
        self.secrets[0] = Some(ClientSecret {
            hmac_key: Some(HmacKey::new(secret.expose().as_bytes())),
            ..ClientSecret::new(SecretDigest::sha256(secret), expires_at)
        });
        self
    }

    /// Its public keys (`jwks`), in place of any that it had.
    #[cfg(feature = "jwt")]
    #[cfg_attr(docsrs, doc(cfg(feature = "jwt")))]
    pub fn with_jwks(mut self, keys: KeySet) -> Self {
        self.keys = Some(Keys::Set(keys));
        self
    }

    /// Where its public keys are (`jwks_uri`), in place of any that it had. See
    /// [`Keys::from_client_uri`].
    ///
    /// # Errors
    ///
    /// If the URI can never be fetched.
    #[cfg(feature = "jwt")]
    #[cfg_attr(docsrs, doc(cfg(feature = "jwt")))]
    pub fn with_jwks_uri(mut self, uri: &str) -> Result<Self, RemoteError> {
        self.keys = Some(Keys::from_client_uri(uri)?);
        Ok(self)
    }

    /// The algorithms that it may sign with (`token_endpoint_auth_signing_alg`).
    ///
    /// Defaults to any that its keys admit, and to HS256 for a secret.
    #[cfg(feature = "jwt")]
    #[cfg_attr(docsrs, doc(cfg(feature = "jwt")))]
    pub fn with_signing_algs(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.signing_algs = algorithms.into_iter().collect();
        self
    }

    /// What its certificate says, for `tls_client_auth`.
    #[cfg(feature = "mtls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "mtls")))]
    pub fn with_certificate_subject(mut self, subject: CertificateSubject) -> Self {
        self.certificate_subject = Some(subject);
        self
    }

    /// How its Basic credentials are read. Form-decoded, unless this is called.
    pub fn with_basic_decoding(mut self, decoding: BasicDecoding) -> Self {
        self.basic_decoding = decoding;
        self
    }

    /// Whether it is refused, as if it were not registered. Not, unless this is called.
    pub fn with_disabled(mut self, disabled: bool) -> Self {
        self.disabled = disabled;
        self
    }

    /// Its redirection URIs. None, unless this is called.
    pub fn with_redirect_uris<I>(mut self, uris: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.redirect_uris = uris.into_iter().map(Into::into).collect();
        self
    }

    /// Its grant types. `authorization_code`, unless this is called (RFC 7591 §2).
    pub fn with_grant_types<I>(mut self, types: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.grant_types = types.into_iter().map(Into::into).collect();
        self
    }

    /// The scope values that it may ask for, separated by spaces.
    pub fn with_scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    /// What people call it.
    pub fn with_client_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}
