//! A token that was seen, for those who look.

use super::{Browser, CutAddress, row::Row};
#[cfg(feature = "admin")]
use super::{
    row::{Source, identity},
    visit::Visit,
};
use crate::{
    enforce::Index,
    introspect::{Introspection, TokenKind},
    log::{NumericDate, Selector, SelectorClass},
};

/// A token that was seen by this process, and has not expired.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sighting {
    /// The client that the token was issued to.
    pub client_id: String,
    /// The issuer (`iss`).
    pub iss: Option<String>,
    /// When the token was issued.
    pub iat: Option<NumericDate>,
    /// When the token expires. `None` if it does not expire.
    pub exp: Option<NumericDate>,
    /// When this process saw the token for the first time.
    pub first_use: NumericDate,
    /// When this process saw the token last.
    pub last_use: NumericDate,
    /// The browser of the last use.
    pub browser: Browser,
    /// The network of the last use. `None` if the address is unknown.
    pub network: Option<CutAddress>,
    subject: String,
    tenant: Option<String>,
    selectors: Box<[Selector]>,
    has_grant: bool,
}

/// What the log says about a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// The token is live.
    Live,
    /// A record covers the token.
    Revoked,
    /// The index is not fresh, so nobody knows.
    Unknown,
}

impl State {
    /// Returns the name: `live`, `revoked` or `unknown`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Revoked => "revoked",
            Self::Unknown => "unknown",
        }
    }
}

impl Sighting {
    pub(super) fn of(row: &Row, subject: &str) -> Self {
        let visit = row.visit();
        Self {
            client_id: row.source.client_id.to_string(),
            iss: row.source.iss.as_deref().map(ToOwned::to_owned),
            iat: row.iat(),
            exp: row.exp(),
            first_use: row.first_use(),
            last_use: row.last_use(),
            browser: visit.browser,
            network: visit.network,
            subject: subject.to_owned(),
            tenant: row.source.tenant.as_deref().map(ToOwned::to_owned),
            selectors: row.selectors.clone(),
            has_grant: row.has_grant,
        }
    }

    /// The sighting of one request, also if a name is too long to be noted. `None` if the token has no
    /// subject, or no selector by which it could be found again.
    #[cfg(feature = "admin")]
    pub(crate) fn of_request(
        token: &Introspection,
        headers: &hyper::HeaderMap,
        extensions: &hyper::http::Extensions,
    ) -> Option<Self> {
        let source = std::sync::Arc::new(Source::of_any_length(token));
        let (identity, visit) = (identity(token)?, Visit::of(headers, extensions));
        let row = Row::new(token, source, visit, &identity, NumericDate::now());
        Some(Self::of(&row, token.sub.as_deref()?))
    }

    /// Returns the narrowest selector: that of the token, or else of its session, or else of its
    /// grant.
    #[must_use]
    pub fn selector(&self) -> Selector {
        // A row without one is not made.
        self.selectors[0]
    }

    /// Returns the selector of what a user calls a session: the session (`sid`) of the token, or else
    /// its grant, or else the token alone.
    #[must_use]
    pub fn session(&self) -> Selector {
        let of = |class| self.selectors.iter().find(|it| it.class() == class);
        let grant = || of(SelectorClass::Grant).filter(|_| self.has_grant);
        let session = of(SelectorClass::Session).or_else(grant);
        session.copied().unwrap_or_else(|| self.selector())
    }

    /// Returns what the index says about the token now.
    #[must_use]
    pub fn state(&self, index: &Index) -> State {
        let token = self.introspection();
        // First: the records are then at least as new as this.
        let is_live = index.is_live(&token, NumericDate::now());
        let covers = |selector: &Selector| index.covers_selector(selector, self.iat);
        if index.covers(&token) || self.selectors.iter().any(covers) {
            State::Revoked
        } else if is_live {
            State::Live
        } else {
            State::Unknown
        }
    }

    /// The token by its names. The other selectors have none here.
    fn introspection(&self) -> Introspection {
        let mut token = Introspection::new(TokenKind::AccessToken, self.client_id.as_str());
        token.tenant.clone_from(&self.tenant);
        token.iss.clone_from(&self.iss);
        token.sub = Some(self.subject.clone());
        token.iat = self.iat;
        token.exp = self.exp;
        token
    }
}
