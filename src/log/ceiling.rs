//! How much of a batch is new to a log.

use super::{Position, Revocation, Selector};

/// What an append came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Appended {
    /// Where the last record of the batch stands, or the last of those that cover it.
    pub position: Position,
    /// How many selectors the log has more of than before.
    pub added: usize,
}

impl Appended {
    /// An append that ended at this position, and added this many selectors.
    #[must_use]
    pub fn new(position: Position, added: usize) -> Self {
        Self { position, added }
    }
}

/// Whether so many selectors at the most are new in a batch.
pub(super) fn is_enough(
    room: usize,
    batch: &[Revocation],
    is_known: impl Fn(&Selector) -> bool,
) -> bool {
    // Almost always: there is room for many, and a batch is small.
    if batch.len() <= room {
        return true;
    }
    let mut unknown: Vec<_> = batch
        .iter()
        .map(Revocation::selector)
        .filter(|selector| !is_known(selector))
        .collect();
    unknown.sort_unstable();
    unknown.dedup();
    unknown.len() <= room
}
