//! The tables of issued tokens. All writes are a part of the log's own commits.

use std::time::Duration;

use redb::{Database, ReadableDatabase as _, ReadableTable, Table, TableDefinition, TableError};

use super::super::{
    Grant, IssuedToken, Rotation, TokenUse,
    generated::Generated,
    grant::Namespace,
    row::{Row, TOKENS},
};
use crate::log::{Fault, FileKey, LogErrorKind, NumericDate, Work};

/// `check`: the digest of a fixed text. It shows whether a key is the right one.
const KEY: TableDefinition<'_, &str, &[u8; 32]> = TableDefinition::new("issued_key");

/// `forgotten`: the latest `exp` of all tokens that were removed. The first sweep creates it.
pub(super) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("issued_meta");

type Tokens<'t> = Table<'t, &'static [u8; 32], &'static [u8]>;

/// Whether the file was created with this key. `None` if it has no tables of tokens yet.
pub(super) fn is_right_key(database: &Database, check: &[u8; 32]) -> Result<Option<bool>, Fault> {
    let transaction = database.begin_read()?;
    match transaction.open_table(KEY) {
        Ok(key) => Ok(key.get("check")?.map(|stored| stored.value() == check)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Creates the tables in a new file. Returns whether the file was created with this key.
pub(super) fn create(work: &mut Work<'_>, check: &[u8; 32]) -> Result<bool, Fault> {
    let mut key = work.transaction.open_table(KEY)?;
    if let Some(stored) = key.get("check")? {
        return Ok(stored.value() == check);
    }
    key.insert("check", check)?;
    work.transaction.open_table(TOKENS)?;
    work.dirty = true;
    Ok(true)
}

/// The row of a token, as of the last commit.
///
/// Fails if there is no row and the clock is behind the `exp` of a token that was removed: this
/// token may be that one.
pub(super) fn find(
    database: &Database,
    key: &FileKey,
    digest: &[u8; 32],
    now: NumericDate,
) -> Result<Option<Row>, Fault> {
    let transaction = database.begin_read()?;
    let row = {
        let table = transaction.open_table(TOKENS)?;
        let row = table.get(digest)?;
        row.map(|row| Row::read(key, row.value())).transpose()?
    };
    if row.is_none() {
        match transaction.open_table(META) {
            Ok(meta) => fail_if_removed_token_may_be_live(&meta, now)?,
            Err(TableError::TableDoesNotExist(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(row)
}

fn fail_if_removed_token_may_be_live(
    meta: &impl ReadableTable<&'static str, u64>,
    now: NumericDate,
) -> Result<(), Fault> {
    let forgotten = meta.get("forgotten")?.map_or(0, |exp| exp.value());
    if NumericDate::new(forgotten) > now {
        return Err(Fault::new(LogErrorKind::ClockWentBack));
    }
    Ok(())
}

/// Stores tokens of a grant. `None` if the grant is revoked.
pub(super) fn issue(
    work: &mut Work<'_>,
    namespace: &Namespace,
    grant: &Grant,
    generated: Vec<Generated>,
) -> Result<Option<Vec<IssuedToken>>, Fault> {
    let Some(iat) = earliest_iat(work, namespace, grant)? else {
        return Ok(None);
    };
    let mut tokens = work.transaction.open_table(TOKENS)?;
    insert(work, &mut tokens, iat, grant, generated).map(Some)
}

/// Exchanges a token for others of the same grant.
pub(super) fn rotate(
    work: &mut Work<'_>,
    namespace: &Namespace,
    old: &[u8; 32],
    generated: Vec<Generated>,
) -> Result<Rotation, Fault> {
    let now = NumericDate::now();
    let mut tokens = work.transaction.open_table(TOKENS)?;
    let row = tokens.get(old)?;
    let row = row.map(|row| Row::read(work.key(), row.value()));
    let Some(mut row) = row.transpose()? else {
        fail_if_removed_token_may_be_live(&work.transaction.open_table(META)?, now)?;
        return Ok(Rotation::Invalid);
    };
    for selector in row.selectors(*old, namespace) {
        if work
            .record(&selector)
            .is_some_and(|record| record.covers(row.iat))
        {
            return Ok(Rotation::Invalid);
        }
    }
    if row.usage == TokenUse::AccessToken {
        return Ok(Rotation::Invalid);
    }
    if row.used {
        return Ok(Rotation::Reused(row.grant));
    }
    if row.exp <= now {
        return Ok(Rotation::Invalid);
    }
    // A record about this token is kept until the token expires. If records up to that time were
    // removed, one of them may have been about it.
    if work.may_have_forgotten(row.exp) {
        return Err(Fault::new(LogErrorKind::ClockWentBack));
    }
    let Some(iat) = first_uncovered(work, namespace, &row.grant, now) else {
        return Ok(Rotation::Invalid);
    };
    let issued = insert(work, &mut tokens, iat, &row.grant, generated)?;
    row.used = true;
    tokens.insert(old, &*work.mask(&row.pack()))?;
    Ok(Rotation::Issued(issued))
}

/// The first second from now on that no record covers, for anything of a grant. `None` if the grant
/// is revoked.
///
/// Fails while the clock is behind the end of a record that was removed: the record may have been
/// about this grant, and nothing says when the grant ends.
pub(super) fn earliest_iat(
    work: &Work<'_>,
    namespace: &Namespace,
    grant: &Grant,
) -> Result<Option<NumericDate>, Fault> {
    let now = NumericDate::now();
    let iat = first_uncovered(work, namespace, grant, now);
    // A record that ended in this second may have been removed by a clock that is right.
    if iat.is_some() && work.may_have_forgotten(now + Duration::from_secs(1)) {
        return Err(Fault::new(LogErrorKind::ClockWentBack));
    }
    Ok(iat)
}

/// The same, by the records that are still in the log.
fn first_uncovered(
    work: &Work<'_>,
    namespace: &Namespace,
    grant: &Grant,
    now: NumericDate,
) -> Option<NumericDate> {
    let mut iat = now;
    for selector in grant.selectors(namespace) {
        let Some(record) = work.record(&selector) else {
            continue;
        };
        if record.covers(NumericDate::FOREVER) {
            return None;
        }
        if record.covers(iat) {
            // The second after the last covered one, even if it is in the future.
            iat = record.not_before() + Duration::from_secs(1);
        }
    }
    Some(iat)
}

fn insert(
    work: &mut Work<'_>,
    tokens: &mut Tokens<'_>,
    iat: NumericDate,
    grant: &Grant,
    generated: Vec<Generated>,
) -> Result<Vec<IssuedToken>, Fault> {
    let mut issued = Vec::with_capacity(generated.len());
    for generated in generated {
        let row = generated.row(grant, iat).pack();
        tokens.insert(&generated.digest, &*work.mask(&row))?;
        issued.push(generated.issued(iat));
    }
    work.dirty = true;
    Ok(issued)
}
