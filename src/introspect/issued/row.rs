//! The row of a token in the file, and its key.

use hmac::{Hmac, KeyInit as _, Mac as _};
use redb::TableDefinition;
use sha2::{Digest as _, Sha256};

use super::{Grant, TokenUse, grant::Namespace};
use crate::{
    introspect::{Introspection, Scope, TokenKind},
    log::{Fault, LogErrorKind, NumericDate, Selector},
    token::Secret,
};

/// Key: the digest of the token. Columns: use, used, `iat`, `exp`, `client_id`, `sub`, grant,
/// scope, note.
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

/// How the key of a token is computed. The token cannot be computed back from it.
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

/// One row, read from the file.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) usage: TokenUse,
    pub(super) used: bool,
    pub(super) iat: NumericDate,
    pub(super) exp: NumericDate,
    pub(super) grant: Grant,
    pub(super) note: String,
}

impl Row {
    /// Fails for a use that this version does not know: a newer version wrote it.
    pub(super) fn read(columns: Columns<'_>) -> Result<Self, Fault> {
        let (usage, used, iat, exp, client_id, sub, id, scope, note) = columns;
        let usage =
            TokenUse::from_byte(usage).ok_or_else(|| Fault::new(LogErrorKind::NewerFormat))?;
        Ok(Self {
            usage,
            used,
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
            self.used,
            self.iat.seconds(),
            self.exp.seconds(),
            client_id,
            sub.as_deref(),
            id,
            scope.as_deref(),
            &self.note,
        )
    }

    /// The introspection of the token. `None` for an authorization code, which is not a token.
    pub(super) fn introspection(
        self,
        digest: [u8; 32],
        namespace: &Namespace,
    ) -> Option<Introspection> {
        let kind = match self.usage {
            TokenUse::AccessToken => TokenKind::AccessToken,
            TokenUse::RefreshToken => TokenKind::RefreshToken,
            TokenUse::AuthorizationCode => return None,
        };
        let Grant {
            id,
            client_id,
            sub,
            scope,
        } = self.grant;
        let mut introspection = Introspection::new(kind, client_id);
        introspection.token = Some(Selector::opaque_token(digest));
        introspection.iss.clone_from(&namespace.issuer);
        introspection.tenant.clone_from(&namespace.tenant);
        introspection.sub = sub;
        introspection.grant = Some(id);
        introspection.scope = scope.map(Scope::new);
        introspection.iat = Some(self.iat);
        introspection.exp = Some(self.exp);
        introspection.rotated = self.used;
        Some(introspection)
    }

    /// Every selector whose record revokes the token.
    pub(super) fn selectors(
        &self,
        digest: [u8; 32],
        namespace: &Namespace,
    ) -> impl Iterator<Item = Selector> {
        std::iter::once(Selector::opaque_token(digest)).chain(self.grant.selectors(namespace))
    }
}
