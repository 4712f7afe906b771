//! The durable record of what was revoked.
//!
//! The log is the only truth about revocation: to revoke is to append one small [`Revocation`], and
//! that append is the commit point. A token is live if it is valid by itself and no record covers
//! it.
//!
//! # When a log fails
//!
//! A commit that fails, such as on a full disk, leaves open what is on the disk. `EmbeddedLog` then
//! refuses every append, reads the disk anew, and goes on by itself: after a second at first, and
//! after 30 seconds at most. A panic of the thread that writes is treated in the same way. Meanwhile
//!
//! * revocations are 503, with a `Retry-After` that is the time until the next attempt;
//! * checks go on: an [`Index`](crate::enforce::Index) keeps what it knows;
//! * [`RevocationLog::health`] says so, for readiness checks. With the feature `metrics`, the gauge
//!   `tower_revocation_log_writable` is 0, and the counter `tower_revocation_log_failures_total`
//!   counts failures and failed attempts by `kind`. With the feature `tracing`, an event of the
//!   level `ERROR` says why, at each attempt, and one of the level `WARN` that the log has recovered.
//!
//! # The file
//!
//! Before an append is answered, and once a second, `EmbeddedLog` checks that the file that it has
//! open is still the one at its path, by device and inode. A file that was deleted, moved away or
//! replaced, also by another one being mounted over its folder, fails appends until it is back. A
//! copy that has everything that was answered is accepted in its place; an older one is not. **Where
//! the platform has no inodes, only a file that is missing is noticed.** A file system whose inodes
//! change by themselves, as some in user space do, is not for a log.
//!
//! Use `EmbeddedLog::open_existing` where a log is expected. In a rolling restart on one machine,
//! `open_within` and `open_existing_within` wait for the process before to let go of the file.
//!
//! # Backup and restore
//!
//! `EmbeddedLog::backup` copies the file while the log is in use, and `EmbeddedLog::restore` makes a
//! log of the copy. A copy that was made while no process had the file open, or by a snapshot of the
//! whole volume, can be put in its place as well. **What was revoked after the copy was made is live
//! again**, and refresh tokens that were exchanged can be exchanged again. If such tokens can still be
//! alive, order the end of all tokens of their issuer. Assertions that were used after the copy was
//! made are refused until they are over, but only by a file that `EmbeddedLog::restore` has made.
//!
//! Every opening begins a new incarnation of the log ([`Position::epoch`]), and the file knows which
//! incarnations precede its own, the last 1024 of them, and where each ended. So a reader that has
//! read further than a restored file goes hears [`LogErrorKind::Gap`], however the file was
//! restored, and one that has not is told what it has missed.
//!
//! # Forgetting, and the clock
//!
//! Records are removed once they have expired: see `EmbeddedLog::sweep_every`. By a clock that is
//! ahead, records expire whose tokens are alive. So
//!
//! * a sweep is held while the system's clock is ahead of the time that has passed, by a clock that
//!   nobody sets: [`LogErrorKind::ClockJumped`], and an event of the level `WARN`. Small steps add
//!   up;
//! * the latest end of what was forgotten is kept in the log ([`Snapshot::forgotten`]). While the
//!   clock is earlier than that, the state of tokens that end before it is unknown: 503. Nothing is
//!   minted meanwhile in a grant whose record may have been forgotten.
//!
//! # The queue
//!
//! 16,384 appends can wait to be written to an `EmbeddedLog`. One client's can be 1,024 of them
//! ([`RevocationLog::append_for`]): [`RecordRevocation`](crate::revoke::RecordRevocation) names the client that revokes,
//! and `IssuedTokens` the one that tokens are issued to. An append that was dropped counts until it
//! is written.
//!
//! With the feature `metrics`, the gauge `tower_revocation_log_queued_writes` says how many wait,
//! `tower_revocation_log_write_duration_seconds` how long a write takes from the queue to the disk,
//! and `tower_revocation_log_refused_writes_total` how many were refused before they were tried.

mod ceiling;
#[cfg(feature = "embedded")]
mod embedded;
mod entry;
mod error;
mod health;
mod memory;
mod observe;
mod pace;
mod readers;

mod selector;

use std::{
    future::Future,
    hash::{BuildHasher as _, RandomState},
    sync::Weak,
};

pub use crate::date::NumericDate;
pub use ceiling::Appended;
#[cfg(feature = "embedded")]
#[cfg_attr(docsrs, doc(cfg(feature = "embedded")))]
pub use embedded::EmbeddedLog;
#[cfg(feature = "issued")]
pub(crate) use embedded::Step;
#[cfg(all(feature = "embedded", any(feature = "issued", feature = "jwt")))]
pub(crate) use embedded::{Fault, Work};
pub use entry::Revocation;
pub use error::{LogError, LogErrorKind};
pub use health::LogHealth;
pub use memory::MemoryLog;
pub(crate) use pace::Pace;
pub use selector::{Selector, SelectorClass};

/// A place in one log: which log it is, and how many records precede.
///
/// Positions are gapless and in the order of commits. Only positions of one epoch can be compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Position {
    /// Which incarnation of the log. A log that is made, restored or opened begins another. A log
    /// can know the incarnations that precede its own: a reader follows it across them.
    pub epoch: u64,
    /// The number of the record, the first being 1. Zero is before them all.
    pub sequence: u64,
}

/// All that a log knows at one position.
///
/// ```
/// use tower_revocation::log::{NumericDate, Position, Snapshot};
///
/// let snapshot = Snapshot::new(Position::default(), Vec::new());
/// assert_eq!(snapshot.forgotten, NumericDate::new(0));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Snapshot {
    /// The last record that is in it.
    pub position: Position,
    /// One for each selector.
    pub records: Vec<Revocation>,
    /// The latest end of any record that the log has forgotten, zero if it has forgotten none.
    ///
    /// While the clock is earlier than this, because it has gone back, a token that ends by then
    /// may have had a record: its state is unknown.
    pub forgotten: NumericDate,
}

impl Snapshot {
    /// These records at this position, of a log that has forgotten none.
    #[must_use]
    pub fn new(position: Position, records: Vec<Revocation>) -> Self {
        Self {
            position,
            records,
            forgotten: NumericDate::new(0),
        }
    }

    /// Sets the latest end of any record that the log has forgotten.
    #[must_use]
    pub fn forgotten(mut self, end: NumericDate) -> Self {
        self.forgotten = end;
        self
    }
}

/// What "durable" means to a log, in the weakest sense that its `append` ever returns with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Durability {
    /// In the memory of this process, and nowhere else.
    Volatile,
    /// On this machine's disk, by `fsync`.
    Disk,
}

/// The log of revocations.
///
/// A log that wraps another forwards every method. The compiler does not ask for those with a
/// default, and their defaults do less than the inner log:
///
/// ```
/// use std::sync::Weak;
/// use tower_revocation::log::{
///     Appended, Durability, LogError, LogHealth, Position, Reader, Revocation, RevocationLog,
///     Selector, Snapshot,
/// };
///
/// /// Prints every record.
/// #[derive(Clone)]
/// struct Printed<L>(L);
///
/// impl<L: RevocationLog + Sync> RevocationLog for Printed<L> {
///     async fn append(&self, batch: Vec<Revocation>) -> Result<Position, LogError> {
///         println!("{batch:?}");
///         self.0.append(batch).await
///     }
///
///     async fn append_at_most(
///         &self,
///         new: usize,
///         batch: Vec<Revocation>,
///     ) -> Result<Option<Appended>, LogError> {
///         println!("{batch:?}");
///         self.0.append_at_most(new, batch).await
///     }
///
///     async fn append_for(
///         &self,
///         client: Selector,
///         new: usize,
///         batch: Vec<Revocation>,
///     ) -> Result<Option<Appended>, LogError> {
///         println!("{batch:?}");
///         self.0.append_for(client, new, batch).await
///     }
///
///     fn health(&self) -> LogHealth {
///         self.0.health()
///     }
///
///     async fn snapshot(&self) -> Result<Snapshot, LogError> {
///         self.0.snapshot().await
///     }
///
///     async fn tail(&self, after: Position, reader: Weak<dyn Reader>) -> Result<(), LogError> {
///         self.0.tail(after, reader).await
///     }
///
///     fn durability(&self) -> Durability {
///         self.0.durability()
///     }
///
///     fn is_local(&self) -> bool {
///         self.0.is_local()
///     }
/// }
/// ```
pub trait RevocationLog {
    /// Appends all of a batch or nothing of it, and answers with the position of its last record
    /// once it is durable, as [`durability`](Self::durability) has it.
    ///
    /// * A record that is already covered is not written again. The answer then waits for the
    ///   record that covers it.
    /// * Before the answer, every reader in this process has seen the records.
    /// * A batch that is queued, which it is at the latest when the future is first polled, is no
    ///   longer the caller's: dropping the future does not cancel it.
    /// * After a commit that failed, nobody knows what is on the disk: the log refuses every append
    ///   until it has read the disk again. [`health`](Self::health) says so.
    ///
    /// # Errors
    ///
    /// If the queue is full, and if the batch could not be made durable. It may nevertheless have
    /// been. [`LogErrorKind::Full`] if the log has a ceiling and the batch would go beyond it:
    /// nothing of it was appended. A [`crate::Error`] in the chain of sources says when to try
    /// again, where that is known.
    fn append(
        &self,
        batch: Vec<Revocation>,
    ) -> impl Future<Output = Result<Position, LogError>> + Send;

    /// As [`append`](Self::append), if at most so many of the batch's selectors are new to the log.
    /// None if there are more: nothing of the batch was appended.
    ///
    /// The default counts every record as new, for logs that can only append. **A log that wraps
    /// another must forward this**, or a client's quota shrinks with every repeated revocation.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append).
    fn append_at_most(
        &self,
        new: usize,
        batch: Vec<Revocation>,
    ) -> impl Future<Output = Result<Option<Appended>, LogError>> + Send {
        let added = batch.len();
        let append = (added <= new).then(|| self.append(batch));
        async move {
            let Some(append) = append else {
                return Ok(None);
            };
            let position = append.await?;
            Ok(Some(Appended::new(position, added)))
        }
    }

    /// As [`append_at_most`](Self::append_at_most), on behalf of a client.
    ///
    /// A log with a queue gives each client a quota of it, so that no client fills the queue for
    /// all. The default ignores the client. **A log that wraps another must forward this**, or one
    /// client can fill the queue of the inner log.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append). [`LogErrorKind::QueueFull`] if the client's quota of the queue
    /// is full: nothing was queued.
    fn append_for(
        &self,
        client: Selector,
        new: usize,
        batch: Vec<Revocation>,
    ) -> impl Future<Output = Result<Option<Appended>, LogError>> + Send {
        let _ = client;
        self.append_at_most(new, batch)
    }

    /// Whether the log can be appended to: readiness for revocation.
    ///
    /// A log that cannot fail returns [`LogHealth::writable`]. A log that wraps another returns the
    /// health of the inner log.
    fn health(&self) -> LogHealth;

    /// All that is known now, expired records perhaps included.
    ///
    /// # Errors
    ///
    /// If it could not be read.
    fn snapshot(&self) -> impl Future<Output = Result<Snapshot, LogError>> + Send;

    /// Hands every record after a position to a reader, in the order of commits: those that are
    /// there already before this returns, later ones each before its `append` returns. A reader
    /// that is dropped is forgotten, and one that is handed over again is told once.
    ///
    /// # Errors
    ///
    /// [`LogErrorKind::Gap`] if records after the position are no longer there, or if it is of
    /// another epoch. Take a snapshot then, add it to what you have (never put it in its place),
    /// and follow from its position.
    fn tail(
        &self,
        after: Position,
        reader: Weak<dyn Reader>,
    ) -> impl Future<Output = Result<(), LogError>> + Send;

    /// What an answered append has survived.
    fn durability(&self) -> Durability;

    /// Whether every append to the log goes through this process, so that a reader here is never
    /// behind. If not, which is the default, readers are told from time to time that they are up to
    /// date: see [`Reader::read`].
    fn is_local(&self) -> bool {
        false
    }
}

/// Who is told of every record.
pub trait Reader: Send + Sync {
    /// These records are durable; the last of them stands at this position. Appends wait until this
    /// returns, so take them in and do nothing else.
    ///
    /// Without records it says that there is nothing after this position just now.
    fn read(&self, position: Position, records: &[Revocation]);
}

/// The name of a new log, unlike that of any other. The standard library draws its hash keys from
/// the operating system.
fn new_epoch() -> u64 {
    RandomState::new().hash_one(NumericDate::now())
}
