//! Replay protection: what may be used only once.
//!
//! An attacker can send a captured assertion again until it expires. A [`ReplayGuard`] remembers
//! the `jti` of each assertion for that long, so that it counts only once (RFC 7523 §3).
//!
//! **Use one guard for all endpoints that accept the same assertions.** Share it in an `Arc`
//! between the token endpoint and the revocation endpoint. Otherwise an assertion that was used at
//! one endpoint can be used again at the other.
//!
//! * [`MemoryGuard`] keeps the entries in the memory of one process. A restart forgets them.
//! * `EmbeddedGuard` (feature `embedded`) keeps them in the file of a log. A restart does not
//!   forget them. After a restore, it refuses everything that may have been used since the backup.
//! * `FleetGuard` (features `postgres` and `redis`) keeps them on the server of a log, for several
//!   processes with the same issuer: `FleetLog::replay_guard` returns it. If each process has a guard
//!   of its own, an assertion counts once at every process. Implement the trait for another shared
//!   store.
//!
//! All guards are bounded, and each client has a quota, by default a tenth. A client that has used
//! up its quota gets 503 until its entries expire. Other clients are not affected.

#[cfg(feature = "embedded")]
mod embedded;
#[cfg(feature = "fleet")]
mod fleet;
mod memory;
#[cfg(all(test, feature = "embedded"))]
mod tests;

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures::future::BoxFuture;
use sha2::{Digest as _, Sha256};
use tower::BoxError;

use crate::error::{Error, ErrorKind};
#[cfg(feature = "embedded")]
#[cfg_attr(docsrs, doc(cfg(feature = "embedded")))]
pub use embedded::EmbeddedGuard;
#[cfg(feature = "fleet")]
#[cfg_attr(docsrs, doc(cfg(any(feature = "postgres", feature = "redis"))))]
pub use fleet::FleetGuard;
pub use memory::MemoryGuard;

/// An identifier that may be used only once: a `jti` of one client of one tenant.
///
/// It contains the SHA-256 of all three, and a digest of tenant and client, by which guards count
/// quotas. The length of each part is hashed before the part, so that different triples never have
/// the same bytes. The values are not stored.
///
/// ```
/// use tower_revocation::client::replay::Once;
///
/// assert_ne!(Once::new("", "ab", "c"), Once::new("", "a", "bc"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Once {
    digest: [u8; 32],
    client: ClientDigest,
}

/// A digest of a tenant and a client.
type ClientDigest = [u8; 16];

impl Once {
    /// Identifies a `jti` of a client. Two clients may use the same `jti`, and so may clients of
    /// two tenants. A server with one issuer has one tenant, with any name. **All three are taken
    /// byte for byte, without normalisation.**
    #[must_use]
    pub fn new(tenant: &str, client_id: &str, jti: &str) -> Self {
        let mut digest = Sha256::new();
        let mut add = |part: &str| {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
            digest.clone()
        };
        add(tenant);
        let of_client = add(client_id).finalize();
        let mut client = ClientDigest::default();
        client.copy_from_slice(&of_client[..16]);
        Self {
            digest: add(jti).finalize().into(),
            client,
        }
    }

    /// Returns the digest, as a key for your own store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.digest
    }

    /// Returns the digest of the client, which is the same for all its identifiers. Use it for
    /// quotas in your own store.
    #[must_use]
    pub fn client(&self) -> &[u8; 16] {
        &self.client
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Once(..)")
    }
}

/// Remembers what has been used.
///
/// Over a shared store, it is one conditional write with an expiry, such as `SET key "" NX EXAT ..`
/// in Redis, or an insert with a unique key:
///
/// ```
/// use std::time::SystemTime;
/// use futures::future::BoxFuture;
/// use tower::BoxError;
/// use tower_revocation::client::replay::{Once, ReplayGuard};
///
/// # #[derive(Debug)] struct Pool;
/// # impl Pool {
/// #     async fn insert_if_absent(&self, _: &[u8; 32], _: SystemTime) -> Result<bool, std::io::Error> { Ok(true) }
/// # }
/// #[derive(Debug)]
/// struct Shared(Pool);
///
/// impl ReplayGuard for Shared {
///     fn use_up(&self, once: Once, until: SystemTime) -> BoxFuture<'_, Result<bool, BoxError>> {
///         Box::pin(async move { Ok(self.0.insert_if_absent(once.as_bytes(), until).await?) })
///     }
/// }
/// ```
pub trait ReplayGuard: fmt::Debug + Send + Sync {
    /// Uses up the identifier. Returns `true` if it was not used before. If several callers try at
    /// once, exactly one gets `true`.
    ///
    /// The guard may forget the identifier from `until` on. If `until` has already passed, it
    /// returns `false`. Call it after all other checks: an assertion that was refused for another
    /// reason must stay unused. Otherwise a stranger could use up the `jti` of a client.
    ///
    /// # Errors
    ///
    /// Fails if the result is unknown, or if there is no room for the entry. The endpoint returns
    /// 503, and the assertion must not be accepted.
    fn use_up(&self, once: Once, until: SystemTime) -> BoxFuture<'_, Result<bool, BoxError>>;
}

impl<T: ReplayGuard + ?Sized> ReplayGuard for Arc<T> {
    fn use_up(&self, once: Once, until: SystemTime) -> BoxFuture<'_, Result<bool, BoxError>> {
        (**self).use_up(once, until)
    }
}

/// How many expired entries each use removes: more than one use adds, and few enough for a request
/// to wait for.
const EXPIRED_PER_USE: usize = 4;

/// How many entries there may be, of all clients and of one client.
#[derive(Clone, Copy, Debug)]
struct Limits {
    capacity: u64,
    quota: Option<u64>,
}

impl Limits {
    /// # Panics
    ///
    /// Panics if it is zero.
    fn new(capacity: u64) -> Self {
        assert!(capacity > 0, "the capacity of the guard is zero");
        let quota = None;
        Self { capacity, quota }
    }

    /// # Panics
    ///
    /// Panics if it is zero.
    fn with_quota(self, entries: u64) -> Self {
        assert!(entries > 0, "the quota of the guard is zero");
        let quota = Some(entries);
        Self { quota, ..self }
    }

    /// A tenth of the capacity by default. In a small guard 16, or the whole capacity.
    fn quota(self) -> u64 {
        let tenth = (self.capacity / 10).max(self.capacity.min(16));
        self.quota.unwrap_or(tenth)
    }
}

/// The result of an attempt, in the guards of this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempt {
    Fresh,
    Used,
    /// The entry has not expired, but entries that expire later were already forgotten.
    ClockWentBack,
    /// It may have been used between the backup and the restore.
    #[cfg(feature = "embedded")]
    Restored,
    Full,
    /// The client has used up its quota.
    FullQuota,
}

impl Attempt {
    fn into_result(self) -> Result<bool, BoxError> {
        let reason = match self {
            Self::Fresh => return Ok(true),
            Self::Used => return Ok(false),
            Self::ClockWentBack => {
                "the clock went back to a time whose entries the replay guard has forgotten"
            }
            #[cfg(feature = "embedded")]
            Self::Restored => {
                "the log was restored from a backup, so the identifiers that were used since are unknown"
            }
            Self::Full => "the replay guard is full of entries that have not expired",
            Self::FullQuota => {
                "the client's quota of the replay guard is full of entries that have not expired"
            }
        };
        let error = Error::new(ErrorKind::Unavailable).caused_by(reason);
        Err(match self {
            // The client itself is the cause.
            Self::FullQuota => error.without_alarm().into(),
            _ => error.into(),
        })
    }
}

/// The time in whole seconds since 1970, rounded up, so that nothing is forgotten too early.
fn end(until: SystemTime) -> u64 {
    let since = since_1970(until);
    since.as_secs() + u64::from(since.subsec_nanos() > 0)
}

/// The time in whole seconds since 1970, rounded down.
fn present(now: SystemTime) -> u64 {
    since_1970(now).as_secs()
}

fn since_1970(moment: SystemTime) -> Duration {
    moment
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
}
