//! The entries beside the records, in keys of their own.

mod call;

use std::sync::Arc;

use futures::future::BoxFuture;

use self::call::{Journaling, entries};
use super::{
    super::{
        super::{JournalChange, JournalEntry, JournalWrite, LogError, NumericDate},
        journal::{JournalPage, JournalStore, KeyedEntry},
    },
    fault::Fault,
    link::Link,
    scripts::Script,
    target::Target,
};

/// The keys, with a connection of their own, which is made at the first call.
pub(super) struct JournalKeys(Link);

impl JournalKeys {
    pub(super) fn new(target: Arc<Target>) -> Self {
        Self(Link::idle(target))
    }

    /// Returns the entries at these places, or with these keys, that are there.
    async fn read(&self, by_key: bool, names: &[&[u8]]) -> Result<Vec<JournalEntry>, Fault> {
        let mut found = Vec::new();
        let mut left = names;
        while !left.is_empty() {
            let by_key: &[u8] = if by_key { b"1" } else { b"0" };
            let arguments = [&[by_key], left].concat();
            let mut parts = self
                .0
                .call(&Journaling::reading(&self.0, Script::Read, &arguments))
                .await?;
            found.extend(entries(&mut parts)?);
            let looked = usize::try_from(parts.count()?).unwrap_or(usize::MAX);
            left = left.get(looked.max(1)..).unwrap_or_default();
        }
        Ok(found)
    }
}

impl JournalStore for JournalKeys {
    fn write<'a>(
        &'a self,
        mark: u64,
        batch: &'a [KeyedEntry],
    ) -> BoxFuture<'a, Result<Vec<JournalWrite>, LogError>> {
        Box::pin(async move {
            let mark = mark.to_be_bytes();
            let dates: Vec<_> = batch
                .iter()
                .map(|new| (date(new.expires), due(new.due)))
                .collect();
            let mut arguments = vec![&mark[..]];
            for (new, (expires, due)) in batch.iter().zip(&dates) {
                arguments.extend([&new.key[..], expires, due, &new.content]);
            }
            let call = Journaling::writing(&self.0, Script::Write, &arguments);
            let mut parts = self.0.call(&call).await?;
            let written = call::written(&mut parts, batch.len())?;
            let is_earlier =
                |(place, is_written): &(u64, bool)| (!is_written).then_some(place.to_string());
            let earlier: Vec<_> = written.iter().filter_map(is_earlier).collect();
            let earlier: Vec<_> = earlier.iter().map(String::as_bytes).collect();
            let mut earlier = self.read(false, &earlier).await?.into_iter();
            let results = written.into_iter().map(|(place, is_written)| {
                if is_written {
                    return Ok(JournalWrite::Written(place));
                }
                let next = earlier.next().filter(|entry| entry.place == place);
                let expired = || Fault::unavailable("an earlier entry has just expired: try again");
                next.map(JournalWrite::Earlier).ok_or_else(expired)
            });
            Ok(results.collect::<Result<_, _>>()?)
        })
    }

    fn replace<'a>(
        &'a self,
        mark: u64,
        batch: &'a [JournalChange],
    ) -> BoxFuture<'a, Result<Vec<bool>, LogError>> {
        Box::pin(async move {
            let mark = mark.to_be_bytes();
            let texts = batch.iter().map(|change| {
                let [place, version] = [change.place.to_string(), change.version.to_string()];
                (place, version, due(change.due))
            });
            let texts: Vec<_> = texts.collect();
            let mut arguments = vec![&mark[..]];
            for (change, (place, version, due)) in batch.iter().zip(&texts) {
                arguments.extend([place.as_bytes(), version.as_bytes(), due, &change.content]);
            }
            let call = Journaling::writing(&self.0, Script::Replace, &arguments);
            let mut parts = self.0.call(&call).await?;
            Ok(call::replaced(&mut parts, batch.len())?)
        })
    }

    fn get(&self, place: u64) -> BoxFuture<'_, Result<Option<JournalEntry>, LogError>> {
        Box::pin(async move {
            let found = self.read(false, &[place.to_string().as_bytes()]).await?;
            Ok(found.into_iter().next())
        })
    }

    fn find(&self, key: [u8; 32]) -> BoxFuture<'_, Result<Option<JournalEntry>, LogError>> {
        Box::pin(async move { Ok(self.read(true, &[&key]).await?.into_iter().next()) })
    }

    fn newest(&self, before: u64, limit: usize) -> BoxFuture<'_, Result<JournalPage, LogError>> {
        Box::pin(async move {
            let [before, limit] = [before.to_string(), limit.to_string()];
            let arguments = [before.as_bytes(), limit.as_bytes()];
            let call = Journaling::reading(&self.0, Script::Newest, &arguments);
            let mut parts = self.0.call(&call).await?;
            Ok(JournalPage {
                entries: entries(&mut parts)?,
                next: Some(call::place(&parts.text()?)?).filter(|place| *place > 0),
            })
        })
    }

    fn take_due(
        &self,
        mark: u64,
        limit: usize,
        lease: u64,
    ) -> BoxFuture<'_, Result<Vec<JournalEntry>, LogError>> {
        Box::pin(async move {
            let (mark, limit, lease) = (mark.to_be_bytes(), limit.to_string(), lease.to_string());
            let arguments = [&mark[..], limit.as_bytes(), lease.as_bytes()];
            let call = Journaling::writing(&self.0, Script::TakeDue, &arguments);
            let mut parts = self.0.call(&call).await?;
            Ok(entries(&mut parts)?)
        })
    }

    fn waiting(&self) -> BoxFuture<'_, Result<u64, LogError>> {
        Box::pin(async move {
            let call = Journaling::reading(&self.0, Script::Waiting, &[]);
            Ok(self.0.call(&call).await?.count()?)
        })
    }
}

fn date(date: NumericDate) -> [u8; 8] {
    date.seconds().to_be_bytes()
}

/// Nothing if there is no date.
fn due(due: Option<NumericDate>) -> Vec<u8> {
    due.map(|due| date(due).to_vec()).unwrap_or_default()
}
