//! The newest records of a log, for those that follow a relay.

use std::collections::VecDeque;

use super::super::{
    super::engine::{Cursor, History, Incarnation, Page},
    codec::{LONGEST_PAGE, Packed, pack},
};

/// The ring keeps about this many records.
const KEPT: usize = 65_536;

/// An answer has about this many records.
const PAGE: usize = 4096;

/// Records one after another, without a gap, of one incarnation.
#[derive(Debug, Default)]
pub(super) struct Ring {
    incarnation: Option<Incarnation>,
    records: VecDeque<Packed>,
    /// Where pages of the engine ended. The first one is before the first record.
    stops: VecDeque<Stop>,
    /// How many records were dropped.
    dropped: usize,
}

/// The engine says only of the last record of a page which number it has. So those that follow a
/// relay go from stop to stop.
#[derive(Clone, Copy, Debug)]
struct Stop {
    cursor: Cursor,
    /// How many records are before it, with those that were dropped.
    end: usize,
}

/// The records after a cursor.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tail {
    pub(super) upto: Cursor,
    pub(super) records: Vec<Packed>,
    pub(super) more: bool,
}

impl Ring {
    pub(super) fn incarnation(&self) -> Option<Incarnation> {
        self.incarnation
    }

    /// The last record.
    pub(super) fn head(&self) -> Option<Cursor> {
        self.stops.back().map(|stop| stop.cursor)
    }

    /// Takes in what the engine has answered to a poll. Returns whether the log has lost its end, or
    /// may have.
    pub(super) fn take(&mut self, after: Cursor, page: &Page) -> bool {
        let broke = page.history == History::Other
            || self
                .incarnation
                .is_some_and(|incarnation| incarnation != page.incarnation);
        let begin = match page.history {
            History::Same => after,
            History::Swept | History::Other => Cursor::default(),
        };
        if broke || self.incarnation.is_none() {
            self.begin(page.incarnation, begin);
        } else if self.head() != Some(begin) {
            // The node reads again what is here already. The end of the log must be the end of the
            // ring: what is after it here was lost.
            let agrees = page.more || self.head() == Some(page.upto);
            if agrees && self.find(page.upto).is_some() {
                return false;
            }
            self.begin(page.incarnation, begin);
        }
        self.records.extend(page.records.iter().map(pack));
        let end = self.dropped + self.records.len();
        if self.head() != Some(page.upto) {
            self.stops.push_back(Stop {
                cursor: page.upto,
                end,
            });
        }
        self.drop_old();
        broke
    }

    /// Returns the records after a cursor. `None` if the ring does not have them all, or does not
    /// know the record of the cursor.
    pub(super) fn after(&self, cursor: Cursor) -> Option<Tail> {
        let from = self.find(cursor)?;
        let begin = self.stops.get(from)?.end;
        let fits = |stop: &&Stop| stop.end - begin <= PAGE;
        let fitting = self.stops.range(from + 1..).take_while(fits).count();
        // At least one page of the engine.
        let to = (from + fitting.max(1)).min(self.stops.len() - 1);
        let stop = self.stops.get(to)?;
        let (first, last) = (begin - self.dropped, stop.end - self.dropped);
        (last - first <= LONGEST_PAGE).then(|| Tail {
            upto: stop.cursor,
            records: self.records.range(first..last).copied().collect(),
            more: to + 1 < self.stops.len(),
        })
    }

    fn find(&self, cursor: Cursor) -> Option<usize> {
        let found = self
            .stops
            .binary_search_by_key(&cursor.sequence, |stop| stop.cursor.sequence);
        let place = found.ok()?;
        // Another mark: another record has this number here.
        (self.stops.get(place)?.cursor == cursor).then_some(place)
    }

    fn begin(&mut self, incarnation: Incarnation, cursor: Cursor) {
        *self = Self {
            incarnation: Some(incarnation),
            stops: VecDeque::from([Stop { cursor, end: 0 }]),
            ..Self::default()
        };
    }

    fn drop_old(&mut self) {
        while self.records.len() > KEPT && self.stops.len() > 2 {
            self.stops.pop_front();
            let Some(first) = self.stops.front() else {
                return;
            };
            self.records.drain(..first.end - self.dropped);
            self.dropped = first.end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::fleet::feed::tests::{cursor, page, record};

    fn ring(pages: impl IntoIterator<Item = (u64, u64)>) -> Ring {
        let mut ring = Ring::default();
        for (after, upto) in pages {
            assert!(!ring.take(cursor(after), &page(after, upto)));
        }
        ring
    }

    fn tail(upto: u64, records: std::ops::RangeInclusive<u64>, more: bool) -> Tail {
        Tail {
            upto: cursor(upto),
            records: records.map(|number| pack(&record(number))).collect(),
            more,
        }
    }

    #[test]
    fn records_after_a_stop_are_served() {
        let ring = ring([(0, 3), (3, 3), (3, 5)]);
        assert_eq!(ring.after(cursor(0)), Some(tail(5, 1..=5, false)));
        assert_eq!(ring.after(cursor(3)), Some(tail(5, 4..=5, false)));
        assert_eq!(ring.after(cursor(5)).unwrap().records.len(), 0);
        // Not the end of a page, another mark, not there yet.
        assert_eq!(ring.after(cursor(4)), None);
        let mark = cursor(3).mark + 1;
        assert_eq!(ring.after(Cursor { mark, ..cursor(3) }), None);
        assert_eq!(ring.after(cursor(6)), None);
    }

    #[test]
    fn ring_that_begins_late_does_not_know_what_was_before() {
        let ring = ring([(10, 12)]);
        assert_eq!(ring.after(cursor(0)), None);
        assert_eq!(ring.after(cursor(10)), Some(tail(12, 11..=12, false)));
    }

    #[test]
    fn oldest_records_are_dropped() {
        let kept = KEPT as u64;
        let size = PAGE as u64;
        let mut ring = ring((0..kept / size).map(|n| (n * size, (n + 1) * size)));
        assert!(ring.after(cursor(0)).unwrap().more);
        ring.take(cursor(kept), &page(kept, kept + 1));
        assert_eq!(ring.after(cursor(0)), None);
        assert_eq!(ring.after(cursor(size)).unwrap().upto, cursor(2 * size));
        assert_eq!(
            ring.after(cursor(kept)),
            Some(tail(kept + 1, kept + 1..=kept + 1, false))
        );
        assert!(ring.records.len() <= KEPT);
    }

    #[test]
    fn what_is_read_again_changes_nothing() {
        let mut ring = ring([(0, 3), (3, 5)]);
        let more = Page {
            more: true,
            ..page(0, 3)
        };
        assert!(!ring.take(cursor(0), &more));
        assert!(!ring.take(cursor(3), &page(3, 5)));
        assert_eq!(ring.after(cursor(0)), Some(tail(5, 1..=5, false)));
    }

    #[test]
    fn end_that_the_log_has_lost_is_dropped() {
        // Noticed by the node, which asks from the beginning, where every history is the same.
        let mut ring = ring([(0, 3), (3, 5)]);
        ring.take(cursor(0), &page(0, 3));
        assert_eq!(ring.head(), Some(cursor(3)));
        assert_eq!(ring.after(cursor(5)), None);
    }

    #[test]
    fn other_history_and_other_incarnation_begin_anew() {
        let mut ring = ring([(0, 3), (3, 5)]);
        let other = Page {
            history: History::Other,
            ..page(0, 4)
        };
        assert!(ring.take(cursor(5), &other));
        assert_eq!(ring.after(cursor(5)), None);
        assert_eq!(ring.after(cursor(0)), Some(tail(4, 1..=4, false)));

        let next = Page {
            incarnation: Incarnation(2),
            ..page(4, 6)
        };
        assert!(ring.take(cursor(4), &next));
        assert_eq!(ring.incarnation(), Some(Incarnation(2)));
        assert_eq!(ring.after(cursor(0)), None);
        assert_eq!(ring.after(cursor(4)), Some(tail(6, 5..=6, false)));
    }
}
