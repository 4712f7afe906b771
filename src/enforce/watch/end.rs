//! Why does a token end?

use std::fmt;

use crate::log::SelectorClass;

/// Why a token is no longer live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum End {
    /// A record of this class covers the token. `None` if there is no record, and the introspection
    /// returned the token as [revoked](crate::introspect::Claims::revoked).
    Revoked(Option<SelectorClass>),
    /// The token has expired.
    Expired,
    /// The clock has gone back, and a record of the token may have been forgotten, so the token may
    /// be revoked. This does not end a token that an authority has
    /// [confirmed](crate::enforce::EnforcementLayer::confirm_by) since.
    Unknown,
}

impl End {
    const EXPIRED: u8 = u8::MAX;
    const REVOKED: u8 = u8::MAX - 1;
    const UNKNOWN: u8 = u8::MAX - 2;

    /// Never 0, which stands for a live token.
    pub(super) fn to_byte(self) -> u8 {
        match self {
            Self::Revoked(Some(class)) => class as u8,
            Self::Revoked(None) => Self::REVOKED,
            Self::Expired => Self::EXPIRED,
            Self::Unknown => Self::UNKNOWN,
        }
    }

    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            Self::EXPIRED => return Some(Self::Expired),
            Self::REVOKED => return Some(Self::Revoked(None)),
            Self::UNKNOWN => return Some(Self::Unknown),
            _ => {}
        }
        let class = SelectorClass::ALL
            .iter()
            .find(|class| **class as u8 == byte);
        class.copied().map(|class| Self::Revoked(Some(class)))
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Revoked(_) => "the token was revoked",
            Self::Expired => "the token has expired",
            Self::Unknown => "a record of the token may have been forgotten",
        })
    }
}

/// The error of a body that was cut.
impl std::error::Error for End {}
