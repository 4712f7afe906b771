//! What is this token? Whose is it? Until when?
//!
//! The endpoint asks "whose is this?" before it revokes, and whoever lets requests through asks "is
//! this genuine, and what could have revoked it?". Both ask the same service: `Service<Secret,
//! Response = Option<Introspection>>`. `Some` means genuine and ours, even when it is expired,
//! rotated or revoked; `None` means certainly not; an error means that it could not be found out.

#[cfg(feature = "issued")]
#[cfg_attr(docsrs, doc(cfg(feature = "issued")))]
pub mod issued;

use crate::log::{NumericDate, Selector};

/// What is known of a genuine token, in the terms of RFC 7662 §2.2.
///
/// It says nothing about revocation: ask the [`Index`](crate::enforce::Index).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Introspection {
    /// The selector of this one token.
    pub token: Selector,
    /// What it is used as.
    pub kind: TokenKind,
    /// The client that it was issued to.
    pub client_id: String,
    /// The resource owner, if there is one: a client that acts for itself has none.
    pub sub: Option<String>,
    /// The authorization that it came of.
    pub grant: Option<String>,
    /// What it is good for.
    pub scope: Option<String>,
    /// When it was issued.
    pub iat: NumericDate,
    /// From when on it is no longer accepted, if ever.
    pub exp: Option<NumericDate>,
    /// A refresh token whose successor has been issued.
    pub rotated: bool,
}

/// What a token is used as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenKind {
    /// Presented to resource servers.
    AccessToken,
    /// Presented to the token endpoint.
    RefreshToken,
}

impl Introspection {
    /// A token that was issued then to this client. Fill in what else is known.
    #[must_use]
    pub fn new(kind: TokenKind, token: Selector, client_id: String, iat: NumericDate) -> Self {
        Self {
            token,
            kind,
            client_id,
            sub: None,
            grant: None,
            scope: None,
            iat,
            exp: None,
            rotated: false,
        }
    }

    /// Whether its time is over.
    #[must_use]
    pub fn is_expired(&self, now: NumericDate) -> bool {
        self.exp.is_some_and(|exp| exp <= now)
    }

    /// Everything that could have revoked it.
    pub fn selectors(&self) -> impl Iterator<Item = Selector> {
        let sub = self.sub.as_deref();
        [
            Some(self.token),
            self.grant.as_deref().map(Selector::grant),
            sub.map(|sub| Selector::subject_and_client(sub, &self.client_id)),
            sub.map(Selector::subject),
            Some(Selector::client(&self.client_id)),
        ]
        .into_iter()
        .flatten()
    }
}
