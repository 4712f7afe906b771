//! The limits on responses and on the cache.

use std::time::Duration;

/// The longest response that is read, in bytes. Responses are far shorter.
pub(super) const MAX_RESPONSE: usize = 64 * 1024;

/// The longest response that is cached, in bytes.
pub(super) const MAX_CACHED: usize = 4 * 1024;

/// The largest memory of an entry of the cache, in bytes: the response as JSON, and the members that
/// were read from it. A long `aud` of short names takes more memory than its JSON.
pub(super) const MAX_ENTRY: usize = 10 * 1024;

/// How long a response is cached, and how many are.
#[derive(Clone, Copy)]
pub(super) struct CacheLimits {
    pub(super) ttl: Duration,
    pub(super) capacity: usize,
}
