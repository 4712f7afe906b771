//! How much of a batch is new to a log.

use super::{Position, Revocation, Selector};

/// What an append came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Where the last record of the batch stands, or the last of those that cover it.
    pub position: Position,
    /// How many selectors the log has more of than before.
    pub added: usize,
}

/// How many selectors of a batch are not known.
pub(super) fn unknown(batch: &[Revocation], is_known: impl Fn(&Selector) -> bool) -> usize {
    let mut selectors: Vec<_> = batch
        .iter()
        .map(Revocation::selector)
        .filter(|selector| !is_known(selector))
        .collect();
    selectors.sort_unstable();
    selectors.dedup();
    selectors.len()
}
