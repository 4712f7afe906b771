//! What is known about a genuine token.

#[cfg(test)]
mod tests;

use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::Arc,
};

use super::{
    Confirmation, IssuedWith, Scope, TokenKind, TokenType,
    memo::{Memo, Numbers},
};
use crate::log::{NumericDate, Selector, SelectorClass};

/// What is known about a genuine token, in the terms of RFC 7662 §2.2 and RFC 9068 §2.2.
///
/// It does not say whether the log has a record about the token: ask the
/// [`Index`](crate::enforce::Index). A token table of your own can report a token as
/// [`revoked`](Claims::revoked).
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
/// Its fields are those of [`Claims`]. Clones share them until one of the clones is changed.
#[derive(Clone)]
pub struct Introspection(Arc<Shared>);

/// What clones share.
#[derive(Clone)]
struct Shared {
    claims: Claims,
    memo: Memo,
}

impl Introspection {
    /// A token that was issued to this client. Set the other fields that are known, at least
    /// [`token`](Claims::token) and [`iat`](Claims::iat).
    #[must_use]
    pub fn new(kind: TokenKind, client_id: impl Into<String>) -> Self {
        Claims::new(kind, client_id).into()
    }

    /// The fields, by value.
    #[must_use]
    pub fn into_claims(self) -> Claims {
        Arc::unwrap_or_clone(self.0).claims
    }

    /// Marks an introspection that you return for several requests, such as from your own cache. An
    /// [`Index`](crate::enforce::Index) then stores what it computes about the token with the
    /// introspection, and checks it faster from the third time on.
    ///
    /// **Call it once, before you store the introspection.** On a clone it copies all claims, and
    /// shares nothing with the other clones. If the introspection is marked already, it returns it
    /// as it is.
    ///
    /// It changes no result. What is stored takes at most 256 bytes, from the second check on. The
    /// index computes two digests of each selector once: in the first check that finds a record of
    /// the selector's class in the index, or when a stream starts to wait for the end of the token.
    /// An introspection stores the work of one index, the first that needs it. Changing a field of
    /// the introspection removes the mark.
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use tower_revocation::introspect::{Introspection, TokenKind};
    ///
    /// let mut cache = HashMap::new();
    /// let token = Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3");
    /// cache.insert("2YotnFZFEjr1zCsicMWpAA", token.for_reuse());
    /// ```
    #[must_use]
    pub fn for_reuse(mut self) -> Self {
        if !self.0.memo.is_for_reuse() {
            Arc::make_mut(&mut self.0).memo = Memo::for_reuse();
        }
        self
    }

    /// What the index with this number keeps with these claims. `None` if this introspection is not
    /// [for reuse](Self::for_reuse), in the first call, and if another index keeps something.
    pub(crate) fn numbers(&self, owner: u64) -> Option<&Numbers> {
        // There is room for one grant.
        if !self.ancestors.is_empty() {
            return None;
        }
        self.0.memo.numbers(owner)
    }
}

impl Deref for Introspection {
    type Target = Claims;

    fn deref(&self) -> &Claims {
        &self.0.claims
    }
}

impl DerefMut for Introspection {
    fn deref_mut(&mut self) -> &mut Claims {
        let shared = Arc::make_mut(&mut self.0);
        // What was computed from the claims does not belong to what they become.
        shared.memo = Memo::default();
        &mut shared.claims
    }
}

impl From<Claims> for Introspection {
    fn from(claims: Claims) -> Self {
        Self(Arc::new(Shared {
            claims,
            memo: Memo::default(),
        }))
    }
}

/// Compares the claims.
impl PartialEq for Introspection {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.claims == other.0.claims
    }
}

impl Eq for Introspection {}

impl fmt::Debug for Introspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Introspection")
            .field(&self.0.claims)
            .finish()
    }
}

/// What is known about a token: the fields of an [`Introspection`].
///
/// With the feature `jwt` it can also keep all claims as JSON, for
/// [`claims_as`](Self::claims_as). Comparisons ignore the JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claims {
    /// The selector of this token alone: of its `iss` and `jti`, or of the digest of an opaque
    /// token. A token without this selector cannot be revoked alone.
    pub token: Option<Selector>,
    /// What the token is used as.
    pub kind: TokenKind,
    /// How the token is presented.
    pub token_type: Option<TokenType>,
    /// The namespace of the subject, client, grant and session, for a log that serves several
    /// issuers that may use the same names. See [`Selector::within`].
    pub tenant: Option<String>,
    /// The issuer (`iss`).
    pub iss: Option<String>,
    /// The client that the token was issued to.
    pub client_id: String,
    /// The resource owner (`sub`). `None` if the client acts for itself.
    pub sub: Option<String>,
    /// The audience (`aud`).
    pub aud: Vec<String>,
    /// The identifier of the token (`jti`).
    pub jti: Option<String>,
    /// The grant (authorization) that the token was issued for.
    pub grant: Option<String>,
    /// The grants of the tokens that this token descends from, if tokens are trees: revoking one of
    /// them revokes this token too. The nearest comes first, and the root last. The grant of the token
    /// itself is [`grant`](Self::grant). Defaults to none.
    ///
    /// Each check looks up each of them, so at most [`MAX_ANCESTORS`](Self::MAX_ANCESTORS) count. **A token
    /// with more is not live**: the others would not revoke it.
    pub ancestors: Vec<String>,
    /// The session that the token was issued in (`sid`).
    pub sid: Option<String>,
    /// The key that the token is bound to (`cnf`).
    pub cnf: Confirmation,
    /// The scope of the token.
    pub scope: Option<Scope>,
    /// When the token was issued.
    pub iat: Option<NumericDate>,
    /// When the token becomes valid. `None` if it is valid from the start.
    pub nbf: Option<NumericDate>,
    /// When the token expires. `None` if it does not expire.
    pub exp: Option<NumericDate>,
    /// When the token would expire by its own `exp`, if [`exp`](Self::exp) is earlier: the introspection
    /// limits the lifetime of all tokens. [`FOREVER`](NumericDate::FOREVER) if it has none of its own.
    /// Defaults to `None`: the token has no other date.
    pub stated_exp: Option<NumericDate>,
    /// Whether it is a refresh token that was exchanged for a new one.
    pub rotated: bool,
    /// Whether the introspection itself reports the token as revoked, such as a token table of your
    /// own with a column for it. Defaults to `false`, which does not exclude a record in the log.
    ///
    /// Enforcement refuses such a token as [`Revoked`](crate::enforce::Verdict::Revoked), without a
    /// record and with an index of any age. Its owner gets 200 for revoking it again; the records
    /// about its grant and related tokens are written then.
    ///
    /// **Open streams, and checks by other introspections, only see revocations that are in the
    /// log**: append a record when the table revokes a token. Its streams are then cut.
    pub revoked: bool,
    /// The tokens that were issued with this refresh token, if it has neither a grant nor a session
    /// that they have too. They are revoked with it. Defaults to none.
    pub issued_with: Option<Box<IssuedWith>>,
    #[cfg(feature = "jwt")]
    pub(super) json: super::json::ClaimsJson,
}

impl Claims {
    /// The most [`ancestors`](Self::ancestors) that count.
    pub const MAX_ANCESTORS: usize = 8;

    /// A token that was issued to this client. Nothing else is known about it.
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
            ancestors: Vec::new(),
            sid: None,
            cnf: Confirmation::default(),
            scope: None,
            iat: None,
            nbf: None,
            exp: None,
            stated_exp: None,
            rotated: false,
            revoked: false,
            issued_with: None,
            #[cfg(feature = "jwt")]
            json: super::json::ClaimsJson::default(),
        }
    }

    /// Whether the token has expired.
    #[must_use]
    pub fn is_expired(&self, now: NumericDate) -> bool {
        self.exp.is_some_and(|exp| exp <= now)
    }

    /// Whether the token has ancestors whose revocation nobody would notice.
    pub(crate) fn has_too_many_ancestors(&self) -> bool {
        self.ancestors.len() > Self::MAX_ANCESTORS
    }

    /// Whether the token has expired, but would still be valid by its own `exp`.
    #[must_use]
    pub fn is_too_old(&self, now: NumericDate) -> bool {
        self.is_expired(now) && self.stated_exp.is_some_and(|stated| stated > now)
    }

    /// Ends the token at this date, unless it expires earlier.
    #[cfg(feature = "jwt")]
    pub(crate) fn limit(&mut self, latest: Option<NumericDate>) {
        let Some(latest) = latest else { return };
        let stated = self.exp.unwrap_or(NumericDate::FOREVER);
        if latest < stated {
            self.exp = Some(latest);
            self.stated_exp = Some(stated);
        }
    }

    /// Every selector whose record revokes the token.
    pub fn selectors(&self) -> impl Iterator<Item = Selector> {
        SelectorClass::ALL
            .iter()
            .flat_map(|class| self.selectors_of(*class))
    }

    /// The selectors of one class whose records revoke the token: at most two of the class `Key`,
    /// because a token may be bound to two keys; the grant of the token first, and then those of its
    /// [`ancestors`](Self::ancestors); and at most one of any other class.
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
        let ancestors: Vec<_> = match class {
            SelectorClass::Grant => {
                let ancestors = self.ancestors.iter().take(Self::MAX_ANCESTORS);
                let of = |grant: &String| self.scoped(Some(Selector::grant(grant)));
                ancestors.filter_map(of).collect()
            }
            _ => Vec::new(),
        };
        selectors.into_iter().flatten().chain(ancestors)
    }

    /// The memory that it takes, in bytes. Each text is a block of the heap.
    #[cfg(feature = "jwt")]
    pub(super) fn memory(&self) -> usize {
        let texts = [
            &self.tenant,
            &self.iss,
            &self.sub,
            &self.jti,
            &self.grant,
            &self.sid,
        ];
        let lists = self.aud.iter().chain(&self.ancestors);
        let texts = texts.into_iter().flatten().chain(lists);
        let texts: usize = texts
            .chain([&self.client_id])
            .map(|text| heap_block(text.capacity()))
            .sum();
        size_of::<Self>()
            + texts
            + heap_block(self.aud.capacity() * size_of::<String>())
            + heap_block(self.ancestors.capacity() * size_of::<String>())
            + self
                .scope
                .as_ref()
                .map_or(0, |scope| heap_block(scope.capacity()))
            + heap_block(self.json_capacity())
    }

    fn scoped(&self, selector: Option<Selector>) -> Option<Selector> {
        match &self.tenant {
            Some(tenant) => selector.map(|selector| selector.within(tenant)),
            None => selector,
        }
    }
}

/// An upper bound of the memory that common allocators use for a block of this many bytes. The
/// smallest block has 32.
#[cfg(feature = "jwt")]
fn heap_block(bytes: usize) -> usize {
    match bytes {
        0 => 0,
        bytes => bytes.next_multiple_of(16) + 16,
    }
}
