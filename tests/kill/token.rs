//! Tokens whose text describes them.

use std::fmt;

use tower_revocation::{
    introspect::{Introspection, TokenKind},
    log::{NumericDate, Selector},
};

pub(crate) const CLIENT: &str = "c1";
const ISSUER: &str = "https://as.example.com";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// An access token that is revoked alone.
    Alone,
    /// An access token that expires soon. Its record then expires too, and can be swept.
    Short,
    /// An access token that is revoked with its grant.
    Granted,
    /// The refresh token of the same grant. All refresh tokens have one subject, and each
    /// revocation raises its watermark.
    Refresh,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    number: u64,
    exp: u64,
}

impl Token {
    pub(crate) fn new(kind: Kind, number: u64) -> Self {
        let lifetime = if kind == Kind::Short { 1 } else { 3600 };
        let exp = NumericDate::now().seconds() + lifetime;
        Self { kind, number, exp }
    }

    /// The token to revoke in order to end this one.
    pub(crate) fn to_revoke(mut self) -> Self {
        if self.kind == Kind::Granted {
            self.kind = Kind::Refresh;
        }
        self
    }

    /// The token to check after the revocation of this one.
    pub(crate) fn to_ask(mut self) -> Self {
        if self.kind == Kind::Refresh {
            self.kind = Kind::Granted;
        }
        self
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let kind = match parts.next()? {
            "alone" => Kind::Alone,
            "short" => Kind::Short,
            "granted" => Kind::Granted,
            "refresh" => Kind::Refresh,
            _ => return None,
        };
        let mut number = || parts.next()?.parse().ok();
        let (number, exp) = (number()?, number()?);
        Some(Self { kind, number, exp })
    }

    pub(crate) fn introspect(self) -> Introspection {
        let kind = match self.kind {
            Kind::Refresh => TokenKind::RefreshToken,
            _ => TokenKind::AccessToken,
        };
        let mut token = Introspection::new(kind, CLIENT);
        token.token = Some(Selector::token(ISSUER, &self.to_string()));
        token.iat = Some(NumericDate::new(self.exp - 3600));
        token.exp = Some(NumericDate::new(self.exp));
        if self.to_ask().kind == Kind::Granted {
            token.grant = Some(self.number.to_string());
        }
        if self.kind == Kind::Refresh {
            token.sub = Some("alice".into());
        }
        token
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Alone => "alone",
            Kind::Short => "short",
            Kind::Granted => "granted",
            Kind::Refresh => "refresh",
        };
        write!(f, "{kind}-{}-{}", self.number, self.exp)
    }
}
