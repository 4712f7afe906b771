//! All nodes of a log have the same lease.

use std::time::Duration;

/// Says that a node has another lease than the log: a node that waits for all others would not know how
/// long one of them may go on without an answer. `change` makes the log forget its lease.
pub(crate) fn other_lease(stored: u64, own: Duration, change: &str) -> String {
    let stored = Duration::from_millis(stored);
    let longest = own.max(stored);
    format!(
        "the other processes of this log have a lease of {stored:?}, and this one has {own:?}: set the same \
         `lease` on all; to change it, stop all, wait for {longest:?}, and run `{change}`",
    )
}
