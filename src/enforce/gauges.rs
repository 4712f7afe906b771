//! The gauges of an index.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// The size and the age of an index.
pub(super) struct Gauges {
    /// `None` if there is no log.
    pub(super) records: Option<usize>,
    /// The watches of all indexes of this process.
    pub(super) watched: usize,
    /// How long the index may be behind the log.
    pub(super) silence: Option<Duration>,
    /// How long ago the last record came.
    pub(super) applied: Option<Duration>,
}

impl Gauges {
    pub(super) fn set(&self) {
        let count = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        metrics::gauge!("tower_revocation_watched_streams").set(count(self.watched));
        if let Some(records) = self.records {
            metrics::gauge!("tower_revocation_index_records").set(count(records));
        }
        if let Some(silence) = self.silence {
            metrics::gauge!("tower_revocation_index_freshness_seconds").set(silence.as_secs_f64());
        }
        if let Some(applied) = self.applied {
            metrics::gauge!("tower_revocation_index_applied_age_seconds")
                .set(applied.as_secs_f64());
        }
    }
}

/// The watches of all indexes: a layer without a log has an index of its own, and one gauge is for
/// all of them.
static WATCHED: AtomicUsize = AtomicUsize::new(0);

/// How many of them are those of one index.
#[derive(Default)]
pub(super) struct WatchedHere(AtomicUsize);

impl WatchedHere {
    /// Counts the watches of this index, and returns those of all indexes.
    pub(super) fn update(&self, watched: usize) -> usize {
        let change = watched.wrapping_sub(self.0.swap(watched, Ordering::Relaxed));
        let before = WATCHED.fetch_add(change, Ordering::Relaxed);
        before.wrapping_add(change)
    }
}

impl Drop for WatchedHere {
    fn drop(&mut self) {
        self.update(0);
    }
}
