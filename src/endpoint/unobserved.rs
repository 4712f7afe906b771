//! Nobody is watching: neither `tracing` nor `metrics` is on.

use super::error::Error;

#[derive(Debug)]
pub(super) struct Observation {
    ended: bool,
}

impl Observation {
    pub(super) fn begin() -> Self {
        Self { ended: false }
    }

    pub(super) fn end(&mut self, _: &'static str, _: Option<&Error>) {
        debug_assert!(!self.ended, "there is one end");
        self.ended = true;
    }
}
