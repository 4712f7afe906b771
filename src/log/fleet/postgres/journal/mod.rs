//! The entries beside the records. Each call is one statement, which is one transaction.

use std::sync::Arc;

use futures::future::BoxFuture;
use tokio_postgres::{Row, types::ToSql};

use super::{
    super::{
        super::{JournalChange, JournalEntry, JournalWrite, LogError},
        journal::{JournalPage, JournalStore, KeyedEntry},
    },
    fault::Fault,
    link::{Link, OWN},
    target::Target,
    values::{column, count, date, number, seconds, signed},
};

/// The tables, with a connection of their own, which is made at the first call.
pub(super) struct JournalTables {
    link: Link,
    write: Arc<str>,
    replace: Arc<str>,
    get: Arc<str>,
    find: Arc<str>,
    newest: Arc<str>,
    take_due: Arc<str>,
    waiting: Arc<str>,
}

impl JournalTables {
    pub(super) fn new(target: Arc<Target>) -> Self {
        let statement = |sql: &str| sql.replace("{schema}", &target.schema).into();
        Self {
            write: statement(include_str!("write.sql")),
            replace: statement(include_str!("replace.sql")),
            get: statement(include_str!("get.sql")),
            find: statement(include_str!("find.sql")),
            newest: statement(include_str!("newest.sql")),
            take_due: statement(include_str!("take_due.sql")),
            waiting: statement(include_str!("waiting.sql")),
            link: Link::idle(target),
        }
    }
}

impl JournalStore for JournalTables {
    fn write<'a>(
        &'a self,
        mark: u64,
        batch: &'a [KeyedEntry],
    ) -> BoxFuture<'a, Result<Vec<JournalWrite>, LogError>> {
        Box::pin(async move {
            let keys: Vec<&[u8]> = batch.iter().map(|entry| &entry.key[..]).collect();
            let contents: Vec<&[u8]> = batch.iter().map(|entry| &entry.content[..]).collect();
            let expires: Vec<_> = batch.iter().map(|entry| seconds(entry.expires)).collect();
            let dues: Vec<_> = batch.iter().map(|entry| entry.due.map(seconds)).collect();
            let mark = signed(mark);
            let parameters: [&(dyn ToSql + Sync); 5] = [&mark, &keys, &contents, &expires, &dues];
            let row = self.link.ask(&self.write, &parameters).await?;
            let written: Vec<_> = rows(&row)?.into_iter().map(written).collect();
            Ok(one_for_each(batch, written)?
                .into_iter()
                .collect::<Result<_, _>>()?)
        })
    }

    fn replace<'a>(
        &'a self,
        mark: u64,
        batch: &'a [JournalChange],
    ) -> BoxFuture<'a, Result<Vec<bool>, LogError>> {
        Box::pin(async move {
            let places: Vec<_> = batch.iter().map(|change| number(change.place)).collect();
            let versions: Vec<_> = batch
                .iter()
                .map(|change| i64::from(change.version))
                .collect();
            let contents: Vec<&[u8]> = batch.iter().map(|change| &change.content[..]).collect();
            let dues: Vec<_> = batch.iter().map(|change| change.due.map(seconds)).collect();
            let mark = signed(mark);
            let parameters: [&(dyn ToSql + Sync); 5] =
                [&mark, &places, &versions, &contents, &dues];
            let row = self.link.ask(&self.replace, &parameters).await?;
            Ok(one_for_each(batch, column(&row, OWN)?)?)
        })
    }

    fn get(&self, place: u64) -> BoxFuture<'_, Result<Option<JournalEntry>, LogError>> {
        Box::pin(async move {
            let row = self.link.ask(&self.get, &[&number(place)]).await?;
            Ok(entries(&row)?.pop())
        })
    }

    fn find(&self, key: [u8; 32]) -> BoxFuture<'_, Result<Option<JournalEntry>, LogError>> {
        Box::pin(async move {
            let row = self.link.ask(&self.find, &[&&key[..]]).await?;
            Ok(entries(&row)?.pop())
        })
    }

    fn newest(&self, before: u64, limit: usize) -> BoxFuture<'_, Result<JournalPage, LogError>> {
        Box::pin(async move {
            let parameters: [&(dyn ToSql + Sync); 2] = [&number(before), &whole(limit)];
            let row = self.link.ask(&self.newest, &parameters).await?;
            let entries = entries(&row)?;
            let last = entries.last().filter(|_| entries.len() >= limit);
            let next = last.map(|entry| entry.place);
            Ok(JournalPage { entries, next })
        })
    }

    fn take_due(
        &self,
        mark: u64,
        limit: usize,
        lease: u64,
    ) -> BoxFuture<'_, Result<Vec<JournalEntry>, LogError>> {
        Box::pin(async move {
            let (mark, limit, lease) = (signed(mark), whole(limit), number(lease));
            let parameters: [&(dyn ToSql + Sync); 3] = [&mark, &limit, &lease];
            let row = self.link.ask(&self.take_due, &parameters).await?;
            Ok(entries(&row)?)
        })
    }

    fn waiting(&self) -> BoxFuture<'_, Result<u64, LogError>> {
        Box::pin(async move {
            let row = self.link.ask(&self.waiting, &[]).await?;
            Ok(count(column(&row, OWN)?)?)
        })
    }
}

/// Place, version, due date and content.
type Columns = (i64, Option<i64>, Option<i64>, Option<Vec<u8>>);

fn rows(row: &Row) -> Result<Vec<Columns>, Fault> {
    let places: Vec<i64> = column(row, OWN)?;
    let versions: Vec<Option<i64>> = column(row, OWN + 1)?;
    let dues: Vec<Option<i64>> = column(row, OWN + 2)?;
    let contents: Vec<Option<Vec<u8>>> = column(row, OWN + 3)?;
    let rows = places.into_iter().zip(versions).zip(dues).zip(contents);
    let rows = rows.map(|(((place, version), due), content)| (place, version, due, content));
    Ok(rows.collect())
}

fn entries(row: &Row) -> Result<Vec<JournalEntry>, Fault> {
    let entries = rows(row)?
        .into_iter()
        .map(|columns| match written(columns)? {
            JournalWrite::Earlier(entry) => Ok(entry),
            JournalWrite::Written(_) => Err(Fault::corrupt("the tables have half an entry")),
        });
    entries.collect()
}

/// Only an earlier entry has a content.
fn written((place, version, due, content): Columns) -> Result<JournalWrite, Fault> {
    let place = count(place)?;
    let (Some(version), Some(content)) = (version, content) else {
        return Ok(JournalWrite::Written(place));
    };
    let version = u32::try_from(version)
        .map_err(|_| Fault::corrupt("the tables have an entry with too many changes"))?;
    let entry = JournalEntry::new(place, version, content, due.map(date));
    Ok(JournalWrite::Earlier(entry))
}

fn one_for_each<G, R>(given: &[G], results: Vec<R>) -> Result<Vec<R>, Fault> {
    if results.len() == given.len() {
        return Ok(results);
    }
    Err(Fault::corrupt("the server has not answered for each entry"))
}

fn whole(limit: usize) -> i32 {
    limit.try_into().unwrap_or(i32::MAX)
}
