//! What a server used in one round.

use std::time::Duration;

#[derive(Clone, Copy, Default)]
pub(crate) struct Cost {
    pub(crate) cpu: Duration,
    pub(crate) elapsed: Duration,
    pub(crate) requests: u32,
}
