//! The limits on responses and on the cache.

use std::time::Duration;

/// The longest response that is read, in bytes. Responses are far shorter.
pub(super) const MAX_RESPONSE: usize = 64 * 1024;

/// The longest response that is cached, in bytes. An entry has the response as JSON and the members
/// that were read from it, so it takes at most about twice as much memory.
pub(super) const MAX_CACHED: usize = 4 * 1024;

/// How long a response is cached, and how many are.
#[derive(Clone, Copy)]
pub(super) struct CacheLimits {
    pub(super) ttl: Duration,
    pub(super) capacity: usize,
}
