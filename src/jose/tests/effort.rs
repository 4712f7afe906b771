//! Counts the signatures that this thread verifies, for tests of equal work.

use std::cell::Cell;

thread_local! {
    static VERIFIED: Cell<usize> = const { Cell::new(0) };
}

pub(in crate::jose) fn count() {
    VERIFIED.set(VERIFIED.get() + 1);
}

/// Returns how many signatures were verified since the last call.
pub(crate) fn verified() -> usize {
    VERIFIED.take()
}
