//! What is known about one refresh token and those that it was rotated to, and the access tokens
//! that were issued with them.

use sha2::{Digest as _, Sha256};

use super::Digest;
use crate::{
    introspect::{Introspection, IssuedWith, TokenKind},
    log::{NumericDate, Selector},
    token::Secret,
};

/// How many access tokens a family names one by one. Further ones count as unnamed.
pub(super) const MOST_ACCESS_TOKENS: usize = 32;
/// How many refresh tokens of a family are known. The oldest are forgotten: they were rotated long
/// ago.
pub(super) const MOST_REFRESH_TOKENS: usize = 8;
/// An access token that expired this many seconds ago has expired by every clock.
const LEEWAY: u64 = 300;

pub(super) type FamilyId = [u8; 16];

/// How a refresh token is found: by its digest in the tables, and by its selector in records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TokenName {
    pub(super) digest: Digest,
    pub(super) selector: Selector,
}

/// A refresh token of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RefreshToken {
    pub(super) name: TokenName,
    /// When it was issued. `None` if it was presented before any link knew it: it is older.
    pub(super) learnt: Option<u64>,
}

/// A refresh token, and everything that was issued with it. Dates are in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Family {
    pub(super) client_id: String,
    pub(super) iss: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) sub: Option<String>,
    /// What all access tokens have in common, if they have.
    pub(super) grant: Option<String>,
    pub(super) sid: Option<String>,
    /// Access tokens that have neither, and when each expires.
    pub(super) access_tokens: Vec<(Selector, u64)>,
    /// When the last access token expires that nothing else names.
    pub(super) unnamed_until: Option<u64>,
    /// Whether an access token of another holder has no name of its own. Only what all have in common
    /// covers it.
    pub(super) has_foreign: bool,
    pub(super) latest_iat: u64,
    /// The newest at the end.
    pub(super) refresh_tokens: Vec<RefreshToken>,
    pub(super) expires: u64,
}

impl Family {
    /// The family of the first access token.
    pub(super) fn new(access: &Introspection, expires: u64) -> Self {
        Self {
            client_id: access.client_id.clone(),
            iss: access.iss.clone(),
            tenant: access.tenant.clone(),
            sub: access.sub.clone(),
            grant: access.grant.clone(),
            sid: access.sid.clone(),
            access_tokens: Vec::new(),
            unnamed_until: None,
            has_foreign: false,
            latest_iat: 0,
            refresh_tokens: Vec::new(),
            expires,
        }
    }

    /// Whether the same issuer has issued the access token. Others cannot add to the family.
    pub(super) fn has_issuer_of(&self, access: &Introspection) -> bool {
        self.iss == access.iss && self.tenant == access.tenant
    }

    /// Whether the access token is held by the same client, for the same subject.
    fn has_holder_of(&self, access: &Introspection) -> bool {
        self.has_issuer_of(access) && self.client_id == access.client_id && self.sub == access.sub
    }

    /// Adds an access token that was issued now.
    pub(super) fn add(&mut self, access: &Introspection, now: u64) {
        let iat = access.iat.map_or(now, NumericDate::seconds);
        self.latest_iat = self.latest_iat.max(iat);
        let is_covered = match (&self.grant, &self.sid) {
            (Some(grant), _) => access.grant.as_ref() == Some(grant),
            (None, Some(sid)) => access.sid.as_ref() == Some(sid),
            (None, None) => false,
        };
        if is_covered && self.has_holder_of(access) {
            return;
        }
        // One of another holder is remembered although it is covered: the name may change later.
        if !is_covered && (self.grant.take().is_some() | self.sid.take().is_some()) {
            // The earlier tokens are named by nothing that the new one has.
            self.unnamed_until = Some(self.expires);
        }
        let exp = access.exp.map_or(self.expires, NumericDate::seconds);
        self.access_tokens.retain(|(_, exp)| *exp + LEEWAY > now);
        match access.token {
            Some(selector) if self.access_tokens.len() < MOST_ACCESS_TOKENS => {
                self.access_tokens.push((selector, exp));
            }
            // A record about the holder of the family misses it.
            _ if !self.has_holder_of(access) => self.has_foreign = true,
            _ => self.unnamed_until = self.unnamed_until.max(Some(exp)),
        }
    }

    /// Adds access tokens that nothing names, issued until now. `exp` is when the last of them
    /// expires, if that is known.
    pub(super) fn add_unnamed(&mut self, exp: Option<u64>, now: u64) {
        self.latest_iat = self.latest_iat.max(now);
        let exp = exp.unwrap_or(self.expires);
        self.unnamed_until = self.unnamed_until.max(Some(exp));
    }

    /// Whether it is one of the last refresh tokens of the family.
    pub(super) fn knows(&self, name: &TokenName) -> bool {
        self.refresh_tokens.iter().any(|token| token.name == *name)
    }

    /// Adds a refresh token as the newest one, and forgets the oldest one if there are too many.
    /// One that the family knows keeps its date.
    pub(super) fn add_refresh_token(&mut self, name: TokenName, learnt: Option<u64>) {
        let mut tokens = self.refresh_tokens.iter();
        let known = tokens.position(|token| token.name == name);
        let token = match known {
            Some(place) => self.refresh_tokens.remove(place),
            None => RefreshToken { name, learnt },
        };
        if self.refresh_tokens.len() >= MOST_REFRESH_TOKENS {
            self.refresh_tokens.remove(0);
        }
        self.refresh_tokens.push(token);
    }

    /// Whether records can revoke every access token of the family.
    pub(super) fn is_coverable(&self) -> bool {
        let holder_covers = self.unnamed_until.is_none() || self.sub.is_some();
        self.has_common_name() || !self.has_foreign && holder_covers
    }

    /// Whether the access tokens have a grant or a session in common, now and later.
    pub(super) fn has_common_name(&self) -> bool {
        self.grant.is_some() || self.sid.is_some()
    }

    /// The introspection of a refresh token of the family.
    pub(super) fn introspection(
        &self,
        id: FamilyId,
        digest: &Digest,
        token: &Secret,
    ) -> Introspection {
        let mut known = Introspection::new(TokenKind::RefreshToken, &self.client_id);
        let mut tokens = self.refresh_tokens.iter();
        let learnt = tokens.find(|it| it.name.digest == *digest);
        known.token = Some(own_selector(token));
        known.iss.clone_from(&self.iss);
        known.tenant.clone_from(&self.tenant);
        known.sub.clone_from(&self.sub);
        known.grant.clone_from(&self.grant);
        known.sid.clone_from(&self.sid);
        // Without a date, every record about its holder covers it.
        let learnt = learnt.and_then(|token| token.learnt);
        known.iat = learnt.map(NumericDate::new);
        known.exp = Some(NumericDate::new(self.expires));
        let newest = self.refresh_tokens.last();
        known.rotated = newest.is_none_or(|token| token.name.digest != *digest);
        let mut unnamed_until = None;
        if !self.has_common_name() {
            known.grant = Some(name(id));
            unnamed_until = self.unnamed_until.map(NumericDate::new);
        }
        let date = |(selector, exp): &(Selector, u64)| (*selector, NumericDate::new(*exp));
        let tokens = self.access_tokens.iter().map(date);
        // Their own selectors are found even if the link is forgotten, or its name changes.
        let expires = NumericDate::new(self.expires);
        let all = self.refresh_tokens.iter();
        let all = all.map(|token| (token.name.selector, expires));
        known.issued_with = Some(Box::new(IssuedWith {
            tokens: tokens.chain(all).collect(),
            unnamed_until,
            latest_iat: Some(NumericDate::new(self.latest_iat)),
        }));
        known
    }
}

/// A refresh token that no link knows: all that is known is the selector that names it.
pub(super) fn unknown(token: &Secret) -> Introspection {
    let mut unknown = Introspection::new(TokenKind::RefreshToken, "");
    unknown.token = Some(own_selector(token));
    unknown
}

/// The selector of a refresh token alone.
pub(super) fn own_selector(token: &Secret) -> Selector {
    Selector::opaque_token(Sha256::digest(token.expose()).into())
}

/// Whether the access tokens of a refresh token have a grant or a session in common, by its
/// introspection.
pub(super) fn has_common_name(known: &Introspection) -> bool {
    let grant = known.grant.as_ref();
    grant.map_or(known.sid.is_some(), |grant| !grant.starts_with(PREFIX))
}

const PREFIX: &str = "link:";

/// The name of a family as a grant: no issuer has one with this name.
fn name(id: FamilyId) -> String {
    use std::fmt::Write as _;

    let mut name = String::from(PREFIX);
    for byte in id {
        let _ = write!(name, "{byte:02x}");
    }
    name
}
