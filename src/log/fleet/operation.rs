//! What operators decide about a node, beside the protocol.

use std::{sync::Arc, time::Duration};

use super::kept::{Found, Kept};

/// How far the clock of a node may be off, if it is not set.
pub(super) const SKEW: Duration = Duration::from_secs(1);

/// The copy of the log on the disk, and what was in it at the start.
pub(super) type Copy = (Arc<dyn Kept>, Found);

pub(super) struct Operation {
    /// How far the clock may be off.
    pub(super) skew: Duration,
    /// Whether the node only reads what another log of this process writes. Series and events are those
    /// of that log.
    pub(super) is_silent: bool,
    /// The copy of the log on the disk.
    pub(super) kept: Option<Copy>,
    /// How many records the node remembers, if a test has said so.
    #[cfg(test)]
    pub(super) remembers: Option<usize>,
}

impl Default for Operation {
    fn default() -> Self {
        Self {
            skew: SKEW,
            is_silent: false,
            kept: None,
            #[cfg(test)]
            remembers: None,
        }
    }
}
