//! Which tokens are revoked? The records of a log, in memory.

#[cfg(all(test, shuttle))]
mod interleavings;
mod kept;
mod shared;

use std::{fmt, sync::Arc, time::Duration};

use self::shared::Shared;
use super::{
    freshness::{Freshness, Readiness},
    life::Life,
};
use crate::{
    introspect::Introspection,
    log::{LogError, NumericDate, Position, Reader, RevocationLog, Selector, SelectorClass},
};

/// Every live record of a log, in memory. To check a token takes a few reads.
///
/// The index is exact: it keeps every record until the record expires, and it uses no filter that
/// guesses. A record that this process appends to the log is in the index before `append` returns.
/// Clones share one index.
///
/// A token that is [marked for reuse](Introspection::for_reuse) is looked up again only after a
/// record that may be about it. For that the index has 8 KiB of counters, for any number of records
/// and tokens.
///
/// A thread of the index removes expired records once a minute. It ends with the index.
///
/// ```
/// use tower_revocation::{
///     enforce::Index,
///     introspect::{Introspection, TokenKind},
///     log::{MemoryLog, NumericDate, Revocation, RevocationLog, Selector, SelectorClass},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tower_revocation::log::LogError> {
/// let log = MemoryLog::new();
/// let index = Index::follow(&log).await?;
///
/// let now = NumericDate::now();
/// let mut token = Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3");
/// token.iat = Some(now);
/// token.grant = Some("g1".into());
/// assert!(index.is_live(&token, now));
///
/// log.append(vec![Revocation::forever(Selector::grant("g1"), NumericDate::FOREVER)]).await?;
/// assert!(!index.is_live(&token, now));
/// assert_eq!(index.revoked_by(&token), Some(SelectorClass::Grant));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Index {
    shared: Arc<Shared>,
}

impl Index {
    /// Creates an empty index. No token is live until a log is [loaded](Self::load).
    #[must_use]
    pub fn new() -> Self {
        Self {
            shared: Arc::new(Shared::new()),
        }
    }

    /// How old the answer of the log may be that showed the index to be complete. After that the
    /// index is [stale](Freshness::Stale). Defaults to the [lease](RevocationLog::lease) of the log,
    /// or to the shortest of several. It overrides the lease, also if a log is loaded later. A longer
    /// time than the lease gives up what the log promises.
    ///
    /// Only matters for a log that other processes append to as well. An index of a log whose every
    /// append goes through this process is never stale. Clones share this setting.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_revocation::enforce::Index;
    ///
    /// let index = Index::new().stale_after(Duration::from_secs(2));
    /// ```
    #[must_use]
    pub fn stale_after(self, limit: Duration) -> Self {
        self.shared.last_contact.set_limit(limit);
        self
    }

    /// An index without a log: it has no records, and it is always fresh. Streams end at the `exp`
    /// of their token.
    ///
    /// # Panics
    ///
    /// Panics if the operating system does not start the clock's thread.
    pub(super) fn without_log() -> Self {
        let shared = Arc::new(Shared::without_log());
        shared.start_clock().expect("the system starts a thread");
        Self { shared }
    }

    /// Creates an index, loads every record of the log, and follows the log from there.
    ///
    /// # Errors
    ///
    /// The same as [`load`](Self::load).
    pub async fn follow<L: RevocationLog>(log: &L) -> Result<Self, LogError> {
        let index = Self::new();
        index.load(log).await?;
        Ok(index)
    }

    /// Loads every record of the log, adds them to the index, and follows the log from there.
    /// Loading the same log again only reads it again.
    ///
    /// The index also takes over what the log has forgotten. If the clock goes back before the end
    /// of a forgotten record, the state of all tokens that expire before that end is unknown.
    ///
    /// Use an index for one log. An index that loads several logs follows them all, but then it is
    /// complete for all as soon as it is for one.
    ///
    /// # Errors
    ///
    /// Fails if the log cannot be read, or if the operating system does not start the thread of the
    /// index. The index then keeps the records that it has, and its [readiness](Self::readiness)
    /// does not change.
    pub async fn load<L: RevocationLog>(&self, log: &L) -> Result<(), LogError> {
        self.shared.start_clock()?;
        let reader: Arc<dyn Reader> = self.shared.clone();
        log.follow(Arc::downgrade(&reader)).await?;
        self.shared.last_contact.loaded(log.lease());
        Ok(())
    }

    /// The class of a record that covers the token, if there is one. One selector of the token is
    /// enough. Every record about a token covers it if the token has no `iat`.
    #[must_use]
    pub fn revoked_by(&self, token: &Introspection) -> Option<SelectorClass> {
        self.shared.revoked_by(token)
    }

    /// Whether a record covers the token.
    #[must_use]
    pub fn covers(&self, token: &Introspection) -> bool {
        self.revoked_by(token).is_some()
    }

    /// Whether a record covers the tokens with this selector that were issued at this time, or at
    /// an unknown time.
    #[must_use]
    pub fn covers_selector(&self, selector: &Selector, issued: Option<NumericDate>) -> bool {
        let table = &self.shared.table;
        table.covers(table.tag(selector), issued)
    }

    /// Whether the token is live now. It is if the index is fresh and the token is neither expired,
    /// nor rotated, nor revoked, by a record or by its introspection, and has no more
    /// [ancestors](crate::introspect::Claims::ancestors) than are looked up.
    ///
    /// Returns `false` also if the clock has gone back and [`sweep`](Self::sweep) or the log may
    /// have forgotten a record of the token before.
    #[must_use]
    pub fn is_live(&self, token: &Introspection, now: NumericDate) -> bool {
        // First: the records are then at least as new as this result.
        let fresh = self.freshness() == Freshness::Fresh;
        let good = fresh && !token.is_expired(now) && !token.rotated && !token.revoked;
        let good = good && !token.has_too_many_ancestors();
        good && !self.covers(token) && !self.may_have_forgotten(token, now)
    }

    /// Whether a record of the token may have been forgotten. Call [`covers`](Self::covers) first.
    pub(super) fn may_have_forgotten(&self, token: &Introspection, now: NumericDate) -> bool {
        self.shared.may_have_forgotten(token, now)
    }

    /// How fresh the index is.
    #[must_use]
    pub fn freshness(&self) -> Freshness {
        self.shared.freshness()
    }

    /// A handle for health checks.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        Readiness(self.shared.last_contact.clone())
    }

    /// The position in the log up to which the index has every record.
    #[must_use]
    pub fn position(&self) -> Position {
        self.shared.last_contact.position()
    }

    /// The number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.table.len()
    }

    /// Whether there are no records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The memory of the records, in bytes.
    ///
    /// The records are in 256 shards. While a thread enlarges or shrinks a shard, it has a copy of
    /// that shard, which is not included here.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.shared.table.memory()
    }

    /// The number of streams and connections that are cut when their token ends.
    #[must_use]
    pub fn watched(&self) -> usize {
        self.shared.watchers.len()
    }

    /// Removes the records that have expired at `now`. The index does this itself once a minute.
    ///
    /// If the clock later goes back before the end of a removed record, the state of all tokens
    /// that expire before that end is unknown, and none of them is accepted.
    pub fn sweep(&self, now: NumericDate) {
        self.shared.table.sweep(now);
    }

    pub(super) fn life(&self, token: Introspection) -> Life {
        Life::new(self.shared.clone(), token)
    }
}

impl Default for Index {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index")
            .field("len", &self.len())
            .field("position", &self.position())
            .field("freshness", &self.freshness())
            .finish_non_exhaustive()
    }
}
