//! How many records were appended lately?

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::log::{LogError, Moment, NumericDate, Position, Reader, Revocation, RevocationLog};

/// The length of a span, in seconds.
const SPAN: u64 = 30 * 60;
/// The number of spans: a day.
pub(super) const SPANS: u64 = 48;

/// Counts the records of the last 24 hours, for the status page. Clones share the counts.
///
/// It begins to count when it is made. It counts all records of the log, those of other processes too,
/// and needs 1 KiB of memory.
///
/// ```
/// use tower_revocation::{admin::RecentRecords, log::MemoryLog};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tower_revocation::log::LogError> {
/// let log = MemoryLog::new();
/// let recent = RecentRecords::follow(&log).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RecentRecords(Arc<Counts>);

struct Counts {
    since: NumericDate,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    position: Option<Position>,
    /// The number of a span since 1970, and of its records. The latest is the last.
    spans: VecDeque<(u64, u64)>,
}

/// The counts of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Recent {
    /// When the counting began.
    pub(super) since: u64,
    /// When each span begins, and the number of its records, from old to new.
    pub(super) spans: Vec<(u64, u64)>,
}

impl RecentRecords {
    /// Counts nothing until it [loads](Self::load) a log.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Counts {
            since: NumericDate::now(),
            state: Mutex::default(),
        }))
    }

    /// Follows a log.
    ///
    /// # Errors
    ///
    /// Fails if the log cannot be read.
    pub async fn follow<L: RevocationLog>(log: &L) -> Result<Self, LogError> {
        let recent = Self::new();
        recent.load(log).await?;
        Ok(recent)
    }

    /// Follows a log from now on.
    ///
    /// # Errors
    ///
    /// Fails if the log cannot be read. Call it again then.
    pub async fn load<L: RevocationLog>(&self, log: &L) -> Result<(), LogError> {
        let reader: Arc<dyn Reader> = self.0.clone();
        log.follow(Arc::downgrade(&reader)).await
    }

    pub(super) fn counts(&self, now: NumericDate) -> Recent {
        let state = self.0.state();
        let last = now.seconds() / SPAN;
        let of = |span: u64| {
            let mut known = state.spans.iter();
            known.find(|(it, _)| *it == span).map_or(0, |(_, n)| *n)
        };
        let spans = (0..SPANS).rev().map(|back| last.saturating_sub(back));
        Recent {
            since: self.0.since.seconds(),
            spans: spans.map(|span| (span * SPAN, of(span))).collect(),
        }
    }
}

impl Default for RecentRecords {
    fn default() -> Self {
        Self::new()
    }
}

impl Recent {
    /// When the last span ends.
    pub(super) fn end(&self) -> u64 {
        self.spans.last().map_or(0, |(begin, _)| begin + SPAN)
    }
}

impl Counts {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reach(&self, position: Position, now: NumericDate) {
        let state = &mut *self.state();
        // Positions have no gaps, while a record can come twice.
        let before = state.position.replace(position);
        let added = match before.filter(|before| before.epoch == position.epoch) {
            Some(before) => position.sequence.saturating_sub(before.sequence),
            None => 0,
        };
        if added == 0 {
            return;
        }
        let span = now.seconds() / SPAN;
        match state.spans.iter_mut().find(|(it, _)| *it == span) {
            Some((_, count)) => *count = count.saturating_add(added),
            None => state.spans.push_back((span, added)),
        }
        if state.spans.len() > usize::try_from(SPANS).unwrap_or(usize::MAX) {
            state.spans.pop_front();
        }
    }
}

impl Reader for Counts {
    fn read(&self, _: &[Revocation]) {}

    fn complete(&self, position: Position, _: Moment) {
        self.reach(position, NumericDate::now());
    }

    fn forgotten(&self, _: NumericDate) {}
}

impl fmt::Debug for RecentRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecentRecords")
            .field("since", &self.0.since)
            .finish_non_exhaustive()
    }
}

/// How long a span is.
pub(super) const fn span() -> Duration {
    Duration::from_secs(SPAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_counted_in_their_span() {
        let counts = Counts {
            since: NumericDate::new(0),
            state: Mutex::default(),
        };
        let reach = |epoch, sequence, now| {
            counts.reach(Position { epoch, sequence }, NumericDate::new(now));
        };
        // What was there before does not count, nor what a reader is told again.
        reach(1, 100, 0);
        reach(1, 103, 10);
        reach(1, 103, 20);
        reach(1, 104, SPAN - 1);
        reach(1, 105, SPAN);
        // Another incarnation of the log begins with what it has.
        reach(2, 500, SPAN);
        reach(2, 501, 3 * SPAN);
        let recent = RecentRecords(Arc::new(counts));
        let counts = |now| recent.counts(NumericDate::new(now)).spans;
        let shown = counts(3 * SPAN + 5);
        assert_eq!(shown.len(), 48);
        assert_eq!(shown.last(), Some(&(3 * SPAN, 1)));
        assert_eq!(counts(3 * SPAN + 5).iter().map(|it| it.1).max(), Some(4));
        assert!(counts(60 * SPAN).iter().all(|(_, count)| *count == 0));
    }

    #[test]
    fn only_a_day_is_kept() {
        let counts = Counts {
            since: NumericDate::new(0),
            state: Mutex::default(),
        };
        for at in 0..200 {
            let position = Position {
                epoch: 1,
                sequence: at,
            };
            counts.reach(position, NumericDate::new(at * SPAN));
        }
        assert_eq!(counts.state().spans.len(), 48);
    }
}
