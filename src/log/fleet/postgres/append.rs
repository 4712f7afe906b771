//! Appends the batches of the callers that waited, in one transaction.

use std::sync::Arc;

use tokio_postgres::types::ToSql;

use super::{
    super::{
        super::NumericDate,
        engine::{Append, Committed, Done, Incarnation},
    },
    fault::Fault,
    link::{Link, OWN},
    values::{column, count, number, seconds, signed, unsigned},
};

/// The database says these in place of how many selectors were new.
const TOO_MANY: i64 = -1;
const FULL: i64 = -2;

pub(super) struct AppendStatement {
    link: Arc<Link>,
    sql: Arc<str>,
    ceiling: i64,
}

impl AppendStatement {
    pub(super) fn new(link: Arc<Link>, ceiling: usize) -> Self {
        let sql = include_str!("append.sql").replace("{schema}", &link.target.schema);
        Self {
            link,
            sql: sql.into(),
            ceiling: number(ceiling),
        }
    }

    /// Returns also whether there are new records.
    ///
    /// A batch that is covered is answered from a commit of its own: the lock that it takes is
    /// written to the write-ahead log, after the records that cover the batch. So it is durable, on
    /// the standbys too, only after they are, even if their commit was not waited for.
    pub(super) async fn run(&self, append: Append) -> Result<(Committed, bool), Fault> {
        let columns = Columns::of(&append);
        let selectors: Vec<&[u8]> = columns.selectors.iter().map(|bytes| &bytes[..]).collect();
        let mark = signed(append.mark);
        let parameters: [&(dyn ToSql + Sync); 8] = [
            &mark,
            &self.ceiling,
            &append.as_given,
            &columns.limits,
            &columns.batches,
            &selectors,
            &columns.not_before,
            &columns.expires,
        ];
        let row = &self.link.ask(&self.sql, &parameters).await?;
        let last: Vec<i64> = column(row, OWN + 2)?;
        let added: Vec<i64> = column(row, OWN + 3)?;
        if last.len() != append.batches.len() || added.len() != last.len() {
            return Err(Fault::corrupt("the server has not answered for each batch"));
        }
        let batches: Result<_, _> = last.into_iter().zip(added).map(done).collect();
        let committed = Committed {
            incarnation: Incarnation(unsigned(column(row, OWN)?)),
            at: NumericDate::from(column::<i64>(row, OWN + 1)?),
            batches: batches?,
        };
        Ok((committed, column(row, OWN + 4)?))
    }
}

fn done((last, added): (i64, i64)) -> Result<Done, Fault> {
    Ok(match added {
        TOO_MANY => Done::TooMany,
        FULL => Done::Full,
        added => Done::Appended {
            sequence: count(last)?,
            added: usize::try_from(count(added)?).unwrap_or(usize::MAX),
        },
    })
}

/// The batches as arrays. `batches` has the number of each record's batch, from 1 on.
#[derive(Default)]
struct Columns {
    limits: Vec<i64>,
    batches: Vec<i32>,
    selectors: Vec<[u8; 33]>,
    not_before: Vec<i64>,
    expires: Vec<i64>,
}

impl Columns {
    fn of(append: &Append) -> Self {
        let mut columns = Self::default();
        for (place, batch) in (1..).zip(&append.batches) {
            columns.limits.push(number(batch.new));
            for record in &batch.records {
                columns.batches.push(place);
                columns.selectors.push(record.selector().to_bytes());
                columns.not_before.push(seconds(record.not_before()));
                columns.expires.push(seconds(record.expires()));
            }
        }
        columns
    }
}
