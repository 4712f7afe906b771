//! Nobody is watching: neither `tracing` nor `metrics` is on.

use super::AdminRequest;
use crate::log::{LogError, Position, SelectorClass};

pub(super) struct Audit;

impl Audit {
    pub(super) fn begin(_: SelectorClass, _: AdminRequest) -> Self {
        Self
    }

    pub(super) fn end(self, answer: Result<Position, &LogError>) {
        let (Self, _) = (self, answer);
    }
}
