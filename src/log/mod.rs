//! The durable record of what was revoked.
//!
//! The log is the only truth about revocation: to revoke is to append one small [`Revocation`], and
//! that append is the commit point. A token is live if it is valid by itself and no record covers
//! it.

mod date;
#[cfg(feature = "embedded")]
mod embedded;
mod entry;
mod error;
mod memory;
mod readers;
mod selector;

use std::{
    future::Future,
    hash::{BuildHasher as _, RandomState},
    sync::Weak,
};

pub use date::NumericDate;
#[cfg(feature = "embedded")]
#[cfg_attr(docsrs, doc(cfg(feature = "embedded")))]
pub use embedded::EmbeddedLog;
#[cfg(feature = "issued")]
pub(crate) use embedded::Step;
#[cfg(all(feature = "embedded", any(feature = "issued", feature = "jwt")))]
pub(crate) use embedded::{Fault, Work};
pub use entry::Revocation;
pub use error::{LogError, LogErrorKind};
pub use memory::MemoryLog;
pub use selector::{Selector, SelectorClass};

/// A place in one log: which log it is, and how many records precede.
///
/// Positions are gapless and in the order of commits. Only positions of one epoch can be compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Position {
    /// Which incarnation of the log. A log that was restored or made anew has another.
    pub epoch: u64,
    /// The number of the record, the first being 1. Zero is before them all.
    pub sequence: u64,
}

/// All that a log knows at one position.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The last record that is in it.
    pub position: Position,
    /// One for each selector.
    pub records: Vec<Revocation>,
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
    ///   until it is reopened.
    ///
    /// # Errors
    ///
    /// If the queue is full, and if the batch could not be made durable. It may nevertheless have
    /// been.
    fn append(
        &self,
        batch: Vec<Revocation>,
    ) -> impl Future<Output = Result<Position, LogError>> + Send;

    /// All that is known now, expired records perhaps included.
    ///
    /// # Errors
    ///
    /// If it could not be read.
    fn snapshot(&self) -> impl Future<Output = Result<Snapshot, LogError>> + Send;

    /// Hands every record after a position to a reader, in the order of commits: those that are
    /// there already before this returns, later ones each before its `append` returns. A reader
    /// that is dropped is forgotten.
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
