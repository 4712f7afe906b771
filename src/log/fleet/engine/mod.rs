//! What the core asks of an engine, and what an engine answers. An engine carries requests and
//! decides nothing.

mod append;
#[cfg(any(feature = "postgres", feature = "redis"))]
mod lease;
mod poll;

use std::future::Future;

#[cfg(any(feature = "postgres", feature = "redis"))]
pub(crate) use self::lease::other_lease;
pub(crate) use self::{
    append::{Append, Batch, Committed, Done},
    poll::{Ask, History, Member, Membership, Page, Report, Silent},
};
use super::super::{Durability, LogError, NumericDate, Revocation};
#[cfg(feature = "admin")]
use super::journal::JournalStore;
#[cfg(feature = "jwt")]
use super::once::OnceStore;

/// One life of a log. Another one begins when the engine may have lost records: after a failover, or
/// when it was restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Incarnation(pub(crate) u64);

/// The last record that a node has.
///
/// The number alone does not show that the engine has lost its tail and gained other records since.
/// The mark does: it comes from the random mark of an append, from the mark of the record before, and
/// from what was stored, so an equal one shows equal records up to here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Cursor {
    pub(crate) sequence: u64,
    pub(crate) mark: u64,
}

pub(crate) trait Engine: Send + Sync + 'static {
    /// Reads at most some thousand records after a cursor, and stores the report.
    ///
    /// Where a failover is possible, the engine answers only after it has shown that it can still
    /// make something durable: an old primary still answers reads.
    ///
    /// # Errors
    ///
    /// Fails with `Unavailable` if there is no answer.
    fn poll(&self, ask: Ask) -> impl Future<Output = Result<Page, LogError>> + Send;

    /// Reads the records after a cursor, as a poll without a report does, for those that follow this
    /// node over HTTP, and for the copy on its disk. It must not get in the way of the node's own
    /// polls: an engine with connections has one of its own for it.
    ///
    /// # Errors
    ///
    /// Fails with `Unavailable` if there is no answer.
    #[cfg(any(feature = "embedded", feature = "feed"))]
    fn read(&self, after: Cursor) -> impl Future<Output = Result<Page, LogError>> + Send {
        self.poll(Ask::reading(after))
    }

    /// How old what it says may be while nothing fails. A relay says how old its knowledge is.
    #[cfg(feature = "feed")]
    fn delay(&self) -> std::time::Duration {
        std::time::Duration::ZERO
    }

    /// Why nothing can be appended, if this engine only reads.
    fn read_only(&self) -> Option<&'static str> {
        None
    }

    /// Appends in one transaction, and returns once it is durable. Without a batch, it does all that
    /// an append does, but leaves no record: it shows whether the engine accepts appends.
    ///
    /// # Errors
    ///
    /// Fails with `Unavailable` if there is no answer. The batches may be in the log nevertheless. To
    /// send them again does no harm.
    fn append(&self, append: Append) -> impl Future<Output = Result<Committed, LogError>> + Send;

    /// Begins another incarnation, with a random number, if this one is still the current one. A node
    /// that finds that the log has lost its end calls it, so that all nodes notice.
    ///
    /// # Errors
    ///
    /// Fails with `Unavailable` if there is no answer.
    fn begin(&self, after: Incarnation) -> impl Future<Output = Result<(), LogError>> + Send;

    /// An answer came from a server that has been replaced by another one. The engine connects again,
    /// and tries other servers first, if there are several.
    fn reconnect(&self) {}

    /// Removes a node that ends from the list, so that others do not wait for it.
    ///
    /// # Errors
    ///
    /// Fails with `Unavailable` if there is no answer. Others strike the member out then.
    fn leave(&self, member: u64) -> impl Future<Output = Result<(), LogError>> + Send;

    /// Returns when there may be new records. Only a hint: it can be too early, too late or never.
    fn hint(&self) -> impl Future<Output = ()> + Send;

    /// Removes records that have expired by the engine's clock, and those that later ones have
    /// replaced. Returns how many.
    ///
    /// # Errors
    ///
    /// Fails with `Unavailable` if there is no answer.
    fn sweep(&self) -> impl Future<Output = Result<u64, LogError>> + Send;

    /// What distinguishes this log from others. It stays the same in all incarnations.
    #[cfg(feature = "embedded")]
    fn id(&self) -> std::sync::Arc<str> {
        std::sync::Arc::default()
    }

    /// Where issued tokens can be stored. `None` if the engine has no tables for them.
    #[cfg(all(feature = "issued", feature = "postgres"))]
    fn issued_server(&self) -> Option<super::postgres::IssuedServer> {
        None
    }

    /// Where the engine remembers what may be used only once, if it does.
    #[cfg(feature = "jwt")]
    fn once_store(&self) -> Option<std::sync::Arc<dyn OnceStore>> {
        None
    }

    /// Where the engine keeps a journal, if it does.
    #[cfg(feature = "admin")]
    fn journal_store(&self) -> Option<std::sync::Arc<dyn JournalStore>> {
        None
    }

    /// What the settings of the engine guarantee, as checked when it was opened.
    fn durability(&self) -> Durability;
}

/// How far the clock of a node may be off, in seconds. A watermark that is older than this by the
/// engine's clock was meant for the past.
pub(crate) const SKEW: u64 = 60;

/// Returns a record as the engine stores it.
///
/// Nodes have different clocks. A node that is behind would revoke "everything until now", and spare
/// tokens that another node has issued before. So a watermark that was meant for now is raised to
/// the engine's time.
///
/// The engine's time `at` is its clock, or the time of the newest record if that is later: its clock
/// may go back a little. A record that is further ahead than [`SKEW`] does not count. Its clock was
/// wrong then, and no watermark would be raised until it catches up.
pub(crate) fn stamped(record: Revocation, at: NumericDate) -> Revocation {
    let given = record.not_before();
    if given >= at || given.seconds().saturating_add(SKEW) < at.seconds() {
        return record;
    }
    Revocation::watermark(record.selector(), at, record.expires())
}
