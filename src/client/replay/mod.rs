//! What may be used once.
//!
//! An assertion that was overheard can be sent again until it expires. A [`ReplayGuard`] remembers
//! the `jti` of each for as long, so that it counts once (RFC 7523 §3).
//!
//! **One instance guards every endpoint that takes the same assertions**: share it, in an `Arc`,
//! between the token endpoint and the revocation endpoint, or an assertion that was used at one can
//! be used at the other once more.
//!
//! * [`MemoryGuard`]: in the memory of one process. A restart forgets.
//! * `EmbeddedGuard`, with the feature `embedded`: in the file of a log. A restart does not forget.
//!   After a restore, it refuses what may have been used since the backup.
//! * Several nodes that answer for the same issuer need one guard between them: implement the trait
//!   over the store that they share. With a guard each, an assertion counts once on every node.
//!
//! Both guards are bounded, and each client has a quota, by default a tenth: one that uses it up is
//! answered 503 until its entries are over, and no other client is.

#[cfg(feature = "embedded")]
mod embedded;
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
pub use memory::MemoryGuard;

/// What may be used once: a `jti`, of one client, of one tenant.
///
/// It is their SHA-256, and a digest of the client alone, by which each has a quota of a guard.
/// Each part goes in behind its length, so that no two different triples are the same bytes; the
/// values themselves are never kept.
///
/// ```
/// use tower_revocation::client::replay::Once;
///
/// assert_ne!(Once::new("", "ab", "c"), Once::new("", "a", "bc"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Once {
    digest: [u8; 32],
    client: Client,
}

/// A digest of a tenant and a client.
type Client = [u8; 16];

impl Once {
    /// The `jti` of a client. Two clients may use the same one, and so may the clients of two
    /// tenants; a server of one issuer has one tenant, whatever it calls it. **All three are taken
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
        let mut client = Client::default();
        client.copy_from_slice(&of_client[..16]);
        Self {
            digest: add(jti).finalize().into(),
            client,
        }
    }

    /// The digest, as a key of your own store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.digest
    }

    /// The same for all that one client uses, for a store of your own that limits how much each
    /// client has in it.
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
/// Over a shared store it is one conditional write with an expiry, such as `SET key "" NX EXAT ..`
/// of Redis, or an insert that a unique key refuses:
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
    /// Uses it up. `true`: it had not been used. Of many that try at once, one hears `true`.
    ///
    /// From `until` on it may be forgotten; what is past that already is answered `false`. Ask
    /// last, when nothing else is left to check: what was refused for another reason must stay
    /// unused, or a stranger could spend a client's `jti`.
    ///
    /// # Errors
    ///
    /// If it could not be found out, or there is no room to remember it. The endpoint answers 503,
    /// and the assertion must not count.
    fn use_up(&self, once: Once, until: SystemTime) -> BoxFuture<'_, Result<bool, BoxError>>;
}

impl<T: ReplayGuard + ?Sized> ReplayGuard for Arc<T> {
    fn use_up(&self, once: Once, until: SystemTime) -> BoxFuture<'_, Result<bool, BoxError>> {
        (**self).use_up(once, until)
    }
}

/// So many of those that are over are forgotten by the way, each time that something is used: more
/// than comes in, and little enough for a request to wait for.
const FORGOTTEN_BY_THE_WAY: usize = 4;

/// How many entries there may be, of all clients together and of one.
#[derive(Clone, Copy, Debug)]
struct Room {
    capacity: u64,
    quota: Option<u64>,
}

impl Room {
    /// # Panics
    ///
    /// If it is zero.
    fn new(capacity: u64) -> Self {
        assert!(capacity > 0, "a guard without room admits nobody");
        let quota = None;
        Self { capacity, quota }
    }

    /// # Panics
    ///
    /// If it is zero.
    fn with_quota(self, entries: u64) -> Self {
        assert!(entries > 0, "a quota without room admits nobody");
        let quota = Some(entries);
        Self { quota, ..self }
    }

    /// A tenth of all, unless it is set. Of a small guard 16, or all that there is.
    fn quota(self) -> u64 {
        let tenth = (self.capacity / 10).max(self.capacity.min(16));
        self.quota.unwrap_or(tenth)
    }
}

/// What became of an attempt, in the guards of this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempt {
    Fresh,
    Used,
    /// Its time is not over, and yet that of some that have been forgotten is later.
    ClockWentBack,
    /// It may have been used between the backup and the restore.
    #[cfg(feature = "embedded")]
    Restored,
    Full,
    /// The client has as many entries as one may have.
    FullQuota,
}

impl Attempt {
    fn answer(self) -> Result<bool, BoxError> {
        let reason = match self {
            Self::Fresh => return Ok(true),
            Self::Used => return Ok(false),
            Self::ClockWentBack => {
                "the clock went back, and the replay guard has forgotten what was used by then"
            }
            #[cfg(feature = "embedded")]
            Self::Restored => {
                "the log was restored from a backup, and what was used since is unknown"
            }
            Self::Full => "the replay guard is full of entries that are not over",
            Self::FullQuota => {
                "the client's quota of the replay guard is full of entries that are not over"
            }
        };
        let error = Error::new(ErrorKind::Unavailable).caused_by(reason);
        Err(match self {
            // A client has done it to itself.
            Self::FullQuota => error.without_alarm().into(),
            _ => error.into(),
        })
    }
}

/// A moment in whole seconds since 1970, the next one if it is in between: nothing is forgotten too
/// early.
fn end(until: SystemTime) -> u64 {
    let since = since_1970(until);
    since.as_secs() + u64::from(since.subsec_nanos() > 0)
}

/// A moment in whole seconds since 1970, the last one if it is in between.
fn present(now: SystemTime) -> u64 {
    since_1970(now).as_secs()
}

fn since_1970(moment: SystemTime) -> Duration {
    moment
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
}
