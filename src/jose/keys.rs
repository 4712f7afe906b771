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
/// let published = Keys::at("https://as.example.com/jwks.json")?;
/// let of_this_machine = Keys::at("http://localhost:8080/jwks.json")?;
/// assert!(Keys::at("http://as.example.com/jwks.json").is_err());
/// # Ok::<_, tower_revocation::jose::RemoteError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Keys {
    /// They are these (`jwks`).
    Set(KeySet),
    /// They are published, and fetched by [`RemoteKeys`](super::RemoteKeys).
    Published(KeySource),
}

impl Keys {
    /// Keys at a URI that you configure: by `https`, or by `http` on this machine (`localhost`,
    /// `127.0.0.1`, `[::1]`). Its address may be a private one: you name it, and no client does.
    ///
    /// # Errors
    ///
    /// If the URI is neither, or has userinfo or a fragment.
    pub fn at(uri: &str) -> Result<Self, RemoteError> {
        KeySource::operator(uri, false).map(Self::Published)
    }

    /// Keys at a URI that you configure, also by `http`. **Whoever can change the answer on its way
    /// can sign tokens**: only where the network itself is protected.
    ///
    /// # Errors
    ///
    /// As [`at`](Self::at).
    pub fn plain_http(uri: &str) -> Result<Self, RemoteError> {
        KeySource::operator(uri, true).map(Self::Published)
    }

    /// Keys at the `jwks_uri` that a client has registered: by `https`, or by `http` on this
    /// machine. They are fetched from public addresses alone, unless [private ones are
    /// allowed](super::RemoteKeys::allow_private_addresses).
    ///
    /// # Errors
    ///
    /// As [`at`](Self::at).
    pub fn registered(jwks_uri: &str) -> Result<Self, RemoteError> {
        KeySource::registered(jwks_uri).map(Self::Published)
    }

    /// The keys that the metadata of an issuer names (`jwks_uri`). The metadata is read with every
    /// fetch, as `OpenID` Connect Discovery §4 has it, or else RFC 8414 §3.
    ///
    /// **The `issuer` in the metadata is compared byte for byte with this one** (RFC 8414 §3.3).
    /// What [`at`](Self::at) says of URIs goes for the issuer and for what it names.
    ///
    /// # Errors
    ///
    /// As [`at`](Self::at), and for an issuer with a query.
    pub fn of_issuer(issuer: &str) -> Result<Self, RemoteError> {
        KeySource::issuer(issuer, false).map(Self::Published)
    }

    /// The same, also by `http`. What [`plain_http`](Self::plain_http) says goes for it.
    ///
    /// # Errors
    ///
    /// As [`of_issuer`](Self::of_issuer).
    pub fn of_plain_http_issuer(issuer: &str) -> Result<Self, RemoteError> {
        KeySource::issuer(issuer, true).map(Self::Published)
    }
}

impl From<KeySet> for Keys {
    fn from(keys: KeySet) -> Self {
        Self::Set(keys)
    }
}
