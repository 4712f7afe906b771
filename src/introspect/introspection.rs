//! What is known of a genuine token.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

use super::{Confirmation, Scope, TokenKind, TokenType};
use crate::log::{NumericDate, Selector, SelectorClass};

/// What is known of a genuine token, in the terms of RFC 7662 §2.2 and RFC 9068 §2.2.
///
/// What the log says about revocation is not in it: ask the [`Index`](crate::enforce::Index). A table
/// of your own can say that a token is [`revoked`](Claims::revoked).
///
/// ```
/// use tower_revocation::{
///     introspect::{Introspection, TokenKind},
///     log::{NumericDate, Selector},
/// };
///
/// let mut token = Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3");
/// token.token = Some(Selector::token("https://as.example.com", "jti-1"));
/// token.iat = Some(NumericDate::new(1_300_819_380));
/// token.sub = Some("alice".into());
/// assert!(token.selectors().any(|selector| selector == Selector::subject("alice")));
/// ```
///
/// Its fields are those of [`Claims`]. Clones share them, until one is written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introspection(Arc<Claims>);

impl Introspection {
    /// A token that was issued to this client. Fill in what else is known: the
    /// [`token`](Claims::token) and its [`iat`](Claims::iat) at least.
    #[must_use]
    pub fn new(kind: TokenKind, client_id: impl Into<String>) -> Self {
        Claims::new(kind, client_id).into()
    }

    /// The fields, to be taken apart.
    #[must_use]
    pub fn into_claims(self) -> Claims {
        Arc::unwrap_or_clone(self.0)
    }
}

impl Deref for Introspection {
    type Target = Claims;

    fn deref(&self) -> &Claims {
        &self.0
    }
}

impl DerefMut for Introspection {
    fn deref_mut(&mut self) -> &mut Claims {
        Arc::make_mut(&mut self.0)
    }
}

impl From<Claims> for Introspection {
    fn from(claims: Claims) -> Self {
        Self(Arc::new(claims))
    }
}

/// What is known of a token: the fields of an [`Introspection`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claims {
    /// The selector of this one token: of its `iss` and `jti`, or of a digest of an opaque one. A
    /// token without any cannot be revoked alone.
    pub token: Option<Selector>,
    /// What it is used as.
    pub kind: TokenKind,
    /// How it is presented.
    pub token_type: Option<TokenType>,
    /// Whose subjects, clients, grants and sessions these are, where one log serves several issuers
    /// that may use the same names. See [`Selector::within`].
    pub tenant: Option<String>,
    /// Who issued it.
    pub iss: Option<String>,
    /// The client that it was issued to.
    pub client_id: String,
    /// The resource owner, if there is one: a client that acts for itself has none.
    pub sub: Option<String>,
    /// Whom it is for.
    pub aud: Vec<String>,
    /// Its identifier.
    pub jti: Option<String>,
    /// The authorization that it came of.
    pub grant: Option<String>,
    /// The session that it came of.
    pub sid: Option<String>,
    /// Whose key it is bound to.
    pub cnf: Confirmation,
    /// What it is good for.
    pub scope: Option<Scope>,
    /// When it was issued.
    pub iat: Option<NumericDate>,
    /// Before when it is not yet accepted, if ever.
    pub nbf: Option<NumericDate>,
    /// From when on it is no longer accepted, if ever.
    pub exp: Option<NumericDate>,
    /// A refresh token whose successor has been issued.
    pub rotated: bool,
    /// Whether the authority that was asked holds it revoked, such as a table of your own with a
    /// column for it. Defaults to `false`, which says nothing: the log may have a record.
    ///
    /// Enforcement refuses such a token as [`Revoked`](crate::enforce::Verdict::Revoked), without a
    /// record and however old the index is. Its owner hears 200 for revoking it again, and what
    /// falls with it is recorded then.
    ///
    /// **Streams that are open already, and checks that do not ask this authority, hear of it only
    /// through the log**: append a record when the table revokes. Streams are cut then.
    pub revoked: bool,
}

impl Claims {
    /// A token that was issued to this client, and nothing else that is known.
    #[must_use]
    pub fn new(kind: TokenKind, client_id: impl Into<String>) -> Self {
        Self {
            token: None,
            kind,
            token_type: None,
            tenant: None,
            iss: None,
            client_id: client_id.into(),
            sub: None,
            aud: Vec::new(),
            jti: None,
            grant: None,
            sid: None,
            cnf: Confirmation::default(),
            scope: None,
            iat: None,
            nbf: None,
            exp: None,
            rotated: false,
            revoked: false,
        }
    }

    /// Whether its time is over.
    #[must_use]
    pub fn is_expired(&self, now: NumericDate) -> bool {
        self.exp.is_some_and(|exp| exp <= now)
    }

    /// Everything that could have revoked it.
    pub fn selectors(&self) -> impl Iterator<Item = Selector> {
        SelectorClass::ALL
            .iter()
            .flat_map(|class| self.selectors_of(*class))
    }

    /// Everything of one class that could have revoked it. A token may be bound to two keys; of any
    /// other class there is one at the most.
    pub fn selectors_of(&self, class: SelectorClass) -> impl Iterator<Item = Selector> + use<> {
        let sub = self.sub.as_deref();
        let selectors = match class {
            SelectorClass::Token => [self.token, None],
            SelectorClass::Grant => [
                self.scoped(self.grant.as_deref().map(Selector::grant)),
                None,
            ],
            SelectorClass::Session => [
                self.scoped(self.sid.as_deref().map(Selector::session)),
                None,
            ],
            SelectorClass::SubjectAndClient => {
                let both = sub.map(|sub| Selector::subject_and_client(sub, &self.client_id));
                [self.scoped(both), None]
            }
            SelectorClass::Subject => [self.scoped(sub.map(Selector::subject)), None],
            SelectorClass::Client => [self.scoped(Some(Selector::client(&self.client_id))), None],
            SelectorClass::Key => {
                let Confirmation { jkt, x5t_s256 } = &self.cnf;
                [
                    jkt.as_ref().map(Selector::key),
                    x5t_s256.as_ref().map(Selector::key),
                ]
            }
            SelectorClass::Issuer => [self.iss.as_deref().map(Selector::issuer), None],
        };
        selectors.into_iter().flatten()
    }

    fn scoped(&self, selector: Option<Selector>) -> Option<Selector> {
        match &self.tenant {
            Some(tenant) => selector.map(|selector| selector.within(tenant)),
            None => selector,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> Introspection {
        let mut token = Introspection::new(TokenKind::AccessToken, "c1");
        token.token = Some(Selector::token("https://as.example.com", "1"));
        token.iss = Some("https://as.example.com".into());
        token.sub = Some("alice".into());
        token.grant = Some("g1".into());
        token.sid = Some("s1".into());
        token.cnf.jkt = Some([1; 32]);
        token.cnf.x5t_s256 = Some([2; 32]);
        token
    }

    #[test]
    fn every_member_that_can_be_revoked_is_a_selector() {
        let expected = [
            Selector::token("https://as.example.com", "1"),
            Selector::grant("g1"),
            Selector::session("s1"),
            Selector::subject_and_client("alice", "c1"),
            Selector::subject("alice"),
            Selector::client("c1"),
            Selector::key(&[1; 32]),
            Selector::key(&[2; 32]),
            Selector::issuer("https://as.example.com"),
        ];
        assert!(whole().selectors().eq(expected));
    }

    #[test]
    fn no_subject_is_not_every_subject() {
        let token = Introspection::new(TokenKind::AccessToken, "c1");
        assert!(token.selectors().eq([Selector::client("c1")]));
    }

    #[test]
    fn names_of_one_tenant_are_not_those_of_another() {
        let (mut one, mut other) = (whole(), whole());
        one.tenant = Some("https://one.example.com".into());
        other.tenant = Some("https://other.example.com".into());
        for class in [
            SelectorClass::Grant,
            SelectorClass::Session,
            SelectorClass::SubjectAndClient,
            SelectorClass::Subject,
            SelectorClass::Client,
        ] {
            assert!(
                one.selectors_of(class).ne(other.selectors_of(class)),
                "{class:?}"
            );
            assert!(
                one.selectors_of(class).ne(whole().selectors_of(class)),
                "{class:?}"
            );
            assert!(
                one.selectors_of(class)
                    .all(|selector| selector.class() == class)
            );
        }
        for class in [
            SelectorClass::Token,
            SelectorClass::Key,
            SelectorClass::Issuer,
        ] {
            assert!(
                one.selectors_of(class).eq(other.selectors_of(class)),
                "{class:?}"
            );
        }
    }
}
