//! What a node appends, and what became of it.

use super::{
    super::super::{NumericDate, Revocation},
    Incarnation,
};

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
    /// Drawn for this request. The mark that is stored with its records does not come from this one alone:
    /// see [`Cursor`](super::Cursor).
    pub(crate) mark: u64,
    pub(crate) batches: Vec<Batch>,
    /// A node gives back records that the log had before. They are not stamped again, and neither
    /// limits nor the ceiling hold.
    pub(crate) as_given: bool,
}

/// The answer to a whole request. It is durable.
#[derive(Clone, Debug)]
pub(crate) struct Committed {
    pub(crate) incarnation: Incarnation,
    /// When the engine committed, by its clock, and never earlier than the record before. See
    /// [`stamped`](super::stamped).
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
