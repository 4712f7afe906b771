//! What the core asks of an engine, and what an engine answers. An engine carries requests and
//! decides nothing.

use std::future::Future;

use super::super::{Durability, LogError, NumericDate, Revocation};

/// One life of a log. Another one begins when the engine may have lost records: after a failover, or
/// when it was restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Incarnation(pub(crate) u64);

/// The last record that a node has.
///
/// The number alone does not show that the engine has lost its tail and gained other records since.
/// The mark does: it is random, and stored with each record of an append.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Cursor {
    pub(crate) sequence: u64,
    pub(crate) mark: u64,
}

/// The records after a cursor, in the order of the log, as of the moment at which the engine
/// answered.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) incarnation: Incarnation,
    /// Whether the log has the record of the cursor. If not, the records here are from the beginning
    /// of the log. Always true for the beginning itself.
    pub(crate) same_history: bool,
    /// The last record of this page, or the cursor if there is none.
    pub(crate) upto: Cursor,
    pub(crate) records: Vec<Revocation>,
    /// Whether there are more records after this page.
    pub(crate) more: bool,
    /// The latest expiry of the records that were removed.
    pub(crate) forgotten: NumericDate,
}

/// What one caller appends, whole or not at all.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) records: Vec<Revocation>,
    /// At most this many selectors may be new to the log.
    pub(crate) new: usize,
}

/// The batches of the callers that waited, in one transaction.
#[derive(Clone, Debug)]
pub(crate) struct Append {
    /// Drawn for this request. The same request, sent again, has another one.
    pub(crate) mark: u64,
    pub(crate) batches: Vec<Batch>,
}

/// The answer to a whole request. It is durable.
#[derive(Clone, Debug)]
pub(crate) struct Committed {
    pub(crate) incarnation: Incarnation,
    /// When the engine committed, by its clock, and never earlier than the record before. See
    /// [`stamped`].
    pub(crate) at: NumericDate,
    /// One for each batch.
    pub(crate) batches: Vec<Done>,
}

/// What became of one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// The log has the records, or records that cover them.
    Appended {
        /// The last record of the log after this batch.
        sequence: u64,
        /// How many selectors were new.
        added: usize,
    },
    /// More selectors than allowed are new. Nothing was appended.
    TooMany,
    /// The log would exceed its ceiling. Nothing was appended.
    Full,
}

pub(crate) trait Engine: Send + Sync + 'static {
    /// Reads at most some thousand records after a cursor.
    ///
    /// Where a failover is possible, the engine answers only after it has shown that it can still
    /// make something durable: an old primary still answers reads.
    ///
    /// # Errors
    ///
    /// Fails with `Unavailable` if there is no answer.
    fn poll(&self, after: Cursor) -> impl Future<Output = Result<Page, LogError>> + Send;

    /// Appends in one transaction, and returns once it is durable.
    ///
    /// # Errors
    ///
    /// Fails with `Unavailable` if there is no answer. The batches may be in the log nevertheless. To
    /// send them again does no harm.
    fn append(&self, append: Append) -> impl Future<Output = Result<Committed, LogError>> + Send;

    /// Returns when there may be new records. Only a hint: it can be too early, too late or never.
    fn hint(&self) -> impl Future<Output = ()> + Send;

    /// Removes records that have expired by the engine's clock, and those that later ones have
    /// replaced. Returns how many.
    ///
    /// # Errors
    ///
    /// Fails with `Unavailable` if there is no answer.
    fn sweep(&self) -> impl Future<Output = Result<u64, LogError>> + Send;

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
pub(crate) fn stamped(record: Revocation, at: NumericDate) -> Revocation {
    let given = record.not_before();
    if given >= at || given.seconds().saturating_add(SKEW) < at.seconds() {
        return record;
    }
    Revocation::watermark(record.selector(), at, record.expires())
}
