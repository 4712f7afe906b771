//! How far can an index be behind its log?

use std::{
    future::poll_fn,
    sync::{Arc, PoisonError},
    task::{Poll, Waker},
    time::{Duration, Instant},
};

use super::sync::{AtomicBool, AtomicU64, Mutex, MutexGuard, Ordering};
use crate::log::Position;

/// How fresh an [`Index`](super::Index) is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Freshness {
    /// The first snapshot has not been loaded. No token is live.
    Unready,
    /// The index is behind the log by at most the limit of
    /// [`stale_after`](super::Index::stale_after).
    Fresh,
    /// The log has not reported for this long, which is longer than the limit.
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
    /// Whether the index can tell live tokens from revoked ones: the first snapshot has been loaded
    /// and the index is fresh.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.freshness() == Freshness::Fresh
    }

    /// How fresh the index is.
    #[must_use]
    pub fn freshness(&self) -> Freshness {
        self.0.freshness()
    }

    /// Waits until the first snapshot has been loaded.
    pub async fn ready(&self) {
        poll_fn(|cx| self.0.poll_loaded(cx.waker())).await;
    }
}

/// When the log reported last.
#[derive(Debug)]
pub(super) struct LastContact {
    begun: Instant,
    /// In milliseconds. A longer silence makes the index stale.
    limit: AtomicU64,
    /// Whether every append goes through this process, so that the index is never behind.
    local: AtomicBool,
    /// Milliseconds since `begun` plus one. Zero until the first snapshot has been loaded.
    reported: AtomicU64,
    /// When the last record came, in the same unit.
    applied: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    position: Position,
    waiting: Vec<Waker>,
}

impl LastContact {
    pub(super) fn new(limit: Duration) -> Self {
        Self {
            begun: Instant::now(),
            limit: AtomicU64::new(millis(limit)),
            local: AtomicBool::new(false),
            reported: AtomicU64::new(0),
            applied: AtomicU64::new(0),
            state: Mutex::default(),
        }
    }

    pub(super) fn set_limit(&self, limit: Duration) {
        self.limit.store(millis(limit), Ordering::Relaxed);
    }

    pub(super) fn freshness(&self) -> Freshness {
        // Acquire: a thread that sees the snapshot as loaded also sees its records.
        let reported = self.reported.load(Ordering::Acquire);
        if reported == 0 {
            return Freshness::Unready;
        }
        if self.local.load(Ordering::Relaxed) {
            return Freshness::Fresh;
        }
        let silence = self.since(reported);
        if silence <= self.limit.load(Ordering::Relaxed) {
            Freshness::Fresh
        } else {
            Freshness::Stale(Duration::from_millis(silence))
        }
    }

    /// The log has reported: the index now has everything up to this position.
    pub(super) fn reported(&self, position: Position, has_records: bool) {
        let now = self.now();
        if has_records {
            self.applied.store(now, Ordering::Relaxed);
        }
        let mut state = self.state();
        let known = &mut state.position;
        // The tail of another load may have come further already.
        if known.epoch != position.epoch || known.sequence < position.sequence {
            *known = position;
        }
        // A tail may report before the first snapshot has been loaded.
        if self.reported.load(Ordering::Relaxed) != 0 {
            self.reported.store(now, Ordering::Release);
        }
    }

    /// A snapshot has been loaded, and the tail follows it.
    pub(super) fn loaded(&self, local: bool) {
        let waiting = {
            let mut state = self.state();
            // A local log is never behind, but that says nothing about another log that may be.
            let first = self.reported.load(Ordering::Relaxed) == 0;
            let local = local && (first || self.local.load(Ordering::Relaxed));
            self.local.store(local, Ordering::Relaxed);
            self.reported.store(self.now(), Ordering::Release);
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    pub(super) fn position(&self) -> Position {
        self.state().position
    }

    /// How long the index may be behind. Zero for a local log, `None` before the first snapshot.
    #[cfg(feature = "metrics")]
    pub(super) fn silence(&self) -> Option<Duration> {
        let reported = self.reported.load(Ordering::Acquire);
        let silence = if self.local.load(Ordering::Relaxed) {
            0
        } else {
            self.since(reported)
        };
        (reported != 0).then_some(Duration::from_millis(silence))
    }

    /// How long ago the last record came.
    #[cfg(feature = "metrics")]
    pub(super) fn applied(&self) -> Option<Duration> {
        let applied = self.applied.load(Ordering::Relaxed);
        (applied != 0).then(|| Duration::from_millis(self.since(applied)))
    }

    fn poll_loaded(&self, waker: &Waker) -> Poll<()> {
        let mut state = self.state();
        if self.reported.load(Ordering::Acquire) != 0 {
            return Poll::Ready(());
        }
        if !state.waiting.iter().any(|known| known.will_wake(waker)) {
            state.waiting.push(waker.clone());
        }
        Poll::Pending
    }

    fn now(&self) -> u64 {
        millis(self.begun.elapsed()).saturating_add(1)
    }

    /// How many milliseconds ago this moment was.
    fn since(&self, moment: u64) -> u64 {
        self.now().saturating_sub(moment)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// In milliseconds, rounded down.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
