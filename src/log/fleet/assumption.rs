//! What does an operator vouch for?

/// A setting that Redis or Valkey does not tell, and that you vouch for. See
/// [`FleetLogBuilder::assume`](super::FleetLogBuilder::assume).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FleetAssumption {
    /// The server never removes a key for lack of memory: its `maxmemory-policy` is `noeviction`.
    /// A URL says `noeviction`.
    NoEviction,
    /// What the server has acknowledged is on its disk: its `appendfsync` is `always`. A URL says
    /// `aof-always`.
    AofAlways,
    /// No replica is ever promoted, so a failover loses nothing. Refused with sentinels and clusters.
    /// A URL says `no-failover`.
    NoFailover,
}

impl FleetAssumption {
    /// Returns the name in a URL.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::NoEviction => "noeviction",
            Self::AofAlways => "aof-always",
            Self::NoFailover => "no-failover",
        }
    }
}
