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
    pub(super) latest_iat: u64,
    /// The refresh tokens and when each was learnt, the newest at the end.
    pub(super) refresh_tokens: Vec<(Digest, u64)>,
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
            latest_iat: 0,
            refresh_tokens: Vec::new(),
            expires,
        }
    }

    /// Whether the access token is held by the same client, for the same subject of the same
    /// issuer.
    pub(super) fn has_holder_of(&self, access: &Introspection) -> bool {
        self.client_id == access.client_id
            && self.iss == access.iss
            && self.tenant == access.tenant
            && self.sub == access.sub
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
        if is_covered {
            return;
        }
        if self.grant.take().is_some() | self.sid.take().is_some() {
            // The earlier tokens are named by nothing that the new one has.
            self.unnamed_until = Some(self.expires);
        }
        let exp = access.exp.map_or(self.expires, NumericDate::seconds);
        self.access_tokens.retain(|(_, exp)| *exp + LEEWAY > now);
        match access.token {
            Some(selector) if self.access_tokens.len() < MOST_ACCESS_TOKENS => {
                self.access_tokens.push((selector, exp));
            }
            _ => self.unnamed_until = self.unnamed_until.max(Some(exp)),
        }
    }

    /// Adds an access token of which nothing is known.
    pub(super) fn add_unknown(&mut self, now: u64) {
        self.latest_iat = self.latest_iat.max(now);
        self.unnamed_until = Some(self.expires);
    }

    /// Adds a refresh token as the newest one, and forgets the oldest one if there are too many.
    pub(super) fn add_refresh_token(&mut self, digest: Digest, now: u64) {
        let known = self.refresh_tokens.iter().position(|(it, _)| *it == digest);
        let learnt = known.map_or(now, |place| self.refresh_tokens.remove(place).1);
        if self.refresh_tokens.len() >= MOST_REFRESH_TOKENS {
            self.refresh_tokens.remove(0);
        }
        self.refresh_tokens.push((digest, learnt));
    }

    /// Whether records can revoke every access token of the family.
    pub(super) fn is_coverable(&self) -> bool {
        self.unnamed_until.is_none() || self.sub.is_some()
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
        let own = own_selector(token);
        let learnt = self.refresh_tokens.iter().find(|(it, _)| it == digest);
        known.token = Some(own);
        known.iss.clone_from(&self.iss);
        known.tenant.clone_from(&self.tenant);
        known.sub.clone_from(&self.sub);
        known.grant.clone_from(&self.grant);
        known.sid.clone_from(&self.sid);
        known.iat = learnt.map(|(_, learnt)| NumericDate::new(*learnt));
        known.exp = Some(NumericDate::new(self.expires));
        known.rotated = self
            .refresh_tokens
            .last()
            .is_none_or(|(it, _)| it != digest);
        if !self.has_common_name() {
            known.grant = Some(name(id));
            let date = |(selector, exp): &(Selector, u64)| (*selector, NumericDate::new(*exp));
            let tokens = self.access_tokens.iter().map(date);
            // The own selector is found even if the link is forgotten.
            let own = (own, NumericDate::new(self.expires));
            let with = IssuedWith {
                tokens: tokens.chain([own]).collect(),
                unnamed_until: self.unnamed_until.map(NumericDate::new),
                latest_iat: Some(NumericDate::new(self.latest_iat)),
            };
            known.issued_with = Some(Box::new(with));
        }
        known
    }
}

/// The selector of a refresh token alone.
pub(super) fn own_selector(token: &Secret) -> Selector {
    Selector::opaque_token(Sha256::digest(token.expose()).into())
}

/// The name of a family as a grant: no issuer has one with this name.
fn name(id: FamilyId) -> String {
    use std::fmt::Write as _;

    let mut name = String::from("link:");
    for byte in id {
        let _ = write!(name, "{byte:02x}");
    }
    name
}
