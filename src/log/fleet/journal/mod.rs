//! The journal of a log that is on a server.

mod batch;
mod store;

use std::{fmt, sync::Arc, time::Duration};

use futures::future::BoxFuture;

use super::{
    super::{
        Journal, JournalChange, JournalEntry, JournalWrite, LogError, LogErrorKind,
        NewJournalEntry, check_lengths,
    },
    FleetLog, url,
};
pub(crate) use batch::KeyedEntry;
use batch::{Changes, KeyedBatch};
#[cfg(any(feature = "postgres", feature = "redis"))]
pub(crate) use store::JournalPage;
pub(crate) use store::JournalStore;
use store::mark;

/// A server is asked for at most this many entries at once, and has each in its memory meanwhile.
const PIECE: usize = 256;

/// The entries beside the records of a [`FleetLog`]. **All processes of the log share them.** Made by
/// [`FleetLog::journal`].
///
/// Entries are on the server of the log, in tables or keys of their own. A change is durable with the
/// [durability](crate::log::Durability) of the log, and what a failover or a restore loses is not
/// given back: unlike records, entries are kept by the server alone. Entries expire, and are due, by
/// its clock. The process that removes expired records also removes expired entries.
///
/// Dropping the future of a call cancels nothing.
///
/// The place of an entry that has expired, or that a failover has lost, is not used again.
///
/// ```no_run
/// use tower_revocation::log::{FleetLog, Journal, NewJournalEntry, NumericDate};
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tower_revocation::log::LogError> {
/// let log = FleetLog::connect("postgres://revoker@db.example.com/app").await?;
/// let journal = log.journal()?;
/// let expires = NumericDate::now() + Duration::from_secs(86_400);
/// journal.write(vec![NewJournalEntry::new(b"an order".to_vec(), expires)]).await?;
/// assert_eq!(journal.newest(None, 1).await?[0].content, b"an order");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct FleetJournal {
    log: FleetLog,
    store: Arc<dyn JournalStore>,
}

impl FleetLog {
    /// Returns the journal on the server of the log. It has a connection of its own. All journals of
    /// one log are the same journal.
    ///
    /// # Errors
    ///
    /// Fails with [`Misconfigured`](crate::log::LogErrorKind::Misconfigured) if the log is a feed,
    /// which has no journal.
    ///
    /// ```no_run
    /// use tower_revocation::log::{FleetLog, Journal};
    ///
    /// # async fn _example(log: FleetLog) -> Result<(), tower_revocation::log::LogError> {
    /// println!("{} entries have a due date", log.journal()?.waiting().await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn journal(&self) -> Result<FleetJournal, LogError> {
        let store = self.journal.clone().ok_or_else(|| {
            url::wrong(
                "a feed has no journal: order revocations at a process that is connected to the \
                 server of the log, or keep the journal in a file",
            )
        })?;
        Ok(FleetJournal {
            log: self.clone(),
            store,
        })
    }
}

impl FleetJournal {
    /// Calls the server in a task of its own. If it ended with its caller, others would lose the
    /// connection that they share with it.
    fn run<T, F>(&self, call: impl FnOnce(Self) -> F) -> BoxFuture<'static, Result<T, LogError>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, LogError>> + Send + 'static,
    {
        let task = self.log.runtime.spawn(call(self.clone()));
        Box::pin(async move {
            let ended = |_| Err(LogError::new(LogErrorKind::Closed));
            task.await.unwrap_or_else(ended)
        })
    }

    /// Returns the store, or at once an error if the server is known to be away.
    fn store(&self) -> Result<&dyn JournalStore, LogError> {
        match self.log.refusal() {
            Some(refusal) => Err(refusal),
            None => Ok(&*self.store),
        }
    }
}

impl Journal for FleetJournal {
    fn write(
        &self,
        batch: Vec<NewJournalEntry>,
    ) -> BoxFuture<'_, Result<Vec<JournalWrite>, LogError>> {
        self.run(|journal| async move {
            check_lengths(batch.iter().map(|new| &new.content))?;
            let batch = KeyedBatch::new(batch)?;
            if batch.entries().is_empty() {
                return Ok(Vec::new());
            }
            let written = journal.store()?.write(mark()?, batch.entries()).await?;
            Ok(batch.results(&written))
        })
    }

    fn replace(&self, batch: Vec<JournalChange>) -> BoxFuture<'_, Result<Vec<bool>, LogError>> {
        self.run(|journal| async move {
            check_lengths(batch.iter().map(|change| &change.content))?;
            let changes = Changes::new(batch);
            if changes.distinct().is_empty() {
                return Ok(Vec::new());
            }
            let replaced = journal
                .store()?
                .replace(mark()?, changes.distinct())
                .await?;
            Ok(changes.results(&replaced))
        })
    }

    fn get(&self, place: u64) -> BoxFuture<'_, Result<Option<JournalEntry>, LogError>> {
        self.run(|journal| async move { journal.store()?.get(place).await })
    }

    fn find(&self, key: [u8; 32]) -> BoxFuture<'_, Result<Option<JournalEntry>, LogError>> {
        self.run(|journal| async move { journal.store()?.find(key).await })
    }

    fn newest(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<JournalEntry>, LogError>> {
        self.run(|journal| async move {
            let mut entries = Vec::new();
            let mut before = before.unwrap_or(u64::MAX);
            while entries.len() < limit {
                let piece = (limit - entries.len()).min(PIECE);
                let page = journal.store()?.newest(before, piece).await?;
                entries.extend(page.entries);
                match page.next {
                    Some(next) => before = next,
                    None => break,
                }
            }
            Ok(entries)
        })
    }

    fn take_due(
        &self,
        limit: usize,
        lease: Duration,
    ) -> BoxFuture<'_, Result<Vec<JournalEntry>, LogError>> {
        self.run(|journal| async move {
            if limit == 0 {
                return Ok(Vec::new());
            }
            let limit = limit.min(PIECE);
            journal
                .store()?
                .take_due(mark()?, limit, seconds(lease))
                .await
        })
    }

    fn waiting(&self) -> BoxFuture<'_, Result<u64, LogError>> {
        self.run(|journal| async move { journal.store()?.waiting().await })
    }
}

impl fmt::Debug for FleetJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FleetJournal")
            .field("log", &self.log)
            .finish_non_exhaustive()
    }
}

/// The clock of a server is read in whole seconds. One that has just begun would end a lease too
/// early.
fn seconds(lease: Duration) -> u64 {
    if lease.is_zero() {
        return 0;
    }
    let fraction = u64::from(lease.subsec_nanos() > 0);
    lease.as_secs().saturating_add(fraction).saturating_add(1)
}
