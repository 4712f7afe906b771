//! An engine in memory: an ordered log, whose end can be lost.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{Hash, Hasher},
    time::Duration,
};

use super::super::super::engine::{
    Append, Ask, Committed, Cursor, Done, History, Incarnation, Member, Membership, Page, stamped,
};
use crate::log::{NumericDate, Revocation, Selector};

/// A page has at most this many records, so that a node often needs many pages.
const PAGE: usize = 4;

#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) incarnation: u64,
    /// The records in the order of their commits, each with its mark.
    log: Vec<(Revocation, u64)>,
    known: HashMap<Selector, Revocation>,
    members: Members,
    /// The members before each record was appended.
    before: Vec<Members>,
    joins: u64,
}

/// The members, and whether their appends wait.
type Members = BTreeMap<u64, (Member, bool)>;

impl Hash for Model {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.incarnation.hash(state);
        for (record, mark) in &self.log {
            (record.selector().to_bytes(), mark).hash(state);
        }
        for (member, _) in self.members.values() {
            (member.id, member.beat, member.applied, member.healed).hash(state);
        }
    }
}

impl Model {
    pub(crate) fn new() -> Self {
        Self {
            incarnation: 1,
            log: Vec::new(),
            known: HashMap::new(),
            members: BTreeMap::new(),
            before: Vec::new(),
            joins: 0,
        }
    }

    pub(crate) fn poll(&mut self, ask: Ask) -> Page {
        let Ask {
            after,
            member,
            report,
            silent,
        } = ask;
        let listed = self.members.contains_key(&member);
        let is_whole = !silent.is_empty() || report.is_some();
        for silent in silent {
            let beat = self.members.get(&silent.member).map(|one| one.0.beat);
            if beat == Some(silent.beat) {
                self.members.remove(&silent.member);
            }
        }
        let same_history = self.has(after);
        if let Some(report) = report {
            // A second life of a member begins with a beat that the first one never had.
            self.joins += 1000;
            let beat = self
                .members
                .get(&member)
                .map_or(self.joins, |one| one.0.beat);
            if listed || report.healed.0 == self.incarnation {
                let member = Member {
                    id: member,
                    name: report.name,
                    beat: beat + 1,
                    // What another history has at this place says nothing about this one.
                    applied: if same_history { report.applied } else { 0 },
                    healed: report.healed,
                };
                self.members.insert(member.id, (member, report.waits));
            }
        }
        let is_healed = |one: &(Member, bool)| one.0.healed.0 == self.incarnation;
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
            history: if same_history {
                History::Same
            } else {
                History::Other
            },
            upto: last.map_or(start, |last| Cursor {
                sequence: end as u64,
                mark: self.log[last].1,
            }),
            records: self.log[begin..end].iter().map(|entry| entry.0).collect(),
            more: end < self.log.len(),
            expected: None,
            forgotten: NumericDate::new(0),
            membership: Membership {
                was_listed: listed,
                barrier: !self.members.values().all(is_healed),
                report_wanted: self.members.values().any(|one| one.1),
                members: if is_whole {
                    self.members.values().map(|one| one.0.clone()).collect()
                } else {
                    Vec::new()
                },
            },
            age: Duration::ZERO,
            engine_now: None,
        }
    }

    /// Begins another incarnation, if this is the current one.
    pub(crate) fn begin(&mut self, after: Incarnation) {
        if after.0 == self.incarnation {
            self.incarnation += 1;
        }
    }

    pub(crate) fn append(&mut self, append: &Append, at: NumericDate) -> Committed {
        let given = |record| {
            if append.as_given {
                record
            } else {
                stamped(record, at)
            }
        };
        let mut batches = Vec::new();
        for batch in &append.batches {
            let known = self.known.len();
            for record in &batch.records {
                let selector = record.selector();
                let known = self.known.get(&selector).copied();
                if let Some(record) = given(*record).beyond(known) {
                    self.known.insert(selector, record);
                    self.log.push((record, append.mark));
                    self.before.push(self.members.clone());
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

    /// Loses the last records, and what happened to the members since then.
    pub(crate) fn lose(&mut self, count: usize) -> Vec<Revocation> {
        let keep = self.log.len().saturating_sub(count);
        let lost = self.log.split_off(keep);
        if let Some(members) = self.before.split_off(keep).into_iter().next() {
            self.members = members;
        }
        self.known = HashMap::new();
        for (record, _) in &self.log {
            self.known.insert(record.selector(), *record);
        }
        lost.into_iter().map(|(record, _)| record).collect()
    }

    pub(crate) fn knows(&self, selector: &Selector) -> bool {
        self.known.contains_key(selector)
    }

    pub(crate) fn lists(&self, member: u64) -> bool {
        self.members.contains_key(&member)
    }

    pub(crate) fn len(&self) -> usize {
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
