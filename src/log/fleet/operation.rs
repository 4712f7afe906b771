//! What operators decide about a node, beside the protocol.

use std::time::Duration;

/// How far the clock of a node may be off, if nobody says otherwise.
pub(super) const SKEW: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug)]
pub(super) struct Operation {
    /// How far the clock may be off.
    pub(super) skew: Duration,
    /// Whether the node only reads what another log of this process writes. Series and events are those
    /// of that log.
    pub(super) is_silent: bool,
}

impl Default for Operation {
    fn default() -> Self {
        Self {
            skew: SKEW,
            is_silent: false,
        }
    }
}
