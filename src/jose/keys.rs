//! Where are the keys of somebody?

use super::{KeySet, KeySource, RemoteError};

/// Where the public keys of a client or an issuer are (RFC 7591 §2).
///
/// A URI is judged where it is configured. One that can never be fetched is an error here, and not
/// at the first request.
///
/// ```
/// use tower_revocation::jose::Keys;
///
/// let published = Keys::from_uri("https://as.example.com/jwks.json")?;
/// let of_this_machine = Keys::from_uri("http://localhost:8080/jwks.json")?;
/// assert!(Keys::from_uri("http://as.example.com/jwks.json").is_err());
/// # Ok::<_, tower_revocation::jose::RemoteError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Keys {
    /// They are these (`jwks`).
    Set(KeySet),
    /// They are published, and fetched by [`RemoteKeys`](super::RemoteKeys).
    Remote(KeySource),
}

impl Keys {
    /// Keys at a URI that you configure: by `https`, or by `http` on this machine (`localhost`,
    /// `127.0.0.1`, `[::1]`). Its address may be a private one: you name it, and no client does.
    ///
    /// # Errors
    ///
    /// If the URI is neither, or has userinfo or a fragment.
    pub fn from_uri(uri: &str) -> Result<Self, RemoteError> {
        KeySource::operator(uri, false).map(Self::Remote)
    }

    /// Keys at a URI that you configure, also by `http`. **Whoever can change the answer on its way
    /// can sign tokens**: only where the network itself is protected.
    ///
    /// # Errors
    ///
    /// As [`from_uri`](Self::from_uri).
    pub fn from_plain_http_uri(uri: &str) -> Result<Self, RemoteError> {
        KeySource::operator(uri, true).map(Self::Remote)
    }

    /// Keys at the `jwks_uri` that a client has registered: by `https`, or by `http` on this
    /// machine. They are fetched from public addresses alone, unless [private ones are
    /// allowed](super::RemoteKeysBuilder::allow_private_addresses).
    ///
    /// # Errors
    ///
    /// As [`from_uri`](Self::from_uri).
    pub fn from_client_uri(jwks_uri: &str) -> Result<Self, RemoteError> {
        KeySource::client(jwks_uri).map(Self::Remote)
    }

    /// The keys that the metadata of an issuer names (`jwks_uri`). The metadata is read with every
    /// fetch, as `OpenID` Connect Discovery §4 has it, or else RFC 8414 §3.
    ///
    /// **The `issuer` in the metadata is compared byte for byte with this one** (RFC 8414 §3.3).
    /// What [`from_uri`](Self::from_uri) says of URIs goes for the issuer and for what it names.
    ///
    /// # Errors
    ///
    /// As [`from_uri`](Self::from_uri), and for an issuer with a query.
    pub fn from_issuer(issuer: &str) -> Result<Self, RemoteError> {
        KeySource::issuer(issuer, false).map(Self::Remote)
    }

    /// The same, also by `http`. What [`from_plain_http_uri`](Self::from_plain_http_uri) says goes for it.
    ///
    /// # Errors
    ///
    /// As [`from_issuer`](Self::from_issuer).
    pub fn from_plain_http_issuer(issuer: &str) -> Result<Self, RemoteError> {
        KeySource::issuer(issuer, true).map(Self::Remote)
    }
}

impl From<KeySet> for Keys {
    fn from(keys: KeySet) -> Self {
        Self::Set(keys)
    }
}
