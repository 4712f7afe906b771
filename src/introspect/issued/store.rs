//! What is done to the rows, as a part of the log's own commits.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use redb::{Database, ReadableDatabase as _, ReadableTable, Table, TableDefinition, TableError};

use super::{
    Grant, Issued, Mint, Rotation, Use,
    grant::Realm,
    row::{Columns, Digests, Row, TOKENS},
};
use crate::{
    log::{Fault, LogErrorKind, NumericDate, Step, Work},
    token::Secret,
};

/// `check`: the digest of a known text, by which a wrong key is told.
const KEY: TableDefinition<'_, &str, &[u8; 32]> = TableDefinition::new("issued_key");

/// `forgotten`: the latest end of any token that has been forgotten.
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("issued_meta");

/// So many rows are looked at in one step of a sweep.
const SWEEP_STEP: usize = 1024;

type Tokens<'t> = Table<'t, &'static [u8; 32], Columns<'static>>;

/// Whether the key is the one that the file was begun with, if it was begun.
pub(super) fn has_begun(database: &Database, check: &[u8; 32]) -> Result<Option<bool>, Fault> {
    let transaction = database.begin_read()?;
    match transaction.open_table(KEY) {
        Ok(key) => Ok(key.get("check")?.map(|begun| begun.value() == check)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Makes the tables in a new file. Answers whether the key is the one that the file was begun with.
pub(super) fn begin(work: &mut Work<'_>, check: &[u8; 32]) -> Result<bool, Fault> {
    let mut key = work.transaction.open_table(KEY)?;
    if let Some(begun_with) = key.get("check")? {
        return Ok(begun_with.value() == check);
    }
    key.insert("check", check)?;
    work.transaction.open_table(TOKENS)?;
    work.dirty = true;
    Ok(true)
}

/// The row of a token, as of the last commit.
///
/// If there is none, and the clock has gone back to a time when tokens were alive that have been
/// forgotten since, that is an error: this may have been one of them.
pub(super) fn find(
    database: &Database,
    digest: &[u8; 32],
    now: NumericDate,
) -> Result<Option<Row>, Fault> {
    let transaction = database.begin_read()?;
    let row = {
        let table = transaction.open_table(TOKENS)?;
        let row = table.get(digest)?;
        row.map(|row| Row::read(row.value())).transpose()?
    };
    if row.is_none() {
        match transaction.open_table(META) {
            Ok(meta) => nothing_is_forgotten(&meta, now)?,
            // The first sweep makes it.
            Err(TableError::TableDoesNotExist(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(row)
}

/// Fails if a token that has been forgotten may be alive.
fn nothing_is_forgotten(
    meta: &impl ReadableTable<&'static str, u64>,
    now: NumericDate,
) -> Result<(), Fault> {
    let forgotten = meta.get("forgotten")?.map_or(0, |end| end.value());
    if NumericDate::new(forgotten) > now {
        return Err(Fault::new(LogErrorKind::ClockWentBack));
    }
    Ok(())
}

/// Forgets what has been expired for longer than `kept`, among the next few rows.
pub(super) fn sweep(
    work: &mut Work<'_>,
    from: [u8; 32],
    kept: Duration,
    now: NumericDate,
) -> Result<Step<[u8; 32]>, Fault> {
    let mut tokens = work.transaction.open_table(TOKENS)?;
    let mut horizon = None;
    let mut expired = Vec::new();
    let mut next = None;
    for (seen, row) in tokens.range::<&[u8; 32]>(&from..)?.enumerate() {
        let (digest, row) = row?;
        if seen == SWEEP_STEP {
            next = Some(*digest.value());
            break;
        }
        let (_, _, _, exp, ..) = row.value();
        if NumericDate::new(exp) + kept <= now {
            expired.push(*digest.value());
            horizon = horizon.max(Some(exp));
        }
    }
    for digest in &expired {
        tokens.remove(digest)?;
    }
    if let Some(horizon) = horizon {
        let mut meta = work.transaction.open_table(META)?;
        let known = meta.get("forgotten")?.map_or(0, |end| end.value());
        meta.insert("forgotten", horizon.max(known))?;
        work.dirty = true;
    }
    Ok(Step {
        removed: expired.len() as u64,
        next,
    })
}

/// What it takes to make a token.
#[derive(Clone)]
pub(super) struct Register {
    pub(super) digests: Digests,
    pub(super) longest_lifetime: Duration,
}

/// A token that nobody has been given yet.
pub(super) struct Coin {
    token: Secret,
    digest: [u8; 32],
    order: Mint,
}

impl Register {
    /// Makes the tokens, aside of the thread that writes.
    pub(super) fn coin(&self, orders: Vec<Mint>) -> Vec<Coin> {
        let coin = |mut order: Mint| {
            order.lifetime = order.lifetime.min(self.longest_lifetime);
            let token = Secret::new(random());
            Coin {
                digest: self.digests.of(&token),
                token,
                order,
            }
        };
        orders.into_iter().map(coin).collect()
    }
}

pub(super) fn issue(
    work: &mut Work<'_>,
    realm: &Realm,
    grant: &Grant,
    coins: Vec<Coin>,
) -> Result<Option<Vec<Issued>>, Fault> {
    let Some(iat) = earliest_iat(work, realm, grant)? else {
        return Ok(None);
    };
    let mut tokens = work.transaction.open_table(TOKENS)?;
    mint(work, &mut tokens, iat, grant, coins).map(Some)
}

pub(super) fn rotate(
    work: &mut Work<'_>,
    realm: &Realm,
    old: &[u8; 32],
    coins: Vec<Coin>,
) -> Result<Rotation, Fault> {
    let now = NumericDate::now();
    let mut tokens = work.transaction.open_table(TOKENS)?;
    let row = tokens.get(old)?.map(|row| Row::read(row.value()));
    let Some(mut row) = row.transpose()? else {
        nothing_is_forgotten(&work.transaction.open_table(META)?, now)?;
        return Ok(Rotation::Dead);
    };
    for selector in row.selectors(*old, realm) {
        if work
            .record(&selector)
            .is_some_and(|record| record.covers(row.iat))
        {
            return Ok(Rotation::Dead);
        }
    }
    if row.usage == Use::AccessToken {
        return Ok(Rotation::Dead);
    }
    if row.spent {
        return Ok(Rotation::Spent(row.grant));
    }
    if row.exp <= now {
        return Ok(Rotation::Dead);
    }
    // A record about this token would have been kept until it ends.
    if work.may_have_forgotten(row.exp) {
        return Err(Fault::new(LogErrorKind::ClockWentBack));
    }
    let Some(iat) = first_uncovered(work, realm, &row.grant, now) else {
        return Ok(Rotation::Dead);
    };
    let issued = mint(work, &mut tokens, iat, &row.grant, coins)?;
    row.spent = true;
    tokens.insert(old, row.columns())?;
    Ok(Rotation::Issued(issued))
}

/// The first second from now on that no record covers, for anything of a grant. `None` if it is
/// revoked.
///
/// Fails while the clock is behind the end of a record that was forgotten: it may have been about
/// this grant, and nothing says when the grant ends.
pub(super) fn earliest_iat(
    work: &Work<'_>,
    realm: &Realm,
    grant: &Grant,
) -> Result<Option<NumericDate>, Fault> {
    let now = NumericDate::now();
    let iat = first_uncovered(work, realm, grant, now);
    // What was forgotten by this very second is no concern: the clock has not gone back.
    if iat.is_some() && work.may_have_forgotten(now + Duration::from_secs(1)) {
        return Err(Fault::new(LogErrorKind::ClockWentBack));
    }
    Ok(iat)
}

/// As far as the records go that the log has.
fn first_uncovered(
    work: &Work<'_>,
    realm: &Realm,
    grant: &Grant,
    now: NumericDate,
) -> Option<NumericDate> {
    let mut iat = now;
    for selector in grant.selectors(realm) {
        let Some(record) = work.record(&selector) else {
            continue;
        };
        if record.covers(NumericDate::FOREVER) {
            return None;
        }
        if record.covers(iat) {
            // The second after the covered one, even if it has not come yet.
            iat = record.not_before() + Duration::from_secs(1);
        }
    }
    Some(iat)
}

fn mint(
    work: &mut Work<'_>,
    tokens: &mut Tokens<'_>,
    iat: NumericDate,
    grant: &Grant,
    coins: Vec<Coin>,
) -> Result<Vec<Issued>, Fault> {
    let mut issued = Vec::with_capacity(coins.len());
    for Coin {
        token,
        digest,
        order,
    } in coins
    {
        let mut grant = grant.clone();
        grant.scope = order.scope.or(grant.scope);
        let (usage, exp) = (order.usage, iat + order.lifetime);
        let row = Row {
            usage,
            spent: false,
            iat,
            exp,
            grant,
            note: order.note,
        };
        tokens.insert(&digest, row.columns())?;
        issued.push(Issued {
            token,
            usage,
            iat,
            exp,
        });
    }
    work.dirty = true;
    Ok(issued)
}

/// 256 random bits, in characters that no client has to escape.
///
/// # Panics
///
/// If the operating system has no random numbers.
pub(super) fn random() -> String {
    let mut octets = [0; 32];
    getrandom::fill(&mut octets).expect("the operating system has random numbers");
    URL_SAFE_NO_PAD.encode(octets)
}
