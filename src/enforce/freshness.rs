//! How far can an index be behind its log?

use std::{
    future::poll_fn,
    sync::{Arc, PoisonError},
    task::{Poll, Waker},
    time::Duration,
};

use super::sync::{AtomicBool, AtomicU64, Mutex, MutexGuard, Ordering};
use crate::log::{Moment, Position};

/// How fresh an [`Index`](super::Index) is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Freshness {
    /// No log has been loaded, or the log has ended. No token is live.
    Unready,
    /// The index is behind the log by at most the limit of
    /// [`stale_after`](super::Index::stale_after).
    Fresh,
    /// The index was complete this long ago, which is longer than the limit.
    Stale(Duration),
}

/// Whether an [`Index`](super::Index) is ready, for health checks.
///
/// ```
/// use tower_revocation::{enforce::Index, log::MemoryLog};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tower_revocation::log::LogError> {
/// let index = Index::new();
/// let readiness = index.readiness();
/// assert!(!readiness.is_ready());
///
/// index.load(&MemoryLog::new()).await?;
/// readiness.ready().await;
/// assert!(readiness.is_ready());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Readiness(pub(super) Arc<LastContact>);

impl Readiness {
    /// Whether the index can tell live tokens from revoked ones: a log has been loaded and the index
    /// is fresh.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.freshness() == Freshness::Fresh
    }

    /// How fresh the index is.
    #[must_use]
    pub fn freshness(&self) -> Freshness {
        self.0.freshness()
    }

    /// Waits until a log has been loaded.
    pub async fn ready(&self) {
        poll_fn(|cx| self.0.poll_loaded(cx.waker())).await;
    }
}

/// As of when the index is complete.
#[derive(Debug)]
pub(super) struct LastContact {
    /// In milliseconds. An index that was complete longer ago is stale.
    limit: AtomicU64,
    /// Whether the limit was set, instead of taken over from the log.
    limit_is_set: AtomicBool,
    /// Whether every append goes through this process, so that the index is never behind.
    local: AtomicBool,
    /// Whether a log has been loaded.
    loaded: AtomicBool,
    /// When the log was last asked whether the index is complete, by both clocks of a [`Moment`].
    ///
    /// A thread that sees only one of them changed computes an age that is too long.
    asked: [AtomicU64; 2],
    /// When the last record came, or zero.
    applied: [AtomicU64; 2],
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    position: Position,
    waiting: Vec<Waker>,
}

impl LastContact {
    pub(super) fn new() -> Self {
        Self {
            limit: AtomicU64::new(u64::MAX),
            limit_is_set: AtomicBool::new(false),
            local: AtomicBool::new(false),
            loaded: AtomicBool::new(false),
            asked: Default::default(),
            applied: Default::default(),
            state: Mutex::default(),
        }
    }

    pub(super) fn set_limit(&self, limit: Duration) {
        self.limit_is_set.store(true, Ordering::Relaxed);
        self.limit.store(millis(limit), Ordering::Relaxed);
    }

    pub(super) fn freshness(&self) -> Freshness {
        // Acquire: a thread that sees the log as loaded also sees its records.
        if !self.loaded.load(Ordering::Acquire) {
            return Freshness::Unready;
        }
        if self.local.load(Ordering::Relaxed) {
            return Freshness::Fresh;
        }
        let age = since(&self.asked);
        if age <= self.limit.load(Ordering::Relaxed) {
            Freshness::Fresh
        } else {
            Freshness::Stale(Duration::from_millis(age))
        }
    }

    /// Records were added.
    pub(super) fn read(&self) {
        set(&self.applied, Moment::now());
    }

    /// The index has everything up to this position, as of a moment.
    pub(super) fn complete(&self, position: Position, asked: Moment) {
        let mut state = self.state();
        let known = &mut state.position;
        // Another load may have come further already.
        if known.epoch != position.epoch || known.sequence < position.sequence {
            *known = position;
        }
        set(&self.asked, asked);
    }

    /// A log has been loaded, and the index follows it. Without a lease the log is local.
    pub(super) fn loaded(&self, lease: Option<Duration>) {
        let local = lease.is_none();
        let is_set = self.limit_is_set.load(Ordering::Relaxed);
        if let Some(lease) = lease.filter(|_| !is_set) {
            self.limit.fetch_min(millis(lease), Ordering::Relaxed);
        }
        let waiting = {
            let mut state = self.state();
            // A local log is never behind, but that says nothing about another log that may be.
            let first = !self.loaded.load(Ordering::Relaxed);
            let local = local && (first || self.local.load(Ordering::Relaxed));
            self.local.store(local, Ordering::Relaxed);
            self.loaded.store(true, Ordering::Release);
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    /// The log has ended.
    pub(super) fn ended(&self) {
        self.loaded.store(false, Ordering::Release);
    }

    pub(super) fn position(&self) -> Position {
        self.state().position
    }

    /// How long the index may be behind. Zero for a local log, `None` before the first load.
    #[cfg(feature = "metrics")]
    pub(super) fn silence(&self) -> Option<Duration> {
        let loaded = self.loaded.load(Ordering::Acquire);
        let silence = if self.local.load(Ordering::Relaxed) {
            0
        } else {
            since(&self.asked)
        };
        loaded.then_some(Duration::from_millis(silence))
    }

    /// How long ago the last record came.
    #[cfg(feature = "metrics")]
    pub(super) fn applied(&self) -> Option<Duration> {
        let any = self.applied[0].load(Ordering::Acquire) != 0;
        any.then(|| Duration::from_millis(since(&self.applied)))
    }

    fn poll_loaded(&self, waker: &Waker) -> Poll<()> {
        let mut state = self.state();
        if self.loaded.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        if !state.waiting.iter().any(|known| known.will_wake(waker)) {
            state.waiting.push(waker.clone());
        }
        Poll::Pending
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stores a moment, unless a later one is stored.
fn set(stored: &[AtomicU64; 2], moment: Moment) {
    for (stored, time) in stored.iter().zip(moment.millis()) {
        // Release: who sees this moment also sees the records that came before.
        stored.fetch_max(time, Ordering::Release);
    }
}

/// How many milliseconds ago a stored moment was.
fn since(stored: &[AtomicU64; 2]) -> u64 {
    let times = stored.iter().zip(Moment::now().millis());
    let ages = times.map(|(stored, now)| now.saturating_sub(stored.load(Ordering::Acquire)));
    ages.max().unwrap_or(0)
}

/// In milliseconds, rounded down.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
