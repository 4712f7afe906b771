//! Where the keys of a client or an issuer come from.

use super::{KeySet, KeySource, RemoteError};

/// Where the public keys of a client or an issuer come from (RFC 7591 §2).
///
/// The constructors check the URI, so that one that can never be fetched is an error at startup and
/// not with the first request.
///
/// ```
/// use tower_revocation::jose::Keys;
///
/// let elsewhere = Keys::from_uri("https://as.example.com/jwks.json")?;
/// let on_this_machine = Keys::from_uri("http://localhost:8080/jwks.json")?;
/// assert!(Keys::from_uri("http://as.example.com/jwks.json").is_err());
/// # Ok::<_, tower_revocation::jose::RemoteError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Keys {
    /// The keys themselves (`jwks`).
    Set(KeySet),
    /// The keys are published, and [`RemoteKeys`](super::RemoteKeys) fetches them.
    Remote(KeySource),
}

impl Keys {
    /// Keys at a URI that you configure: by `https`, or by `http` on this machine (`localhost`,
    /// `127.0.0.1`, `[::1]`). The address may be private, because you and not a client chose it.
    ///
    /// # Errors
    ///
    /// Fails if the URI has another scheme, userinfo or a fragment.
    pub fn from_uri(uri: &str) -> Result<Self, RemoteError> {
        KeySource::operator(uri, false).map(Self::Remote)
    }

    /// Keys at a URI that you configure, by `https` or `http`. **Anyone who can modify the response
    /// on the network can then sign tokens.** Use it only if the network itself is protected.
    ///
    /// # Errors
    ///
    /// Fails as [`from_uri`](Self::from_uri) does.
    pub fn from_plain_http_uri(uri: &str) -> Result<Self, RemoteError> {
        KeySource::operator(uri, true).map(Self::Remote)
    }

    /// Keys at the `jwks_uri` that a client has registered: by `https`, or by `http` on this
    /// machine. They are fetched from public addresses only, unless [private ones are
    /// allowed](super::RemoteKeysBuilder::allow_private_addresses).
    ///
    /// # Errors
    ///
    /// Fails as [`from_uri`](Self::from_uri) does.
    pub fn from_client_uri(jwks_uri: &str) -> Result<Self, RemoteError> {
        KeySource::client(jwks_uri).map(Self::Remote)
    }

    /// Keys at the `jwks_uri` in the metadata of an issuer. Every fetch reads the metadata first,
    /// according to `OpenID` Connect Discovery §4 or else RFC 8414 §3.
    ///
    /// **The `issuer` in the metadata is compared byte for byte with this one** (RFC 8414 §3.3).
    /// The rules of [`from_uri`](Self::from_uri) apply to the issuer and to its `jwks_uri`.
    ///
    /// # Errors
    ///
    /// Fails as [`from_uri`](Self::from_uri) does, and for an issuer with a query.
    pub fn from_issuer(issuer: &str) -> Result<Self, RemoteError> {
        KeySource::issuer(issuer, false).map(Self::Remote)
    }

    /// As [`from_issuer`](Self::from_issuer), by `https` or `http`. The warning of
    /// [`from_plain_http_uri`](Self::from_plain_http_uri) applies.
    ///
    /// # Errors
    ///
    /// Fails as [`from_issuer`](Self::from_issuer) does.
    pub fn from_plain_http_issuer(issuer: &str) -> Result<Self, RemoteError> {
        KeySource::issuer(issuer, true).map(Self::Remote)
    }
}

impl From<KeySet> for Keys {
    fn from(keys: KeySet) -> Self {
        Self::Set(keys)
    }
}
