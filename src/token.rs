//! What is asked for: a token, perhaps a hint, and what became of it.

use std::fmt;

/// What an authenticated client asks to be revoked ([RFC 7009 §2.1]).
///
/// The backend is a `tower::Service` over this type.
///
/// ```
/// use tower_revocation::{RevocationRequest, Secret, TokenTypeHint};
///
/// let request = RevocationRequest::new("s6BhdRkqt3", Secret::new("45ghiukldjahdnhzdauz"))
///     .hint(TokenTypeHint::RefreshToken);
/// assert_eq!(request.client, "s6BhdRkqt3");
/// assert!(!format!("{request:?}").contains("45ghiukldjahdnhzdauz"));
/// ```
///
/// [RFC 7009 §2.1]: https://www.rfc-editor.org/rfc/rfc7009#section-2.1
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RevocationRequest<C> {
    /// Who asks, as the authenticator answered.
    pub client: C,
    /// The token: at least one character, all of them visible ASCII.
    pub token: Secret,
    /// Where the client believes the token is to be found. It may be wrong: it only orders a
    /// search.
    pub hint: Option<TokenTypeHint>,
}

impl<C> RevocationRequest<C> {
    /// Asks for `token` in the name of `client`, without a hint.
    pub fn new(client: C, token: Secret) -> Self {
        Self {
            client,
            token,
            hint: None,
        }
    }

    /// Says where to look first.
    #[must_use]
    pub fn hint(mut self, hint: TokenTypeHint) -> Self {
        self.hint = Some(hint);
        self
    }
}

/// A name out of the OAuth Token Type Hints registry ([RFC 7009 §4.1.2]), or any other.
///
/// **Names are compared byte for byte**: `REFRESH_TOKEN` is one that nobody knows, and so is
/// ignored.
///
/// ```
/// use tower_revocation::TokenTypeHint;
///
/// assert_eq!(TokenTypeHint::from("refresh_token"), TokenTypeHint::RefreshToken);
/// assert_eq!(TokenTypeHint::from("pct").as_str(), "pct");
/// ```
///
/// [RFC 7009 §4.1.2]: https://www.rfc-editor.org/rfc/rfc7009#section-4.1.2
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenTypeHint {
    /// `access_token`
    AccessToken,
    /// `refresh_token`
    RefreshToken,
    /// Any other name, such as `pct` or a URN.
    Other(Box<str>),
}

impl TokenTypeHint {
    /// The name as it stands on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::AccessToken => "access_token",
            Self::RefreshToken => "refresh_token",
            Self::Other(name) => name,
        }
    }
}

impl From<&str> for TokenTypeHint {
    fn from(name: &str) -> Self {
        match name {
            "access_token" => Self::AccessToken,
            "refresh_token" => Self::RefreshToken,
            other => Self::Other(other.into()),
        }
    }
}

/// What a backend can say of a token.
///
/// There is no word for "I could not find out": that is the service's error, and it is answered
/// 503.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// It is dead from now on, durably, or it was already.
    Revoked,
    /// It is certainly not a live token of ours.
    NotFound,
    /// It is ours, and belongs to another client. Nothing was changed.
    IssuedToAnother,
    /// It is a live token of this client that cannot be revoked here, or a token that this backend
    /// does not know and is not responsible for. Nothing was changed.
    Unsupported,
}

impl Outcome {
    /// A short name for logs and counters.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::NotFound => "not_found",
            Self::IssuedToAnother => "issued_to_another",
            Self::Unsupported => "unsupported",
        }
    }
}

/// A token, a client secret or an assertion: text that must not be seen.
///
/// It has no `Display`, no `PartialEq` and a `Debug` that says nothing. With the feature `zeroize`,
/// which is on by default, its memory is wiped when it is dropped; the buffers of the request's
/// body are not.
///
/// ```
/// use tower_revocation::Secret;
///
/// let token = Secret::new("45ghiukldjahdnhzdauz");
/// assert_eq!(format!("{token:?}"), "Secret(..)");
/// assert_eq!(token.expose(), "45ghiukldjahdnhzdauz");
/// ```
#[derive(Clone, Default)]
pub struct Secret {
    text: String,
    /// The authenticated client that asks about it.
    #[cfg(feature = "jwt")]
    asker: Option<std::sync::Arc<str>>,
}

impl Secret {
    /// Takes the text in. A `String` is moved, so no copy of it stays behind.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            #[cfg(feature = "jwt")]
            asker: None,
        }
    }

    /// The same token, about which this authenticated client asks. A service that hands on the same
    /// `Secret` hands the client on too; one that makes a new `Secret` of the text loses it.
    #[cfg(feature = "jwt")]
    pub(crate) fn asked_by(mut self, client_id: &str) -> Self {
        self.asker = Some(client_id.into());
        self
    }

    #[cfg(feature = "jwt")]
    pub(crate) fn asker(&self) -> Option<&str> {
        self.asker.as_deref()
    }

    /// The text itself. Hand it on; do not print it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

#[cfg(feature = "zeroize")]
impl Drop for Secret {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.text);
    }
}
