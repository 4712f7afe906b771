//! Appends the batches of the callers that waited, in one transaction.

use std::{collections::HashSet, sync::Arc};

use tokio_postgres::types::ToSql;

use super::{
    super::{
        super::NumericDate,
        engine::{Append, Batch, Committed, Done, Incarnation},
    },
    fault::Fault,
    link::{Link, OWN},
    values::{column, count, number, seconds, signed, unsigned},
};

/// The database says these in place of how many selectors were new.
const TOO_MANY: i64 = -1;
const FULL: i64 = -2;

/// Its commit waits for the disk and for the standbys, which have everything that was committed before it
/// by then.
///
/// Where many callers append, their append does not wait itself, so that another node gets the lock
/// meanwhile, and one flush serves both. One caller would wait longer, for two commits.
const FLUSH: &str = "select pg_logical_emit_message(true, 'tower_revocation', '')";

pub(super) struct AppendStatement {
    link: Arc<Link>,
    sql: Arc<str>,
    flush: Arc<str>,
    ceiling: i64,
}

impl AppendStatement {
    pub(super) fn new(link: Arc<Link>, ceiling: usize) -> Self {
        let sql = include_str!("append.sql").replace("{schema}", &link.target.schema);
        Self {
            link,
            sql: sql.into(),
            flush: FLUSH.into(),
            ceiling: number(ceiling),
        }
    }

    /// Returns also whether there are new records.
    ///
    /// Once it returns, these records are durable, and so are those that they were compared with: another
    /// node may have appended them a moment ago.
    pub(super) async fn run(&self, append: Append) -> Result<(Committed, bool), Fault> {
        let columns = Columns::of(&append);
        let selectors: Vec<&[u8]> = columns.selectors.iter().map(|bytes| &bytes[..]).collect();
        let mark = signed(append.mark);
        let is_flushed_later = append.batches.len() > 1;
        let parameters: [&(dyn ToSql + Sync); 10] = [
            &mark,
            &self.ceiling,
            &append.as_given,
            &columns.limits,
            &columns.batches,
            &selectors,
            &columns.not_before,
            &columns.expires,
            &columns.are_distinct(),
            &is_flushed_later,
        ];
        let (link, sql) = (&self.link, &self.sql);
        let row = &if is_flushed_later {
            link.ask_then(sql, &parameters, &self.flush).await?
        } else {
            link.ask(sql, &parameters).await?
        };
        let last: Option<Vec<i64>> = column(row, OWN + 3)?;
        let batches = match last {
            Some(last) => {
                let added: Vec<i64> = column(row, OWN + 4)?;
                if added.len() != last.len() {
                    return Err(miscounted());
                }
                last.into_iter().zip(added).map(done).collect()
            }
            None => all_new(count(column(row, OWN + 2)?)?, &append.batches),
        };
        let batches: Vec<_> = batches?;
        if batches.len() != append.batches.len() {
            return Err(miscounted());
        }
        let committed = Committed {
            incarnation: Incarnation(unsigned(column(row, OWN)?)),
            at: NumericDate::from(column::<i64>(row, OWN + 1)?),
            batches,
        };
        Ok((committed, column(row, OWN + 5)?))
    }
}

fn miscounted() -> Fault {
    Fault::corrupt("the server has not answered for each batch")
}

/// Each record was appended, after the record `head`.
fn all_new(head: u64, batches: &[Batch]) -> Result<Vec<Done>, Fault> {
    let mut sequence = head;
    let batches = batches.iter().map(|batch| {
        let added = batch.records.len();
        sequence += added as u64;
        Ok(Done::Appended { sequence, added })
    });
    batches.collect()
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

    fn are_distinct(&self) -> bool {
        let mut seen = HashSet::with_capacity(self.selectors.len());
        self.selectors.iter().all(|selector| seen.insert(selector))
    }
}
