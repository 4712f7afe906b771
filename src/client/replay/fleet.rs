//! A guard on the server of a log.

use std::{fmt, sync::Arc, time::SystemTime};

use futures::future::BoxFuture;
use tower::BoxError;

use super::{Attempt, Limits, Once, ReplayGuard, end};
use crate::log::{FleetLog, LogError, OnceResult, OnceStore, OnceUse};

/// Remembers used identifiers on the server of a [`FleetLog`]. **An identifier counts once in the
/// whole fleet**, at whichever process it is used. Made by [`FleetLog::replay_guard`].
///
/// It returns after the entry is durable, with the [durability](crate::log::Durability) of the log.
/// A failover or a restore that loses what the server has acknowledged also loses entries, and
/// their identifiers can be used once more. With a synchronous standby, a failover loses nothing.
///
/// If the server does not answer, the endpoint returns 503. The identifier may be used up then.
///
/// Each client can have 100 000 entries by default: see [`quota`](Self::quota). Beyond it, only this
/// client gets 503. Entries are removed after they have expired by the clock of the server. The
/// guard never accepts an identifier again that it has forgotten, even if that clock goes back.
///
/// ```no_run
/// use std::time::{Duration, SystemTime};
/// use tower_revocation::{
///     client::replay::{Once, ReplayGuard},
///     log::FleetLog,
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tower::BoxError> {
/// let log = FleetLog::connect("postgres://revoker@db.example.com/app").await?;
/// let guard = log.replay_guard()?;
/// let once = Once::new("https://as.example.com", "s6BhdRkqt3", "u1");
/// let until = SystemTime::now() + Duration::from_secs(60);
/// assert!(guard.use_up(once, until).await?);
/// assert!(!guard.use_up(once, until).await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct FleetGuard {
    log: FleetLog,
    store: Arc<dyn OnceStore>,
    limits: Limits,
}

impl FleetLog {
    /// Returns a guard by which an assertion counts once in the whole fleet. It has a connection of
    /// its own. All guards of one log are the same guard.
    ///
    /// # Errors
    ///
    /// Fails with [`Misconfigured`](crate::log::LogErrorKind::Misconfigured) if the log is a feed.
    ///
    /// ```no_run
    /// use tower_revocation::{client::assertion::Assertions, log::FleetLog};
    ///
    /// # async fn _example(log: FleetLog) -> Result<(), tower_revocation::log::LogError> {
    /// let assertions = Assertions::new("https://as.example.com").replay_guard(log.replay_guard()?);
    /// # let _ = assertions;
    /// # Ok(())
    /// # }
    /// ```
    pub fn replay_guard(&self) -> Result<FleetGuard, LogError> {
        Ok(FleetGuard {
            log: self.clone(),
            store: self.once_store()?,
            limits: Limits::new(1_000_000),
        })
    }
}

impl FleetGuard {
    /// Sets how many entries one client may have. Defaults to 100 000. Set the same limit on every
    /// process. Several processes at once may exceed it by a few entries.
    ///
    /// It is the number of assertions that your busiest client sends within the longest lifetime of
    /// an assertion. All instances of an attested client share one quota.
    ///
    /// # Panics
    ///
    /// Panics if it is zero, because nothing could be used.
    #[must_use]
    pub fn quota(mut self, entries: u64) -> Self {
        self.limits = self.limits.with_quota(entries);
        self
    }
}

impl ReplayGuard for FleetGuard {
    /// Dropping the future cancels nothing: the identifier is used up, or the use was never queued.
    fn use_up(&self, once: Once, until: SystemTime) -> BoxFuture<'_, Result<bool, BoxError>> {
        // At once, if the server is known to be away.
        let attempt = self.log.refusal().map_or_else(
            || {
                Ok(self.store.use_up(OnceUse {
                    digest: *once.as_bytes(),
                    client: *once.client(),
                    expires: end(until),
                    quota: self.limits.quota(),
                }))
            },
            Err,
        );
        Box::pin(async move {
            let attempt = match attempt?.await? {
                OnceResult::Fresh => Attempt::Fresh,
                OnceResult::Used => Attempt::Used,
                OnceResult::Forgotten => Attempt::ClockWentBack,
                OnceResult::FullQuota => Attempt::FullQuota,
            };
            attempt.into_result()
        })
    }
}

impl fmt::Debug for FleetGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FleetGuard")
            .field("log", &self.log)
            .field("quota", &self.limits.quota())
            .finish_non_exhaustive()
    }
}
