//! The log of a fleet in Redis 7 or later, or Valkey 8 or later.
//!
//! A node has three connections: for polls, for appends, and to hear of appends by others. A replay
//! guard has another one, and so have a journal, a feed and a mirror. Each comes back by itself. No call
//! takes longer than its time limit.
//!
//! All keys of a log are on one server. A script runs there as a whole, so each append and each page
//! is one step.

mod append;
mod begin;
mod checks;
mod fault;
mod hint;
#[cfg(feature = "admin")]
mod journal;
mod keys;
mod lease;
mod leave;
mod link;
mod login;
mod poll;
mod primary;
mod proof;
#[cfg(feature = "jwt")]
mod replay;
mod resp;
mod rights;
mod scripts;
mod session;
mod settings;
mod sweep;
mod target;
mod tls;
mod values;
mod wire;

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use tokio::time;

use self::{
    append::Appends, fault::Fault, hint::Hints, keys::Keys, link::Link, poll::Polls,
    settings::Settings, target::Target,
};
#[cfg(any(feature = "embedded", feature = "feed"))]
use super::engine::Cursor;
#[cfg(feature = "admin")]
use super::journal::JournalStore;
#[cfg(feature = "jwt")]
use super::once::OnceStore;
use super::{
    super::{Durability, LogError, observe},
    engine::{Append, Ask, Committed, Engine, Incarnation, Page},
    url::Url,
};

/// How to use the server.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Which log, if the server has more than one: lower-case letters, digits and `_`.
    pub(crate) name: Option<String>,
    /// Limits the log to this many selectors.
    pub(crate) ceiling: usize,
    /// The time limit of a call. Shorter than the lease.
    pub(crate) timeout: Duration,
    /// That of all nodes.
    pub(crate) lease: Duration,
}

/// A log in a server.
pub(crate) struct Redis {
    target: Arc<Target>,
    polls: Polls,
    /// For those that follow this node.
    #[cfg(any(feature = "embedded", feature = "feed"))]
    reads: Polls,
    appends: Appends,
    appending: Arc<Link>,
    #[cfg(feature = "jwt")]
    replay: Arc<replay::Replay>,
    #[cfg(feature = "admin")]
    journal: Arc<journal::JournalKeys>,
    hints: Hints,
}

impl Redis {
    /// Checks the URL and the files that it names, without a connection. It blocks.
    ///
    /// # Errors
    ///
    /// Fails if they can never lead to a connection.
    pub(in crate::log::fleet) fn check(url: &Url) -> Result<(), LogError> {
        Ok(Settings::read(url, &|name| url.variable(name)).map(drop)?)
    }

    /// Connects, and checks the server.
    ///
    /// # Errors
    ///
    /// Fails with `Misconfigured` if something has to be changed before, with `UnknownFormat` if the
    /// log is from a newer version, and with `Unavailable` if the server cannot be reached.
    pub(in crate::log::fleet) async fn open(url: &Url, options: Options) -> Result<Self, LogError> {
        let settings = Settings::read(url, &|name| url.variable(name))?;
        let keys = Keys::new(options.name.as_deref());
        let target = Arc::new(Target::new(settings, keys, options.timeout, options.lease));
        let limit = (options.timeout * 3).max(Duration::from_secs(10));
        let opened = time::timeout(limit, Self::start(&target, options.ceiling));
        let late = |_| target.late();
        Ok(opened.await.map_err(late)??)
    }

    async fn start(target: &Arc<Target>, ceiling: usize) -> Result<Self, Fault> {
        let mut first = target.connect().await?;
        rights::check(&mut first, target).await?;
        let second = target.connect().await?;
        let appending = Arc::new(Link::new(target.clone(), second));
        let log = Self {
            polls: Polls::new(Link::new(target.clone(), first)),
            #[cfg(any(feature = "embedded", feature = "feed"))]
            reads: Polls::new(Link::idle(target.clone())),
            appends: Appends::new(appending.clone(), ceiling),
            appending,
            #[cfg(feature = "jwt")]
            replay: Arc::new(replay::Replay::start(target.clone())),
            #[cfg(feature = "admin")]
            journal: Arc::new(journal::JournalKeys::new(target.clone())),
            hints: Hints::start(target.clone()),
            target: target.clone(),
        };
        lease::claim(&log.appending).await?;
        // Shows that replicas confirm what is written.
        log.appends.append(nothing()).await?;
        target.settings.assumed.names().for_each(observe::assumed);
        Ok(log)
    }
}

fn nothing() -> Append {
    Append {
        mark: 0,
        batches: Vec::new(),
        as_given: false,
    }
}

impl Engine for Redis {
    async fn poll(&self, ask: Ask) -> Result<Page, LogError> {
        Ok(self.polls.poll(ask, &self.hints).await?)
    }

    #[cfg(any(feature = "embedded", feature = "feed"))]
    async fn read(&self, after: Cursor) -> Result<Page, LogError> {
        Ok(self.reads.poll(Ask::reading(after), &self.hints).await?)
    }

    async fn append(&self, append: Append) -> Result<Committed, LogError> {
        Ok(self.appends.append(append).await?)
    }

    async fn begin(&self, after: Incarnation) -> Result<(), LogError> {
        Ok(begin::after(&self.appending, after).await?)
    }

    fn reconnect(&self) {
        self.target.replaced();
    }

    /// Not stored: it must outlive `FLUSHALL`.
    #[cfg(feature = "embedded")]
    fn id(&self) -> Arc<str> {
        let (keys, database) = (&self.target.keys, self.target.settings.database);
        format!("redis {database} {}", keys.all[0]).into()
    }

    async fn leave(&self, member: u64) -> Result<(), LogError> {
        Ok(leave::leave(&self.appending, member).await?)
    }

    async fn hint(&self) {
        self.hints.next().await;
    }

    async fn sweep(&self) -> Result<u64, LogError> {
        Ok(sweep::sweep(&self.appending).await?)
    }

    #[cfg(feature = "jwt")]
    fn once_store(&self) -> Option<Arc<dyn OnceStore>> {
        Some(self.replay.clone())
    }

    #[cfg(feature = "admin")]
    fn journal_store(&self) -> Option<Arc<dyn JournalStore>> {
        Some(self.journal.clone())
    }

    /// Never `Replicated`: a failover can lose what replicas have confirmed.
    fn durability(&self) -> Durability {
        if self.target.settings.volatile {
            Durability::Volatile
        } else {
            Durability::Disk
        }
    }
}
