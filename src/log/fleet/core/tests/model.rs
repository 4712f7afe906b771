//! An engine in memory: an ordered log, whose end can be lost.

use std::collections::HashMap;

use super::super::super::engine::{Append, Committed, Cursor, Done, Incarnation, Page, stamped};
use crate::log::{NumericDate, Revocation, Selector};

/// A page has at most this many records, so that a node often needs many pages.
const PAGE: usize = 4;

pub(super) struct Model {
    pub(super) incarnation: u64,
    /// The records in the order of their commits, each with its mark.
    log: Vec<(Revocation, u64)>,
    known: HashMap<Selector, Revocation>,
}

impl Model {
    pub(super) fn new() -> Self {
        Self {
            incarnation: 1,
            log: Vec::new(),
            known: HashMap::new(),
        }
    }

    pub(super) fn poll(&self, after: Cursor) -> Page {
        let same_history = self.has(after);
        let start = if same_history {
            after
        } else {
            Cursor::default()
        };
        let begin = usize::try_from(start.sequence).unwrap();
        let end = self.log.len().min(begin + PAGE);
        let last = end.checked_sub(1).filter(|_| end > begin);
        Page {
            incarnation: Incarnation(self.incarnation),
            same_history,
            upto: last.map_or(start, |last| Cursor {
                sequence: end as u64,
                mark: self.log[last].1,
            }),
            records: self.log[begin..end].iter().map(|entry| entry.0).collect(),
            more: end < self.log.len(),
            forgotten: NumericDate::new(0),
        }
    }

    pub(super) fn append(&mut self, append: &Append, at: NumericDate) -> Committed {
        let mut batches = Vec::new();
        for batch in &append.batches {
            let known = self.known.len();
            for record in &batch.records {
                let selector = record.selector();
                let known = self.known.get(&selector).copied();
                if let Some(record) = stamped(*record, at).beyond(known) {
                    self.known.insert(selector, record);
                    self.log.push((record, append.mark));
                }
            }
            batches.push(Done::Appended {
                sequence: self.log.len() as u64,
                added: self.known.len() - known,
            });
        }
        Committed {
            incarnation: Incarnation(self.incarnation),
            at,
            batches,
        }
    }

    /// Loses the last records.
    pub(super) fn lose(&mut self, count: usize) -> Vec<Revocation> {
        let keep = self.log.len().saturating_sub(count);
        let lost = self.log.split_off(keep);
        self.known = HashMap::new();
        for (record, _) in &self.log {
            self.known.insert(record.selector(), *record);
        }
        lost.into_iter().map(|(record, _)| record).collect()
    }

    pub(super) fn knows(&self, selector: &Selector) -> bool {
        self.known.contains_key(selector)
    }

    pub(super) fn len(&self) -> usize {
        self.log.len()
    }

    fn has(&self, cursor: Cursor) -> bool {
        let Some(index) = cursor.sequence.checked_sub(1) else {
            return true;
        };
        let entry = self.log.get(usize::try_from(index).unwrap());
        entry.is_some_and(|(_, mark)| *mark == cursor.mark)
    }
}
