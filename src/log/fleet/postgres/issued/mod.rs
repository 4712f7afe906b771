//! The tables of issued tokens, beside those of the log.
//!
//! They have connections of their own, so that neither appends nor polls wait for them.

mod sweeper;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::future::try_join_all;
use tokio_postgres::types::ToSql;

use self::sweeper::Sweeper;
use super::{
    super::super::{LogError, LogErrorKind, NumericDate, Selector},
    fault::Fault,
    link::{Link, OWN},
    target::Target,
    values::{column, count, date, number, signed},
};

/// Each write waits for the disk, so several are under way at once.
const WRITERS: usize = 3;

/// How many rows one statement of a sweep removes.
const PIECE: i32 = 1024;

/// Where the tables are.
#[derive(Clone)]
pub(crate) struct IssuedServer(pub(super) Arc<Target>);

impl IssuedServer {
    /// Connects to the tables.
    pub(crate) async fn connect(&self) -> Result<IssuedTables, LogError> {
        let target = &self.0;
        let links = (0..=WRITERS).map(|_| async {
            let session = target.connect().await?;
            Ok::<_, Fault>(Link::new(target.clone(), session))
        });
        let mut writers = try_join_all(links).await?;
        let reader = writers.swap_remove(0);
        let statement = |sql: &str| sql.replace("{schema}", &target.schema).into();
        Ok(IssuedTables {
            reader,
            writers,
            turn: AtomicUsize::new(0),
            open: statement(include_str!("open.sql")),
            find: statement(include_str!("find.sql")),
            issue: statement(include_str!("issue.sql")),
            sweep: statement(include_str!("sweep.sql")),
            sweeper: Mutex::new(None),
        })
    }
}

pub(crate) struct IssuedTables {
    reader: Link,
    writers: Vec<Link>,
    turn: AtomicUsize,
    open: Arc<str>,
    find: Arc<str>,
    issue: Arc<str>,
    sweep: Arc<str>,
    sweeper: Mutex<Option<Sweeper>>,
}

/// A token that is to be stored.
pub(crate) struct NewRow {
    pub(crate) digest: [u8; 32],
    pub(crate) content: Vec<u8>,
    pub(crate) lifetime: Duration,
}

/// What is stored about a token.
pub(crate) struct StoredRow {
    pub(crate) content: Vec<u8>,
    pub(crate) iat: NumericDate,
    pub(crate) exp: NumericDate,
    pub(crate) used: bool,
}

/// The token that is exchanged.
pub(crate) struct OldToken {
    pub(crate) digest: [u8; 32],
    pub(crate) selector: Selector,
}

pub(crate) enum Issued {
    /// In this second.
    At(NumericDate),
    /// The old token was exchanged before.
    Reused,
    /// The grant is revoked, or the old token is revoked, expired or unknown.
    Revoked,
}

impl IssuedTables {
    /// Returns whether the tokens were stored with this key. The first caller's is right.
    pub(crate) async fn is_right_key(&self, check: &[u8; 32]) -> Result<bool, LogError> {
        let row = self.writer().ask(&self.open, &[&&check[..]]).await?;
        Ok(column(&row, OWN)?)
    }

    /// Finds a token.
    ///
    /// # Errors
    ///
    /// Fails with `ClockWentBack` if the token is unknown and may have been removed too early.
    pub(crate) async fn find(&self, digest: &[u8; 32]) -> Result<Option<StoredRow>, LogError> {
        let row = self.reader.ask(&self.find, &[&&digest[..]]).await?;
        let content: Option<Vec<u8>> = column(&row, OWN + 3)?;
        let Some(content) = content else {
            if column(&row, OWN + 4)? {
                return Err(LogError::new(LogErrorKind::ClockWentBack));
            }
            return Ok(None);
        };
        Ok(Some(StoredRow {
            content,
            iat: date(column(&row, OWN)?),
            exp: date(column(&row, OWN + 1)?),
            used: column(&row, OWN + 2)?,
        }))
    }

    /// Stores tokens of a grant, and exchanges the old one for them, if there is one. Without a
    /// token, returns when one could be issued.
    ///
    /// # Errors
    ///
    /// Fails with `Unavailable` if there is no answer. It may have been done nevertheless. Fails
    /// with `ClockWentBack` if a record that may have been about the grant was removed too early.
    pub(crate) async fn issue(
        &self,
        old: Option<OldToken>,
        grant: impl Iterator<Item = Selector>,
        rows: &[NewRow],
    ) -> Result<Issued, LogError> {
        let mark = getrandom::u64().expect("the operating system has random numbers");
        let selectors: Vec<[u8; 33]> = grant.map(|selector| selector.to_bytes()).collect();
        let selectors: Vec<&[u8]> = selectors.iter().map(|bytes| &bytes[..]).collect();
        let token = old.as_ref().map(|old| old.selector.to_bytes());
        let digests: Vec<&[u8]> = rows.iter().map(|row| &row.digest[..]).collect();
        let contents: Vec<&[u8]> = rows.iter().map(|row| &row.content[..]).collect();
        let lifetimes: Vec<i64> = rows.iter().map(|row| whole_seconds(row.lifetime)).collect();
        let parameters: [&(dyn ToSql + Sync); 7] = [
            &signed(mark),
            &old.as_ref().map(|old| &old.digest[..]),
            &token.as_ref().map(|token| &token[..]),
            &selectors,
            &digests,
            &contents,
            &lifetimes,
        ];
        let row = match self.writer().ask(&self.issue, &parameters).await {
            // It may have been done. The same call, sent again, finds out.
            Err(fault) if fault.kind == LogErrorKind::Unavailable => {
                self.writer().ask(&self.issue, &parameters).await?
            }
            asked => asked?,
        };
        match column(&row, OWN)? {
            0 => Ok(Issued::At(date(column(&row, OWN + 1)?))),
            1 => Ok(Issued::Revoked),
            2 => Ok(Issued::Reused),
            3 => Err(LogError::new(LogErrorKind::ClockWentBack)),
            _ => Err(Fault::corrupt("the tables have an unknown outcome").into()),
        }
    }

    /// Removes the tokens that have been expired for longer than this, and returns their number.
    pub(crate) async fn sweep(&self, retention: Duration) -> Result<u64, LogError> {
        let retention = whole_seconds(retention);
        let mut all = 0;
        loop {
            let parameters: [&(dyn ToSql + Sync); 2] = [&retention, &PIECE];
            let row = self.writer().ask(&self.sweep, &parameters).await?;
            all += count(column(&row, OWN)?)?;
            if !column(&row, OWN + 1)? {
                return Ok(all);
            }
        }
    }

    /// Sweeps once in each period, for as long as the tables are in use. Called again, it changes
    /// the period.
    pub(crate) fn sweep_every(self: &Arc<Self>, period: Duration, retention: Duration) {
        let sweeper = Sweeper::start(self, period, retention);
        let mut slot = self.sweeper.lock().unwrap_or_else(PoisonError::into_inner);
        *slot = Some(sweeper);
    }

    fn writer(&self) -> &Link {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        &self.writers[turn % self.writers.len()]
    }
}

/// A part of a second is one.
fn whole_seconds(time: Duration) -> i64 {
    number((NumericDate::new(0) + time).seconds())
}
