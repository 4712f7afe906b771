//! The nodes of a fleet.

use std::sync::Arc;

/// A process that uses the log, as another one sees it. See
/// [`FleetLog::members`](super::FleetLog::members).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetMember {
    pub(super) name: Arc<str>,
    pub(super) lag: u64,
    pub(super) has_healed: bool,
    pub(super) is_this_process: bool,
}

impl FleetMember {
    /// Returns the host name and the number of the process.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns how many records the member lacked when it last reported.
    #[must_use]
    pub fn lag(&self) -> u64 {
        self.lag
    }

    /// Returns whether the member has given back to the log what it remembers, after the log was
    /// restored or has failed over. Until all members have, no process renews its lease.
    #[must_use]
    pub fn has_healed(&self) -> bool {
        self.has_healed
    }

    /// Returns whether this process is the member.
    #[must_use]
    pub fn is_this_process(&self) -> bool {
        self.is_this_process
    }
}

/// Returns the host name and the number of this process, for people.
pub(super) fn name_of_this_process() -> Arc<str> {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let host = host.or_else(|| std::env::var("HOSTNAME").ok());
    let host = host.unwrap_or_default();
    let is_plain = |char: &char| !char.is_control() && !char.is_whitespace();
    let host: String = host.chars().filter(is_plain).take(64).collect();
    format!("{host}/{}", std::process::id()).into()
}
