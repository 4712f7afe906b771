//! Reading the whole log, page by page.
//!
//! The table of records has no order, and only the server knows how far a scan of it has come. A node
//! names its scan by a cursor without a sequence, and a mark that is drawn for it. Whatever is
//! appended meanwhile follows after the scan, because that began with the head of the log.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::super::engine::{Cursor, Incarnation};

/// How many steps are known. Nodes whose step is forgotten begin again.
const STEPS: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scan {
    /// What the server calls the next step.
    pub(super) step: Vec<u8>,
    pub(super) incarnation: Incarnation,
    /// The head of the log before the first step.
    pub(super) head: Cursor,
}

#[derive(Default)]
pub(super) struct Scans(Mutex<Vec<Step>>);

struct Step {
    mark: u64,
    /// The step before. It may be asked for again until this one is.
    before: u64,
    scan: Scan,
}

impl Scans {
    /// Returns the scan that a cursor names. `None` if it names none, or one that is not known: the
    /// node begins at the beginning.
    pub(super) fn at(&self, cursor: Cursor) -> Option<Scan> {
        if cursor.sequence > 0 || cursor.mark == 0 {
            return None;
        }
        let mut steps = self.locked();
        let found = steps.iter().find(|step| step.mark == cursor.mark)?;
        let (scan, before) = (found.scan.clone(), found.before);
        steps.retain(|step| step.mark != before);
        Some(scan)
    }

    /// Keeps the step after a cursor, and returns the cursor that names it.
    pub(super) fn keep(&self, after: Cursor, mark: u64, scan: Scan) -> Cursor {
        let mut steps = self.locked();
        if steps.len() == STEPS {
            steps.remove(0);
        }
        let before = after.mark;
        steps.push(Step { mark, before, scan });
        Cursor { sequence: 0, mark }
    }

    /// The scan has come to its end.
    pub(super) fn end(&self, cursor: Cursor) {
        self.locked().retain(|step| step.mark != cursor.mark);
    }

    fn locked(&self) -> MutexGuard<'_, Vec<Step>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn step_is_known_until_the_one_after_the_next_is_asked_for() {
        let scans = Scans::default();
        let scan = |step: u8| Scan {
            step: vec![step],
            incarnation: Incarnation(1),
            head: Cursor::default(),
        };
        let first = scans.keep(Cursor::default(), 11, scan(1));
        assert_eq!(scans.at(first), Some(scan(1)));
        let second = scans.keep(first, 12, scan(2));
        assert_eq!(
            (scans.at(first), scans.at(second)),
            (Some(scan(1)), Some(scan(2)))
        );
        assert_eq!((scans.at(first), scans.at(second)), (None, Some(scan(2))));
        scans.end(second);
        assert_eq!(scans.at(second), None);
        let record = Cursor {
            sequence: 1,
            mark: 11,
        };
        assert_eq!(
            (scans.at(record), scans.at(Cursor::default())),
            (None, None)
        );
    }

    #[test]
    fn steps_that_nobody_asks_for_are_forgotten() {
        let scans = Scans::default();
        let scan = Scan {
            step: Vec::new(),
            incarnation: Incarnation(1),
            head: Cursor::default(),
        };
        for mark in 1..1000 {
            scans.keep(Cursor::default(), mark, scan.clone());
        }
        assert_eq!(scans.locked().len(), STEPS);
    }
}
