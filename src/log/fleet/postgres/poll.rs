//! Reads the records after a cursor, and stores what the node says of itself.

use std::{sync::Arc, time::Duration};

use tokio_postgres::{Row, types::ToSql};

use super::{
    super::engine::{Ask, Cursor, History, Incarnation, Member, Membership, Page},
    fault::Fault,
    link::{Link, OWN},
    values::{column, count, date, number, records, signed, unsigned},
};

/// How many records a page has at most.
pub(super) const PAGE: u32 = 4096;

pub(super) struct PollStatement {
    link: Arc<Link>,
    sql: Arc<str>,
    page: i64,
}

impl PollStatement {
    pub(super) fn new(link: Arc<Link>) -> Self {
        let sql = include_str!("poll.sql").replace("{schema}", &link.target.schema);
        Self {
            link,
            sql: sql.into(),
            page: PAGE.into(),
        }
    }

    pub(super) async fn run(&self, ask: Ask) -> Result<Page, Fault> {
        self.limited(ask, self.page).await
    }

    /// Everything but the records.
    pub(super) async fn head(&self, ask: Ask) -> Result<Page, Fault> {
        self.limited(ask, 0).await
    }

    async fn limited(&self, ask: Ask, page: i64) -> Result<Page, Fault> {
        let (sequence, mark) = (number(ask.after.sequence), signed(ask.after.mark));
        let member = signed(ask.member);
        let name = ask.report.as_ref().map(|report| &*report.name);
        let (applied, healed, waits) = ask.report.as_ref().map_or((0, 0, false), |report| {
            let healed = signed(report.healed.0);
            (number(report.applied), healed, report.waits)
        });
        let silent: Vec<_> = ask.silent.iter().map(|one| signed(one.member)).collect();
        let beats: Vec<_> = ask.silent.iter().map(|one| number(one.beat)).collect();
        let parameters: [&(dyn ToSql + Sync); 10] = [
            &sequence, &mark, &page, &member, &name, &applied, &healed, &waits, &silent, &beats,
        ];
        let row = &self.link.ask(&self.sql, &parameters).await?;
        let now = count(column(row, OWN + 11)?)?;
        Ok(Page {
            incarnation: Incarnation(unsigned(column(row, OWN)?)),
            history: match column::<i32>(row, OWN + 1)? {
                0 => History::Same,
                1 => History::Swept,
                _ => History::Other,
            },
            forgotten: date(column(row, OWN + 2)?),
            upto: Cursor {
                sequence: count(column(row, OWN + 3)?)?,
                mark: unsigned(column(row, OWN + 4)?),
            },
            more: column(row, OWN + 5)?,
            expected: Some(count(column(row, OWN + 6)?)?),
            records: records(column(row, OWN + 7)?)?,
            membership: Membership {
                was_listed: column(row, OWN + 8)?,
                barrier: column(row, OWN + 9)?,
                report_wanted: column(row, OWN + 10)?,
                members: members(row, OWN + 12)?,
            },
            engine_now: Some(Duration::from_millis(now)),
            age: Duration::ZERO,
        })
    }
}

/// Reads the members from five columns.
fn members(row: &Row, first: usize) -> Result<Vec<Member>, Fault> {
    let ids: Vec<i64> = column(row, first)?;
    let names: Vec<&str> = column(row, first + 1)?;
    let beats: Vec<i64> = column(row, first + 2)?;
    let applied: Vec<i64> = column(row, first + 3)?;
    let healed: Vec<i64> = column(row, first + 4)?;
    let members = ids
        .into_iter()
        .zip(names)
        .zip(beats)
        .zip(applied)
        .zip(healed);
    members
        .map(|((((id, name), beat), applied), healed)| {
            Ok(Member {
                id: unsigned(id),
                name: name.into(),
                beat: count(beat)?,
                applied: count(applied)?,
                healed: Incarnation(unsigned(healed)),
            })
        })
        .collect()
}
