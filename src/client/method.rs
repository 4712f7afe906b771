//! The names of the authentication methods.

use std::{fmt, sync::Arc};

/// A name out of the OAuth Token Endpoint Authentication Methods registry (RFC 7591 §4.2).
///
/// ```
/// use tower_revocation::client::AuthMethod;
///
/// assert_eq!("none".parse(), Ok(AuthMethod::None));
/// assert_eq!(AuthMethod::ClientSecretBasic.as_str(), "client_secret_basic");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthMethod {
    /// `client_secret_basic`
    ClientSecretBasic,
    /// `client_secret_post`
    ClientSecretPost,
    /// `none`: public clients.
    None,
    /// `private_key_jwt`
    PrivateKeyJwt,
    /// `client_secret_jwt`
    ClientSecretJwt,
    /// `tls_client_auth`
    TlsClientAuth,
    /// `self_signed_tls_client_auth`
    SelfSignedTlsClientAuth,
    /// `attest_jwt_client_auth`
    AttestJwtClientAuth,
}

impl AuthMethod {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::ClientSecretBasic,
        Self::ClientSecretPost,
        Self::None,
        Self::PrivateKeyJwt,
        Self::ClientSecretJwt,
        Self::TlsClientAuth,
        Self::SelfSignedTlsClientAuth,
        Self::AttestJwtClientAuth,
    ];

    /// The registered name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::None => "none",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::ClientSecretJwt => "client_secret_jwt",
            Self::TlsClientAuth => "tls_client_auth",
            Self::SelfSignedTlsClientAuth => "self_signed_tls_client_auth",
            Self::AttestJwtClientAuth => "attest_jwt_client_auth",
        }
    }
}

impl std::str::FromStr for AuthMethod {
    type Err = UnknownAuthMethod;

    /// # Errors
    ///
    /// If the name, **compared byte for byte**, is none of these.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|method| method.as_str() == name)
            .ok_or(UnknownAuthMethod)
    }
}

/// The name of no authentication method that this crate knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownAuthMethod;

impl fmt::Display for UnknownAuthMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown client authentication method")
    }
}

impl std::error::Error for UnknownAuthMethod {}

/// The methods that an endpoint accepts, in the extensions of the requests that its authenticator
/// gets.
///
/// Some credentials do not say which method they are of: a bare `client_id` may be all that a
/// public client sends, and all that one with a certificate does.
#[derive(Clone, Debug)]
pub struct AcceptedMethods(Arc<[AuthMethod]>);

impl AcceptedMethods {
    /// Exactly these.
    pub fn new(methods: impl IntoIterator<Item = AuthMethod>) -> Self {
        Self(methods.into_iter().collect())
    }

    /// Whether this one is accepted.
    #[must_use]
    pub fn contains(&self, method: AuthMethod) -> bool {
        self.0.contains(&method)
    }

    /// All of them, in the order in which they were given.
    #[must_use]
    pub fn as_slice(&self) -> &[AuthMethod] {
        &self.0
    }
}
