//! Removes what is not needed any more.

use std::sync::Arc;

use tokio_postgres::types::ToSql;

use super::{
    fault::Fault,
    link::{Link, OWN},
    values::{column, count},
};

/// Appends wait while a piece is removed.
const PIECE: i32 = 4096;
/// Entries can be long.
const ENTRIES: i32 = 512;

pub(super) struct SweepStatement {
    link: Arc<Link>,
    sql: Arc<str>,
    replay: Arc<str>,
    journal: Arc<str>,
    keep: i64,
}

impl SweepStatement {
    /// The newest `keep` records stay.
    pub(super) fn new(link: Arc<Link>, keep: u32) -> Self {
        let [sql, replay, journal] = [
            include_str!("sweep.sql"),
            include_str!("sweep_replay.sql"),
            include_str!("sweep_journal.sql"),
        ]
        .map(|sql| sql.replace("{schema}", &link.target.schema).into());
        Self {
            link,
            sql,
            replay,
            journal,
            keep: keep.into(),
        }
    }

    pub(super) async fn run(&self) -> Result<u64, Fault> {
        self.pieces(&self.replay, &[&PIECE]).await?;
        self.pieces(&self.journal, &[&ENTRIES]).await?;
        self.pieces(&self.sql, &[&self.keep, &PIECE]).await
    }

    async fn pieces(
        &self,
        sql: &Arc<str>,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, Fault> {
        let mut all = 0;
        loop {
            let row = self.link.ask(sql, parameters).await?;
            all += count(column(&row, OWN)?)?;
            if !column(&row, OWN + 1)? {
                return Ok(all);
            }
        }
    }
}
