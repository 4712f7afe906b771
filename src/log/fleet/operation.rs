//! What operators decide about a node, beside the protocol.

use std::time::Duration;

/// How far the clock of a node may be off, if nobody says otherwise.
pub(super) const SKEW: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug)]
pub(super) struct Operation {
    /// How far the clock may be off.
    pub(super) skew: Duration,
}

impl Default for Operation {
    fn default() -> Self {
        Self { skew: SKEW }
    }
}
