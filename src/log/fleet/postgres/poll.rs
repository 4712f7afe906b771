//! Reads the records after a cursor.

use std::sync::Arc;

use super::{
    super::engine::{Cursor, Page},
    fault::Fault,
    link::{Link, OWN},
    values::{column, count, date, number, records, signed, unsigned},
};

/// How many records a page has at most.
pub(super) const PAGE: u32 = 4096;

pub(super) struct Polls {
    link: Link,
    sql: Arc<str>,
    page: i64,
}

impl Polls {
    pub(super) fn new(link: Link) -> Self {
        let sql = include_str!("poll.sql").replace("{schema}", &link.target.schema);
        Self {
            link,
            sql: sql.into(),
            page: PAGE.into(),
        }
    }

    pub(super) async fn poll(&self, after: Cursor) -> Result<Page, Fault> {
        let (sequence, mark) = (number(after.sequence), signed(after.mark));
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
            [&sequence, &mark, &self.page];
        let answer = self.link.ask(&self.sql, &parameters).await?;
        let row = &answer.row;
        Ok(Page {
            incarnation: answer.incarnation(column(row, OWN)?),
            same_history: column(row, OWN + 1)?,
            forgotten: date(column(row, OWN + 2)?),
            upto: Cursor {
                sequence: count(column(row, OWN + 3)?)?,
                mark: unsigned(column(row, OWN + 4)?),
            },
            more: column(row, OWN + 5)?,
            records: records(column(row, OWN + 6)?)?,
        })
    }
}
