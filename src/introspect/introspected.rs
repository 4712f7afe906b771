//! What an introspection says about a token.

use std::fmt;

use super::Introspection;
use crate::log::NumericDate;

/// What an introspection says about a token that it was asked about.
///
/// Services that know only "genuine" and "not mine" return `Option<Introspection>`, which converts
/// into this type: `Some` is [`Token`](Self::Token), `None` is
/// [`Unrecognised`](Self::Unrecognised). "Could not find out" is neither: it is the service's
/// error.
///
/// ```
/// use tower_revocation::introspect::{Introspected, Introspection, Reason, TokenKind};
///
/// let genuine = Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3");
/// assert!(Introspected::from(Some(genuine)).into_token().is_some());
/// assert_eq!(Introspected::from(None).reason(), Some(Reason::Unrecognised));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Introspected {
    /// Genuine and ours, even when it has expired, was rotated or is revoked.
    Token(Introspection),
    /// Genuine, but of a kind or for an audience that this introspection does not handle, such as
    /// the refresh token of an issuer whose access tokens alone are known here. It may be live.
    ///
    /// [`Introspected::unhandled`] makes one.
    #[non_exhaustive]
    Unhandled {
        /// What it is not handled for.
        reason: Reason,
        /// When it expires, if that is known.
        exp: Option<NumericDate>,
    },
    /// Certainly not a token that this introspection is responsible for.
    Unrecognised(Reason),
}

impl Introspected {
    /// [`Unhandled`](Self::Unhandled) for this reason, until it expires, if that is known.
    ///
    /// ```
    /// use tower_revocation::introspect::{Introspected, Reason};
    ///
    /// let token_of_another_api = Introspected::unhandled(Reason::Audience, None);
    /// assert!(token_of_another_api.token().is_none());
    /// ```
    #[must_use]
    pub fn unhandled(reason: Reason, exp: Option<NumericDate>) -> Self {
        Self::Unhandled { reason, exp }
    }

    /// The token, if it is genuine and handled.
    #[must_use]
    pub fn token(&self) -> Option<&Introspection> {
        match self {
            Self::Token(token) => Some(token),
            Self::Unhandled { .. } | Self::Unrecognised(_) => None,
        }
    }

    /// The token, if it is genuine and handled.
    #[must_use]
    pub fn into_token(self) -> Option<Introspection> {
        match self {
            Self::Token(token) => Some(token),
            Self::Unhandled { .. } | Self::Unrecognised(_) => None,
        }
    }

    /// Why it is not a token that is handled here, if it is none.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Token(_) => None,
            Self::Unhandled { reason, .. } | Self::Unrecognised(reason) => Some(*reason),
        }
    }
}

impl From<Introspection> for Introspected {
    fn from(token: Introspection) -> Self {
        Self::Token(token)
    }
}

impl From<Option<Introspection>> for Introspected {
    fn from(token: Option<Introspection>) -> Self {
        token.map_or(Self::Unrecognised(Reason::Unrecognised), Self::Token)
    }
}

/// Why a token is not good here. One of a bounded set, for logs and metrics; peers never see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// It does not have the form of a token.
    NotAToken,
    /// It is of another issuer (`iss`).
    Issuer,
    /// It is for another audience (`aud`).
    Audience,
    /// It is a JWT of another type (`typ`), such as an ID token.
    Typ,
    /// Its algorithm (`alg`) is not accepted.
    Algorithm,
    /// The issuer has no key of its `kid`.
    UnknownKey,
    /// Its signature does not verify.
    Signature,
    /// It names no client, or two.
    Client,
    /// A member that is needed is missing or has the wrong form.
    Claim,
    /// It does not say when it was issued (`iat`).
    NoIat,
    /// It lacks a selector that is demanded, such as a session (`sid`).
    LacksSelector,
    /// Its `iat` or `nbf` is in the future.
    NotYet,
    /// Its time is over (`exp`).
    Expired,
    /// It is not an access token, such as a refresh token that is presented to an API.
    Kind,
    /// Its successor has been issued.
    Rotated,
    /// Its introspection does not know it, and does not say more.
    Unrecognised,
}

impl Reason {
    /// A short name for logs and metrics, such as `unknown_key`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotAToken => "not_a_token",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Typ => "typ",
            Self::Algorithm => "algorithm",
            Self::UnknownKey => "unknown_key",
            Self::Signature => "signature",
            Self::Client => "client",
            Self::Claim => "claim",
            Self::NoIat => "no_iat",
            Self::LacksSelector => "lacks_selector",
            Self::NotYet => "not_yet",
            Self::Expired => "expired",
            Self::Kind => "kind",
            Self::Rotated => "rotated",
            Self::Unrecognised => "unrecognised",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
