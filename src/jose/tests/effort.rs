//! How many signatures this thread has verified, for tests of equal work.

use std::cell::Cell;

thread_local! {
    static VERIFIED: Cell<usize> = const { Cell::new(0) };
}

pub(in crate::jose) fn count() {
    VERIFIED.set(VERIFIED.get() + 1);
}

/// How many have been verified since this was asked last.
pub(crate) fn verified() -> usize {
    VERIFIED.take()
}
