//! The row of a token in the file, and its key.

use hmac::{Hmac, KeyInit as _, Mac as _};
use redb::TableDefinition;
use sha2::{Digest as _, Sha256};

use super::{Grant, TokenUse, grant::Namespace};
use crate::{
    introspect::{Introspection, Scope, TokenKind},
    log::{Fault, FileKey, LogErrorKind, NumericDate, Selector},
    token::Secret,
};

/// The digest of the token → its row, masked.
pub(super) const TOKENS: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("issued");

/// The flags of a row.
const USED: u8 = 1;
const HAS_SUB: u8 = 2;
const HAS_SCOPE: u8 = 4;

/// Where `exp` begins, for every use: behind use, flags and `iat`.
const EXP: usize = 1 + 1 + 8;

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
    /// Reads a row of the table.
    ///
    /// Fails for a use that this version does not know.
    pub(super) fn read(key: &FileKey, row: &[u8]) -> Result<Self, Fault> {
        let mut plain = Vec::new();
        key.unmask(row, &mut plain)?;
        Self::unmasked(&plain)
    }

    /// Reads a row that is not masked, with the same errors.
    pub(super) fn unmasked(plain: &[u8]) -> Result<Self, Fault> {
        unpack(plain).unwrap_or_else(|| Err(Fault::new(LogErrorKind::Corrupt)))
    }

    /// Reads only when the token expires, also for a use that this version does not know.
    pub(super) fn read_exp(
        key: &FileKey,
        row: &[u8],
        plain: &mut Vec<u8>,
    ) -> Result<NumericDate, Fault> {
        key.unmask(row, plain)?;
        let exp = plain.get(EXP..).and_then(|exp| exp.first_chunk());
        let exp = exp.ok_or_else(|| Fault::new(LogErrorKind::Corrupt))?;
        Ok(NumericDate::new(u64::from_le_bytes(*exp)))
    }

    /// Use, flags, `iat`, `exp`, and the texts, each behind its length.
    pub(super) fn pack(&self) -> Vec<u8> {
        let Grant {
            id,
            client_id,
            sub,
            scope,
        } = &self.grant;
        let flags = [
            (self.used, USED),
            (sub.is_some(), HAS_SUB),
            (scope.is_some(), HAS_SCOPE),
        ];
        let flags = flags.iter().filter(|(is_set, _)| *is_set);
        let flags = flags.fold(0, |flags, (_, flag)| flags | flag);
        let mut plain = vec![self.usage as u8, flags];
        plain.extend_from_slice(&self.iat.seconds().to_le_bytes());
        plain.extend_from_slice(&self.exp.seconds().to_le_bytes());
        let (sub, scope) = (
            sub.as_deref().unwrap_or_default(),
            scope.as_deref().unwrap_or_default(),
        );
        for text in [client_id, sub, id, scope, &self.note] {
            plain.extend_from_slice(&(text.len() as u64).to_le_bytes());
            plain.extend_from_slice(text.as_bytes());
        }
        plain
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

/// `None` if it is damaged.
fn unpack(plain: &[u8]) -> Option<Result<Row, Fault>> {
    let (&[usage, flags], plain) = plain.split_first_chunk()?;
    let Some(usage) = TokenUse::from_byte(usage) else {
        return Some(Err(Fault::new(LogErrorKind::UnknownFormat)));
    };
    let (iat, plain) = plain.split_first_chunk()?;
    let (exp, mut plain) = plain.split_first_chunk()?;
    let [iat, exp] = [iat, exp].map(|date| NumericDate::new(u64::from_le_bytes(*date)));
    let mut text = || text(&mut plain);
    let (client_id, sub, id, scope, note) = (text()?, text()?, text()?, text()?, text()?);
    let has = |flag| flags & flag != 0;
    plain.is_empty().then_some(Ok(Row {
        usage,
        used: has(USED),
        iat,
        exp,
        grant: Grant {
            id,
            client_id,
            sub: has(HAS_SUB).then_some(sub),
            scope: has(HAS_SCOPE).then_some(scope),
        },
        note,
    }))
}

/// Takes the next text.
fn text(plain: &mut &[u8]) -> Option<String> {
    let (length, rest) = plain.split_first_chunk()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (text, rest) = rest.split_at_checked(length)?;
    *plain = rest;
    Some(std::str::from_utf8(text).ok()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_is_read_as_it_was_written_and_a_damaged_one_is_refused() {
        let row = Row {
            usage: TokenUse::RefreshToken,
            used: true,
            iat: NumericDate::new(7),
            exp: NumericDate::FOREVER,
            grant: Grant::new("g1", "").subject("älice"),
            note: "note".into(),
        };
        let plain = row.pack();
        assert_eq!(plain[EXP..][..8], row.exp.seconds().to_le_bytes());
        let read = unpack(&plain).unwrap().unwrap();
        assert_eq!(format!("{row:?}"), format!("{read:?}"));
        for length in 0..plain.len() {
            assert!(unpack(&plain[..length]).is_none(), "{length}");
        }
        assert!(unpack(&[&plain, &[0][..]].concat()).is_none());
    }
}
