//! The result of an introspection.

use std::fmt;

use super::Introspection;
use crate::log::NumericDate;

/// The result of an introspection.
///
/// A service that only distinguishes "genuine" from "not mine" returns `Option<Introspection>`,
/// which converts into this type: `Some` is [`Token`](Self::Token), `None` is
/// [`Unrecognised`](Self::Unrecognised). If the service cannot find out, it returns an error.
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
    /// The token is genuine and ours, even if it has expired, was rotated or is revoked.
    Token(Introspection),
    /// The token is genuine, but of a kind or for an audience that this introspection does not
    /// handle, such as a refresh token of an issuer whose access tokens only are known here. It may
    /// be live.
    ///
    /// [`Introspected::unhandled`] creates this variant.
    #[non_exhaustive]
    Unhandled {
        /// Why the token is not handled.
        reason: Reason,
        /// When the token expires, if that is known.
        exp: Option<NumericDate>,
    },
    /// The token is certainly not one that this introspection is responsible for.
    Unrecognised(Reason),
}

impl Introspected {
    /// [`Unhandled`](Self::Unhandled) for this reason, with the time at which the token expires, if
    /// that is known.
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

    /// Why the token is not handled here. `None` if it is.
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

/// Why a token is not valid here. It is for logs and metrics. Peers never see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The text does not have the form of a token.
    NotAToken,
    /// The token is from another issuer (`iss`).
    Issuer,
    /// The token is for another audience (`aud`).
    Audience,
    /// The token is a JWT of another type (`typ`), such as an ID token.
    Typ,
    /// The algorithm (`alg`) is not accepted.
    Algorithm,
    /// The issuer has no key with this `kid`.
    UnknownKey,
    /// The signature is invalid.
    Signature,
    /// The token names no client, or two different ones.
    Client,
    /// A required claim is missing or has the wrong form.
    Claim,
    /// The token has no issue date (`iat`).
    NoIat,
    /// The token lacks a required selector, such as a session (`sid`).
    LacksSelector,
    /// The token has more [ancestors](super::Claims::MAX_ANCESTORS) than are looked up.
    Ancestors,
    /// The `iat` or `nbf` is in the future.
    NotYet,
    /// The token has expired (`exp`).
    Expired,
    /// The token is older than the longest lifetime of any token, but its own `exp` has not passed: see
    /// `JwtTokens::longest_lifetime`.
    TooOld,
    /// The token is not an access token, such as a refresh token that is presented to an API.
    Kind,
    /// The token was exchanged for a new one.
    Rotated,
    /// The introspection does not know the token and gives no other reason.
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
            Self::Ancestors => "ancestors",
            Self::NotYet => "not_yet",
            Self::Expired => "expired",
            Self::TooOld => "too_old",
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
