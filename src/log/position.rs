//! Where a reader stands in a log, and what the log knows there.

use super::{NumericDate, Revocation};

/// A place in one log: the log's incarnation, and the number of records up to here.
///
/// Positions have no gaps and follow the order of commits. Only positions of the same epoch can be
/// compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Position {
    /// The incarnation of the log. Making, restoring or opening a log begins a new one. A log can
    /// know the incarnations before its own, and a reader then follows it across them.
    pub epoch: u64,
    /// The number of the record. The first record has the number 1; zero is before all records.
    pub sequence: u64,
}

/// Everything that a log knows at one position.
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
    /// The last record in the snapshot.
    pub position: Position,
    /// One record for each selector.
    pub records: Vec<Revocation>,
    /// The latest expiry of the records that the log has removed, or zero if it has removed none.
    ///
    /// While the clock is earlier than this, because it was set back, a token that expires by then
    /// may have had a record: its state is unknown.
    pub forgotten: NumericDate,
}

impl Snapshot {
    /// Makes a snapshot of a log that has removed no record.
    #[must_use]
    pub fn new(position: Position, records: Vec<Revocation>) -> Self {
        Self {
            position,
            records,
            forgotten: NumericDate::new(0),
        }
    }

    /// Sets the latest expiry of the records that the log has removed.
    #[must_use]
    pub fn forgotten(mut self, expires: NumericDate) -> Self {
        self.forgotten = expires;
        self
    }
}

/// Returns a random epoch for a new log.
pub(super) fn new_epoch() -> u64 {
    getrandom::u64().expect("the operating system has random numbers")
}
