//! Does a batch fit into a log that has a ceiling?

use super::{Position, Revocation, Selector};

/// The result of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Appended {
    /// The position of the last record of the batch, or of the last record that covers the batch.
    pub position: Position,
    /// How many selectors the append added to the log.
    pub added: usize,
}

impl Appended {
    /// Makes the result of an append that ended at `position` and added `added` selectors.
    #[must_use]
    pub fn new(position: Position, added: usize) -> Self {
        Self { position, added }
    }
}

/// Returns whether a batch has at most `limit` selectors that are not known yet.
pub(super) fn fits(
    limit: usize,
    batch: &[Revocation],
    is_known: impl Fn(&Selector) -> bool,
) -> bool {
    // The usual case: the limit is large and the batch is small.
    if batch.len() <= limit {
        return true;
    }
    let mut unknown: Vec<_> = batch
        .iter()
        .map(Revocation::selector)
        .filter(|selector| !is_known(selector))
        .collect();
    unknown.sort_unstable();
    unknown.dedup();
    unknown.len() <= limit
}
