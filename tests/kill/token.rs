//! Tokens that say themselves what they are.

use std::fmt;

use tower_revocation::{
    introspect::{Introspection, TokenKind},
    log::{NumericDate, Selector},
};

pub(crate) const CLIENT: &str = "c1";
const ISSUER: &str = "https://as.example.com";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// An access token that falls alone.
    Alone,
    /// One that soon expires, and its record with it: there is something to sweep.
    Short,
    /// An access token that falls with its grant.
    Granted,
    /// The refresh token of the same grant. All of them have one subject, whose watermark rises
    /// with each.
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

    /// The one that has to be revoked so that this one falls.
    pub(crate) fn to_revoke(mut self) -> Self {
        if self.kind == Kind::Granted {
            self.kind = Kind::Refresh;
        }
        self
    }

    /// The one that is asked for where this one was revoked.
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
