//! What does an operator vouch for?

/// A property of Redis or Valkey that its settings do not tell, and that you vouch for. See
/// [`FleetLogBuilder::assume`](super::FleetLogBuilder::assume).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FleetAssumption {
    /// The server never removes a key for lack of memory: its `maxmemory-policy` is `noeviction`.
    /// A URL says `noeviction`. A server that tells another policy is refused nevertheless.
    NoEviction,
    /// What the server has acknowledged is on its disk: its `appendonly` is `yes`, its `appendfsync`
    /// is `always`, and its `no-appendfsync-on-rewrite` is `no`. A URL says `aof-always`.
    ///
    /// Overrides what the server says of these settings: a managed service can have another log than
    /// this file, and say `appendonly no`.
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
