//! How fresh is what the index knows?

use std::{
    future::poll_fn,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Poll, Waker},
    time::{Duration, Instant},
};

use crate::log::Position;

/// How fresh is what an [`Index`](super::Index) knows?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Freshness {
    /// The first snapshot is not in. Nothing is taken for live.
    Unready,
    /// As far as can be known within the bound, nothing is missing.
    Fresh,
    /// The log has not been heard of for so long, which is longer than the bound.
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
    /// Whether tokens can be told apart: the first snapshot is in, and the index is fresh.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.freshness() == Freshness::Fresh
    }

    /// How fresh the index is.
    #[must_use]
    pub fn freshness(&self) -> Freshness {
        self.0.freshness()
    }

    /// Waits until the first snapshot is in.
    pub async fn ready(&self) {
        poll_fn(|cx| self.0.poll_loaded(cx.waker())).await;
    }
}

/// When the log was last heard of.
#[derive(Debug)]
pub(super) struct LastContact {
    begun: Instant,
    bound: Duration,
    /// Whether nobody else appends, so that the index is never behind.
    local: AtomicBool,
    /// Milliseconds since `begun`, and one more; zero before the first snapshot is in.
    heard: AtomicU64,
    /// When the last record came, likewise.
    applied: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    position: Position,
    waiting: Vec<Waker>,
}

impl LastContact {
    pub(super) fn new(bound: Duration) -> Self {
        Self {
            begun: Instant::now(),
            bound,
            local: AtomicBool::new(false),
            heard: AtomicU64::new(0),
            applied: AtomicU64::new(0),
            state: Mutex::default(),
        }
    }

    pub(super) fn freshness(&self) -> Freshness {
        // Acquire: whoever sees that the snapshot is in sees what is in it.
        let heard = self.heard.load(Ordering::Acquire);
        if heard == 0 {
            return Freshness::Unready;
        }
        if self.local.load(Ordering::Relaxed) {
            return Freshness::Fresh;
        }
        let silence = self.since(heard);
        if silence <= self.bound {
            Freshness::Fresh
        } else {
            Freshness::Stale(silence)
        }
    }

    /// The log was there, and everything up to this position has been taken in.
    pub(super) fn heard(&self, position: Position, something: bool) {
        let now = self.now();
        if something {
            self.applied.store(now, Ordering::Relaxed);
        }
        let mut state = self.state();
        let known = &mut state.position;
        // Another tail may have been further already.
        if known.epoch != position.epoch || known.sequence < position.sequence {
            *known = position;
        }
        // A tail may speak before the first snapshot is in.
        if self.heard.load(Ordering::Relaxed) != 0 {
            self.heard.store(now, Ordering::Release);
        }
    }

    /// A snapshot is in, and the tail has joined.
    pub(super) fn loaded(&self, local: bool) {
        let waiting = {
            let mut state = self.state();
            // One log that is never behind does not speak for another that may be.
            let first = self.heard.load(Ordering::Relaxed) == 0;
            let local = local && (first || self.local.load(Ordering::Relaxed));
            self.local.store(local, Ordering::Relaxed);
            self.heard.store(self.now(), Ordering::Release);
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    pub(super) fn position(&self) -> Position {
        self.state().position
    }

    /// How long the index may be behind: not at all, where nobody else appends.
    #[cfg(feature = "metrics")]
    pub(super) fn silence(&self) -> Option<Duration> {
        let heard = self.heard.load(Ordering::Acquire);
        let silence = if self.local.load(Ordering::Relaxed) {
            Duration::ZERO
        } else {
            self.since(heard)
        };
        (heard != 0).then_some(silence)
    }

    /// How long ago the last record came.
    #[cfg(feature = "metrics")]
    pub(super) fn applied(&self) -> Option<Duration> {
        let applied = self.applied.load(Ordering::Relaxed);
        (applied != 0).then(|| self.since(applied))
    }

    fn poll_loaded(&self, waker: &Waker) -> Poll<()> {
        let mut state = self.state();
        if self.heard.load(Ordering::Acquire) != 0 {
            return Poll::Ready(());
        }
        if !state.waiting.iter().any(|known| known.will_wake(waker)) {
            state.waiting.push(waker.clone());
        }
        Poll::Pending
    }

    fn now(&self) -> u64 {
        let elapsed = u64::try_from(self.begun.elapsed().as_millis());
        elapsed.unwrap_or(u64::MAX - 1) + 1
    }

    fn since(&self, moment: u64) -> Duration {
        Duration::from_millis(self.now().saturating_sub(moment))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
