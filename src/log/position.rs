//! Where a reader stands in a log.

/// A place in one log: the log's incarnation, and the number of records up to here.
///
/// Positions have no gaps and follow the order of commits. Only positions of the same epoch can be
/// compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Position {
    /// The incarnation of the log. Making or restoring a log begins a new one, and so do opening a
    /// file and a failover of a server.
    pub epoch: u64,
    /// The number of the record. The first record has the number 1; zero is before all records.
    pub sequence: u64,
}

/// Returns a random epoch for a new log.
pub(super) fn new_epoch() -> u64 {
    getrandom::u64().expect("the operating system has random numbers")
}
