//! Where are the keys of somebody?

use super::KeySet;

/// Where the public keys of a client or an issuer are (RFC 7591 §2).
///
/// ```
/// use tower_revocation::jose::Keys;
///
/// let published = Keys::Uri("https://as.example.com/jwks.json".into());
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Keys {
    /// They are these (`jwks`).
    Set(KeySet),
    /// They are published at this URI (`jwks_uri`), and fetched by
    /// [`RemoteKeys`](super::RemoteKeys).
    Uri(String),
}

impl From<KeySet> for Keys {
    fn from(keys: KeySet) -> Self {
        Self::Set(keys)
    }
}
