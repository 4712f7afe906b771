//! What is ordered, what is issued for it, and what is known of it when it comes back.

use std::time::Duration;

use super::Grant;
use crate::{log::NumericDate, token::Secret};

/// What a token is to be used as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Use {
    /// Presented to resource servers.
    AccessToken = 1,
    /// Presented to the token endpoint, once.
    RefreshToken = 2,
    /// Presented to the token endpoint, once, for the first tokens of a grant (RFC 6749 §4.1.2).
    /// Nobody who revokes or introspects hears of it.
    AuthorizationCode = 3,
}

impl Use {
    pub(super) fn from_octet(octet: u8) -> Option<Self> {
        Some(match octet {
            1 => Self::AccessToken,
            2 => Self::RefreshToken,
            3 => Self::AuthorizationCode,
            _ => return None,
        })
    }
}

/// An order for one token.
#[derive(Clone, Debug)]
pub struct Mint {
    pub(super) usage: Use,
    pub(super) lifetime: Duration,
    pub(super) scope: Option<String>,
    pub(super) note: String,
}

impl Mint {
    /// An access token that lives so long.
    #[must_use]
    pub fn access_token(lifetime: Duration) -> Self {
        Self::new(Use::AccessToken, lifetime)
    }

    /// A refresh token that lives so long.
    #[must_use]
    pub fn refresh_token(lifetime: Duration) -> Self {
        Self::new(Use::RefreshToken, lifetime)
    }

    /// An authorization code that lives so long; RFC 6749 §4.1.2 recommends ten minutes at the
    /// most.
    #[must_use]
    pub fn authorization_code(lifetime: Duration) -> Self {
        Self::new(Use::AuthorizationCode, lifetime)
    }

    /// What the server wants to read again when the token comes back, such as a code challenge.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// Less than the grant is good for (RFC 6749 §6). All of it, unless this is called.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    fn new(usage: Use, lifetime: Duration) -> Self {
        Self {
            usage,
            lifetime,
            scope: None,
            note: String::new(),
        }
    }
}

/// A token that was issued.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Issued {
    /// The token. It is not kept: hand it over, and forget it.
    pub token: Secret,
    /// What it is used as.
    pub usage: Use,
    /// When it was issued. Never a second that a record covers, so it may lie a little ahead.
    pub iat: NumericDate,
    /// From when on it is no longer accepted.
    pub exp: NumericDate,
}

/// What is known of a token that came back to the server that issued it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Registered {
    /// What it is used as.
    pub usage: Use,
    /// The authorization that it came of.
    pub grant: Grant,
    /// Whether something has been issued for it.
    pub spent: bool,
    /// From when on it is no longer accepted.
    pub exp: NumericDate,
    /// What the server wanted to read again.
    pub note: String,
}

/// What came of an attempt to exchange a token for others.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Rotation {
    /// These, in the order in which they were asked for. The old one is spent.
    Issued(Vec<Issued>),
    /// It was exchanged before: somebody else has a copy. Revoke its grant (RFC 9700 §4.14.2).
    Spent(Grant),
    /// It is unknown, expired or revoked.
    Dead,
}
