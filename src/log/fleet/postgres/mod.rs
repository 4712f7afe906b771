//! The log of a fleet in PostgreSQL 14 or later.
//!
//! A node has three connections: for polls, for appends, and to be told of appends by others. A
//! replay guard has another one, and so have a journal, a feed and a mirror. Each comes back by itself.
//! No call takes longer than its time limit.

mod advice;
mod append;
mod checks;
mod fault;
mod hint;
#[cfg(feature = "issued")]
mod issued;
#[cfg(feature = "admin")]
mod journal;
mod lease;
mod link;
mod members;
mod migrate;
mod poll;
#[cfg(feature = "jwt")]
mod replay;
mod session;
mod settings;
mod snapshot;
mod stream;
mod sweep;
mod target;
mod tls;
mod values;

#[cfg(test)]
mod tests;

#[cfg(feature = "issued")]
pub(crate) use self::issued::{Issued, IssuedServer, IssuedTables, NewRow, OldToken};

use std::{sync::Arc, time::Duration};

use tokio::{task, time};

use self::{
    append::AppendStatement, fault::Fault, hint::Hints, link::Link, members::MemberStatements,
    poll::PollStatement, snapshot::Snapshots, sweep::SweepStatement, target::Target,
};
#[cfg(any(feature = "embedded", feature = "feed"))]
use super::engine::Cursor;
#[cfg(feature = "admin")]
use super::journal::JournalStore;
#[cfg(feature = "jwt")]
use super::once::OnceStore;
use super::{
    super::{Durability, LogError},
    engine::{Append, Ask, Committed, Engine, Incarnation, Page},
    url::Url,
};

/// The newest records stay, even if they have expired. A node that is this many records behind goes
/// on from where it stands.
const KEEP: u32 = 10_000;

/// How to use the database.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Which log, if the database has more than one: lower-case letters, digits and `_`.
    pub(crate) name: Option<String>,
    /// Limits the log to this many selectors.
    pub(crate) ceiling: usize,
    /// The time limit of a call, with a new connection if one is needed. Shorter than the lease.
    pub(crate) timeout: Duration,
    /// How long the node waits for the answer to a poll.
    pub(crate) poll_timeout: Duration,
    /// That of all nodes.
    pub(crate) lease: Duration,
}

/// A log in a database.
pub(crate) struct Postgres {
    target: Arc<Target>,
    polls: PollStatement,
    /// For those that follow this node.
    #[cfg(any(feature = "embedded", feature = "feed"))]
    reads: PollStatement,
    appends: AppendStatement,
    members: MemberStatements,
    sweeps: SweepStatement,
    #[cfg(feature = "jwt")]
    replay: Arc<replay::Replay>,
    #[cfg(feature = "admin")]
    journal: Arc<journal::JournalTables>,
    hints: Hints,
    #[cfg(feature = "embedded")]
    id: Arc<str>,
    snapshots: Snapshots,
}

impl Postgres {
    /// Checks the URL and the files that it names, without a connection. It blocks.
    ///
    /// # Errors
    ///
    /// Fails if they can never lead to a connection.
    pub(in crate::log::fleet) fn check(url: &Url, timeout: Duration) -> Result<(), LogError> {
        Ok(Target::new(url.clone(), None, timeout).map(drop)?)
    }

    /// Connects, checks the server, and creates the tables if there are none.
    ///
    /// # Errors
    ///
    /// Fails with `Misconfigured` if something has to be changed before, with `UnknownFormat` if the
    /// tables are from a newer version, and with `Unavailable` if the server cannot be reached.
    pub(in crate::log::fleet) async fn open(url: &Url, options: Options) -> Result<Self, LogError> {
        let limit = options.timeout;
        let (url, name) = (url.clone(), options.name.clone());
        // It reads files: passwords and certificates.
        let read = task::spawn_blocking(move || Target::new(url, name.as_deref(), limit));
        let read = read.await;
        let target = read.map_err(|_| Fault::unavailable("the settings could not be read"))?;
        let target = Arc::new(target?);
        // A node that starts may wait for another one that creates the tables.
        let limit = (limit * 3).max(Duration::from_secs(10));
        let opened = time::timeout(limit, Self::start(&target, &options));
        let late = |_| target.late();
        Ok(opened.await.map_err(late)??)
    }

    async fn start(target: &Arc<Target>, options: &Options) -> Result<Self, Fault> {
        let first = target.connect().await?;
        migrate::migrate(&first, &target.schema, migrate::MIGRATIONS).await?;
        checks::rights(&first, &target.schema).await?;
        lease::claim(&first, &target.schema, options.lease).await?;
        let id = checks::id(&first, &target.schema).await?;
        let second = target.connect().await?;
        checks::not_pooled(&first, &second).await?;
        target.saw(first.replicated)?;
        let [polls, appends] =
            [first, second].map(|session| Arc::new(Link::new(target.clone(), session)));
        Ok(Self {
            // The server that a poll asked is the one whose incarnation is over.
            members: MemberStatements::new(polls.clone()),
            polls: PollStatement::new(polls),
            #[cfg(any(feature = "embedded", feature = "feed"))]
            reads: PollStatement::new(Arc::new(Link::idle(target.clone()))),
            sweeps: SweepStatement::new(appends.clone(), KEEP),
            appends: AppendStatement::new(appends, options.ceiling),
            #[cfg(feature = "jwt")]
            replay: Arc::new(replay::Replay::new(target.clone())),
            #[cfg(feature = "admin")]
            journal: Arc::new(journal::JournalTables::new(target.clone())),
            hints: Hints::start(target.clone()),
            snapshots: Snapshots::open(target, &id, options.poll_timeout).await,
            #[cfg(feature = "embedded")]
            id,
            target: target.clone(),
        })
    }
}

impl Engine for Postgres {
    async fn poll(&self, ask: Ask) -> Result<Page, LogError> {
        Ok(self.snapshots.poll(&self.polls, ask).await?)
    }

    #[cfg(any(feature = "embedded", feature = "feed"))]
    async fn read(&self, after: Cursor) -> Result<Page, LogError> {
        Ok(self.reads.run(Ask::reading(after)).await?)
    }

    async fn append(&self, append: Append) -> Result<Committed, LogError> {
        let appended = self.appends.run(append).await;
        // One that failed may have written records, which the next one finds there.
        if appended.as_ref().map_or(true, |(_, wrote)| *wrote) {
            self.hints.tell();
        }
        Ok(appended?.0)
    }

    async fn begin(&self, after: Incarnation) -> Result<(), LogError> {
        Ok(self.members.begin(after).await?)
    }

    #[cfg(feature = "embedded")]
    fn id(&self) -> Arc<str> {
        self.id.clone()
    }

    fn reconnect(&self) {
        self.target.replaced();
    }

    async fn leave(&self, member: u64) -> Result<(), LogError> {
        Ok(self.members.leave(member).await?)
    }

    async fn hint(&self) {
        self.hints.next().await;
    }

    async fn sweep(&self) -> Result<u64, LogError> {
        Ok(self.sweeps.run().await?)
    }

    #[cfg(feature = "issued")]
    fn issued_server(&self) -> Option<IssuedServer> {
        Some(IssuedServer(self.target.clone()))
    }

    #[cfg(feature = "jwt")]
    fn once_store(&self) -> Option<Arc<dyn OnceStore>> {
        Some(self.replay.clone())
    }

    #[cfg(feature = "admin")]
    fn journal_store(&self) -> Option<Arc<dyn JournalStore>> {
        Some(self.journal.clone())
    }

    /// As the server has said with its last answer: the setting can be changed while it runs.
    fn durability(&self) -> Durability {
        if self.target.is_replicated() {
            Durability::Replicated
        } else {
            Durability::Disk
        }
    }
}
