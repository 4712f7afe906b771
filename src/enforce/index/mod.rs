//! The live records, in memory, exact.

#[cfg(all(test, shuttle))]
mod interleavings;
mod shared;

use std::{fmt, sync::Arc, time::Duration};

use self::shared::Shared;
use super::{
    freshness::{Freshness, Readiness},
    life::TokenLife,
};
use crate::{
    introspect::Introspection,
    log::{
        LogError, LogErrorKind, NumericDate, Position, Reader, RevocationLog, Selector,
        SelectorClass,
    },
};

/// Every record of a log, in memory: whether a token is revoked is a few reads of it.
///
/// It is exact: nothing is forgotten before it expires, and nothing is guessed. What this process
/// appends to the log is here before `append` returns. Clones are the same index.
///
/// A thread of its own forgets what has expired, once a minute.
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
    /// An index that knows nothing yet: until a log is [loaded](Self::load), nothing is live.
    #[must_use]
    pub fn new() -> Self {
        Self::with_bound(Duration::from_secs(5))
    }

    /// As [`new`](Self::new), for a log that others append to as well: when it has not been heard
    /// of for longer than `bound`, the index is [stale](Freshness::Stale). Five seconds for
    /// [`new`](Self::new). It makes no difference to a log whose every append goes through this
    /// process.
    #[must_use]
    pub fn with_bound(bound: Duration) -> Self {
        Self {
            shared: Arc::new(Shared::new(bound)),
        }
    }

    /// An index without a log: it has no records, and it is always fresh. Streams end at the `exp`
    /// of their token.
    ///
    /// # Panics
    ///
    /// If the operating system does not start the clock's thread.
    pub(super) fn without_log() -> Self {
        let shared = Arc::new(Shared::without_log());
        shared.start_clock().expect("the system starts a thread");
        Self { shared }
    }

    /// An index that has taken in all that the log has, and follows it from there.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub async fn follow<L: RevocationLog>(log: &L) -> Result<Self, LogError> {
        let index = Self::new();
        index.load(log).await?;
        Ok(index)
    }

    /// Takes in all that the log has, adds it to what is known, and follows the log from there.
    /// To load the same log again only reads it again.
    ///
    /// What the log has forgotten is heeded: while the clock is earlier than the end of a record
    /// that is forgotten, tokens that end before that are unknown.
    ///
    /// An index is for one log. If others are loaded as well it follows them all, but to have heard
    /// of one counts as having heard of each.
    ///
    /// # Errors
    ///
    /// If the log could not be read, or the clock's thread not be started. What was known before
    /// stays, and whether the index is ready does not change.
    pub async fn load<L: RevocationLog>(&self, log: &L) -> Result<(), LogError> {
        self.shared.start_clock()?;
        loop {
            let snapshot = log.snapshot().await?;
            self.shared.table.reserve(snapshot.records.len());
            self.shared.table.has_forgotten(snapshot.forgotten);
            self.shared.read(snapshot.position, &snapshot.records);
            let reader: Arc<dyn Reader> = self.shared.clone();
            match log.tail(snapshot.position, Arc::downgrade(&reader)).await {
                Ok(()) => break,
                // The log was compacted beyond the snapshot in the meantime. Another one adds to
                // it.
                Err(error) if error.kind() == LogErrorKind::Gap => {}
                Err(error) => return Err(error),
            }
        }
        self.shared.last_contact.loaded(log.is_local());
        Ok(())
    }

    /// What the record selects by that covers the token, if there is one: any one of its selectors
    /// suffices. A token that does not say when it was issued is covered by every record about it.
    #[must_use]
    pub fn revoked_by(&self, token: &Introspection) -> Option<SelectorClass> {
        self.shared.revoked_by(token)
    }

    /// Whether a record covers the token.
    #[must_use]
    pub fn covers(&self, token: &Introspection) -> bool {
        self.revoked_by(token).is_some()
    }

    /// Whether a record covers the tokens with this selector that were issued then, or at a time
    /// that they do not say.
    #[must_use]
    pub fn covers_selector(&self, selector: &Selector, issued: Option<NumericDate>) -> bool {
        let table = &self.shared.table;
        table.covers(table.tag(selector), issued)
    }

    /// Whether the token is good now: the index is fresh, and the token neither expired, nor
    /// rotated, nor revoked, by a record or by its introspection. Nor is it if its record may have
    /// been forgotten, by [`sweep`](Self::sweep) or by the log, before the clock went back.
    #[must_use]
    pub fn is_live(&self, token: &Introspection, now: NumericDate) -> bool {
        // First, so that what was fresh is what is asked.
        let fresh = self.freshness() == Freshness::Fresh;
        let good = fresh && !token.is_expired(now) && !token.rotated && !token.revoked;
        good && !self.covers(token) && !self.may_have_forgotten(token, now)
    }

    /// Whether a record about the token may have been there, and be forgotten. Ask it after
    /// [`covers`](Self::covers).
    pub(super) fn may_have_forgotten(&self, token: &Introspection, now: NumericDate) -> bool {
        let table = &self.shared.table;
        match token.exp {
            // No record ends before what it covers.
            Some(exp) => table.may_have_forgotten(exp),
            // Any record that should still be there may have covered it.
            None => table.may_have_forgotten(now + Duration::from_secs(1)),
        }
    }

    /// How fresh it is.
    #[must_use]
    pub fn freshness(&self) -> Freshness {
        self.shared.freshness()
    }

    /// Whether it is ready, for health checks.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        Readiness(self.shared.last_contact.clone())
    }

    /// The last position in the log that has been taken in.
    #[must_use]
    pub fn position(&self) -> Position {
        self.shared.last_contact.position()
    }

    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.table.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The memory that the records take, in octets.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.shared.table.memory()
    }

    /// How many streams and connections will be cut when their token ends.
    #[must_use]
    pub fn watched(&self) -> usize {
        self.shared.watchers.len()
    }

    /// Forgets the records that have expired by now. It happens by itself, once a minute.
    ///
    /// If the clock goes back behind the end of a record that is forgotten, the state of all tokens
    /// that end before that is unknown: none of them is let in again.
    pub fn sweep(&self, now: NumericDate) {
        self.shared.table.sweep(now);
    }

    /// The life of a token.
    pub(super) fn life(&self, token: Introspection) -> TokenLife {
        TokenLife::new(self.shared.clone(), token)
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
