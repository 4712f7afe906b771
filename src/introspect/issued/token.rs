//! The tokens: to be issued, just issued, and presented again.

use std::time::Duration;

use super::Grant;
use crate::{log::NumericDate, token::Secret};

/// What an issued token is used as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum TokenUse {
    /// An access token, presented to resource servers.
    AccessToken = 1,
    /// A refresh token, presented to the token endpoint once.
    RefreshToken = 2,
    /// An authorization code, presented to the token endpoint once, for the first tokens of a grant
    /// (RFC 6749 §4.1.2). Neither revocation nor introspection knows it.
    AuthorizationCode = 3,
}

impl TokenUse {
    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::AccessToken,
            2 => Self::RefreshToken,
            3 => Self::AuthorizationCode,
            _ => return None,
        })
    }
}

/// A token that is to be issued.
#[derive(Clone, Debug)]
pub struct NewToken {
    pub(super) usage: TokenUse,
    pub(super) lifetime: Duration,
    pub(super) scope: Option<String>,
    pub(super) note: String,
}

impl NewToken {
    /// An access token with this lifetime.
    #[must_use]
    pub fn access_token(lifetime: Duration) -> Self {
        Self::new(TokenUse::AccessToken, lifetime)
    }

    /// A refresh token with this lifetime.
    #[must_use]
    pub fn refresh_token(lifetime: Duration) -> Self {
        Self::new(TokenUse::RefreshToken, lifetime)
    }

    /// An authorization code with this lifetime. RFC 6749 §4.1.2 recommends at most ten minutes.
    #[must_use]
    pub fn authorization_code(lifetime: Duration) -> Self {
        Self::new(TokenUse::AuthorizationCode, lifetime)
    }

    /// Sets a text that the server reads again when the token is presented, such as a code
    /// challenge. Defaults to an empty text.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// Sets a scope that is narrower than that of the grant (RFC 6749 §6). Defaults to the scope of
    /// the grant.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    fn new(usage: TokenUse, lifetime: Duration) -> Self {
        Self {
            usage,
            lifetime,
            scope: None,
            note: String::new(),
        }
    }
}

/// A token that was just issued.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IssuedToken {
    /// The token. It is not stored: send it to the client and drop it.
    pub token: Secret,
    /// What it is used as.
    pub usage: TokenUse,
    /// When it was issued. No record covers this second, so it may lie a little in the future.
    pub iat: NumericDate,
    /// When it expires.
    pub exp: NumericDate,
}

/// What is stored about a token that is presented again.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoredToken {
    /// What it is used as.
    pub usage: TokenUse,
    /// The grant that it was issued for.
    pub grant: Grant,
    /// Whether it was already exchanged for other tokens.
    pub used: bool,
    /// When it expires.
    pub exp: NumericDate,
    /// The text that was set with [`NewToken::note`].
    pub note: String,
}

/// The result of [`IssuedTokens::rotate`](super::IssuedTokens::rotate).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Rotation {
    /// The new tokens, in the order of the request. The old one cannot be exchanged again.
    Issued(Vec<IssuedToken>),
    /// The token was exchanged before, so somebody has a copy of it. Revoke its grant (RFC 9700
    /// §4.14.2).
    Reused(Grant),
    /// The token is unknown, expired or revoked.
    Invalid,
}
