//! The types of some fields of an introspection.

use std::fmt;

/// What a token is used as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenKind {
    /// An access token, presented to resource servers.
    AccessToken,
    /// A refresh token, presented to the token endpoint.
    RefreshToken,
}

/// How an access token is presented (`token_type`, RFC 6749 §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenType {
    /// As a bearer token (RFC 6750).
    Bearer,
    /// With a proof of possession of its key (RFC 9449).
    Dpop,
}

impl TokenType {
    /// The name, as in RFC 6750 and RFC 9449.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }

    /// The type with this name. Case does not matter (RFC 6749 §7.1). `None` if there is none.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Bearer, Self::Dpop]
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(name))
    }
}

/// The scope of a token: words separated by spaces (RFC 6749 §3.3).
///
/// **Words are compared byte for byte, without normalisation.**
///
/// ```
/// use tower_revocation::introspect::Scope;
///
/// let scope = Scope::new("read write");
/// assert!(scope.contains("read") && !scope.contains("rea"));
/// assert_eq!(scope.iter().count(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scope(String);

impl Scope {
    /// A scope with these words, separated by spaces.
    #[must_use]
    pub fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }

    /// The words, as they were given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    #[cfg(feature = "jwt")]
    pub(super) fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// The words, one by one.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ').filter(|word| !word.is_empty())
    }

    /// Whether the scope has this word.
    #[must_use]
    pub fn contains(&self, word: &str) -> bool {
        self.iter().any(|known| known == word)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The key that a token is bound to (`cnf`, RFC 7800 §3), by thumbprints.
///
/// Whether the client has proved possession of the key is not checked here. This type says which
/// tokens a record about the key revokes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Confirmation {
    /// The SHA-256 thumbprint of a JWK (`jkt`, RFC 9449 §6.1).
    pub jkt: Option<[u8; 32]>,
    /// The SHA-256 of a certificate (`x5t#S256`, RFC 8705 §3.1).
    pub x5t_s256: Option<[u8; 32]>,
}
