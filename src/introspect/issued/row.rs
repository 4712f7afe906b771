//! What is kept of a token, and how it is called.

use hmac::{Hmac, KeyInit as _, Mac as _};
use redb::TableDefinition;
use sha2::{Digest as _, Sha256};

use super::{Grant, Use, grant::Realm};
use crate::{
    introspect::{Introspection, Scope, TokenKind},
    log::{Fault, LogErrorKind, NumericDate, Selector},
    token::Secret,
};

/// By the digest of the token: use, spent, `iat`, `exp`, `client_id`, `sub`, grant, scope, note.
pub(super) const TOKENS: TableDefinition<'_, &[u8; 32], Columns<'_>> =
    TableDefinition::new("issued");

pub(super) type Columns<'a> = (
    u8,
    bool,
    u64,
    u64,
    &'a str,
    Option<&'a str>,
    &'a str,
    Option<&'a str>,
    &'a str,
);

/// What a token is called in the file, from which it cannot be told back.
#[derive(Clone)]
pub(super) enum Digests {
    Sha256,
    Hmac(Hmac<Sha256>),
}

impl Digests {
    pub(super) fn keyed(key: &[u8]) -> Self {
        Self::Hmac(Hmac::new_from_slice(key).expect("HMAC takes keys of any length"))
    }

    pub(super) fn of(&self, token: &Secret) -> [u8; 32] {
        match self {
            Self::Sha256 => Sha256::digest(token.expose()).into(),
            Self::Hmac(keyed) => keyed
                .clone()
                .chain_update(token.expose())
                .finalize()
                .into_bytes()
                .into(),
        }
    }
}

/// One row, taken out of the file.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) usage: Use,
    pub(super) spent: bool,
    pub(super) iat: NumericDate,
    pub(super) exp: NumericDate,
    pub(super) grant: Grant,
    pub(super) note: String,
}

impl Row {
    /// A use that this version does not know was written by a newer one.
    pub(super) fn read(columns: Columns<'_>) -> Result<Self, Fault> {
        let (usage, spent, iat, exp, client_id, sub, id, scope, note) = columns;
        let usage = Use::from_octet(usage).ok_or_else(|| Fault::new(LogErrorKind::NewerFormat))?;
        Ok(Self {
            usage,
            spent,
            iat: NumericDate::new(iat),
            exp: NumericDate::new(exp),
            grant: Grant {
                id: id.to_owned(),
                client_id: client_id.to_owned(),
                sub: sub.map(str::to_owned),
                scope: scope.map(str::to_owned),
            },
            note: note.to_owned(),
        })
    }

    pub(super) fn columns(&self) -> Columns<'_> {
        let Grant {
            id,
            client_id,
            sub,
            scope,
        } = &self.grant;
        (
            self.usage as u8,
            self.spent,
            self.iat.seconds(),
            self.exp.seconds(),
            client_id,
            sub.as_deref(),
            id,
            scope.as_deref(),
            &self.note,
        )
    }

    /// As the rest of the crate knows tokens. An authorization code is none.
    pub(super) fn introspection(self, digest: [u8; 32], realm: &Realm) -> Option<Introspection> {
        let kind = match self.usage {
            Use::AccessToken => TokenKind::AccessToken,
            Use::RefreshToken => TokenKind::RefreshToken,
            Use::AuthorizationCode => return None,
        };
        let Grant {
            id,
            client_id,
            sub,
            scope,
        } = self.grant;
        let mut introspection = Introspection::new(kind, client_id);
        introspection.token = Some(Selector::opaque_token(digest));
        introspection.iss.clone_from(&realm.issuer);
        introspection.tenant.clone_from(&realm.tenant);
        introspection.sub = sub;
        introspection.grant = Some(id);
        introspection.scope = scope.map(Scope::new);
        introspection.iat = Some(self.iat);
        introspection.exp = Some(self.exp);
        introspection.rotated = self.spent;
        Some(introspection)
    }

    /// Everything that could have revoked it, as an access token's or a refresh token's selectors
    /// would.
    pub(super) fn selectors(
        &self,
        digest: [u8; 32],
        realm: &Realm,
    ) -> impl Iterator<Item = Selector> {
        std::iter::once(Selector::opaque_token(digest)).chain(self.grant.selectors(realm))
    }
}
