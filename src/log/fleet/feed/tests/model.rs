//! An engine in the memory of the test, with a connection for each node.

use std::{
    future::pending,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use tokio::sync::Notify;

use super::{
    super::super::engine::{
        Append, Ask, Committed, Cursor, Done, Engine, History, Incarnation, Membership, Page,
        Report,
    },
    cursor, page,
};
use crate::log::{Durability, LogError, LogErrorKind, NumericDate, Revocation};

/// How many records a page has at most.
const PAGE: usize = 1000;

/// Clones are the same connection.
#[derive(Clone)]
pub(super) struct Model {
    log: Arc<Log>,
    pub(super) link: Arc<Link>,
}

#[derive(Default)]
struct Log {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    /// Each with the incarnation in which it was appended.
    records: Vec<(Revocation, u64)>,
    incarnation: u64,
    members: Vec<u64>,
}

/// The connection of one node.
#[derive(Default)]
pub(super) struct Link {
    /// Polls and appends get no answer.
    pub(super) is_cut: AtomicBool,
    pub(super) polls: AtomicUsize,
    /// What the node asks for others gets no answer.
    pub(super) reads_hang: AtomicBool,
    pub(super) reads: AtomicUsize,
    pub(super) reports: AtomicUsize,
    /// The last report of the node.
    pub(super) report: Mutex<Option<Report>>,
}

impl Model {
    pub(super) fn new() -> Self {
        let log = Arc::<Log>::default();
        log.state.lock().unwrap().incarnation = 1;
        let link = Arc::default();
        Self { log, link }
    }

    /// Another connection to the same log.
    pub(super) fn connection(&self) -> Self {
        Self {
            log: self.log.clone(),
            link: Arc::default(),
        }
    }

    /// Appends records past all nodes.
    pub(super) fn put(&self, records: impl IntoIterator<Item = Revocation>) {
        self.state().push(records);
        self.log.changed.notify_waiters();
    }

    /// Another incarnation begins, without the last records.
    pub(super) fn lose(&self, records: usize) {
        let mut state = self.state();
        state.incarnation += 1;
        let left = state.records.len() - records;
        state.records.truncate(left);
    }

    pub(super) fn applied(&self) -> Option<u64> {
        let report = self.link.report.lock().unwrap();
        report.as_ref().map(|report| report.applied)
    }

    /// How many nodes are listed.
    pub(super) fn members(&self) -> usize {
        self.state().members.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.log.state.lock().unwrap()
    }

    async fn reach(&self) {
        if self.link.is_cut.load(Ordering::SeqCst) {
            pending::<()>().await;
        }
    }
}

impl State {
    fn push(&mut self, records: impl IntoIterator<Item = Revocation>) {
        let incarnation = self.incarnation;
        let records = records.into_iter().map(|record| (record, incarnation));
        self.records.extend(records);
    }

    /// The place after so many records. A record of a later incarnation has another mark.
    fn place(&self, records: usize) -> Cursor {
        let place = cursor(records as u64);
        let last = records.checked_sub(1).map(|last| self.records[last].1);
        let mark = place.mark + last.unwrap_or(1) - 1;
        Cursor { mark, ..place }
    }
}

impl Model {
    fn page(&self, ask: Ask) -> Page {
        let mut state = self.state();
        let was_listed = state.members.contains(&ask.member);
        if let Some(report) = ask.report {
            self.link.reports.fetch_add(1, Ordering::SeqCst);
            *self.link.report.lock().unwrap() = Some(report);
            if !was_listed {
                state.members.push(ask.member);
            }
        }
        let known = usize::try_from(ask.after.sequence).unwrap();
        let is_known = known <= state.records.len() && ask.after == state.place(known);
        let from = if is_known { known } else { 0 };
        let to = state.records.len().min(from + PAGE);
        Page {
            incarnation: Incarnation(state.incarnation),
            history: if is_known {
                History::Same
            } else {
                History::Other
            },
            upto: state.place(to),
            records: state.records[from..to]
                .iter()
                .map(|record| record.0)
                .collect(),
            more: to < state.records.len(),
            expected: None,
            membership: Membership {
                was_listed,
                barrier: false,
                report_wanted: true,
                members: Vec::new(),
            },
            ..page(0, 0)
        }
    }
}

impl Engine for Model {
    async fn poll(&self, ask: Ask) -> Result<Page, LogError> {
        self.link.polls.fetch_add(1, Ordering::SeqCst);
        self.reach().await;
        Ok(self.page(ask))
    }

    async fn read(&self, after: Cursor) -> Result<Page, LogError> {
        self.link.reads.fetch_add(1, Ordering::SeqCst);
        if self.link.reads_hang.load(Ordering::SeqCst) {
            pending::<()>().await;
        }
        Ok(self.page(Ask::reading(after)))
    }

    async fn append(&self, append: Append) -> Result<Committed, LogError> {
        self.reach().await;
        let mut state = self.state();
        let mut batches = Vec::new();
        for batch in append.batches {
            let added = batch.records.len();
            state.push(batch.records);
            let sequence = state.records.len() as u64;
            batches.push(Done::Appended { sequence, added });
        }
        let incarnation = Incarnation(state.incarnation);
        drop(state);
        self.log.changed.notify_waiters();
        Ok(Committed {
            incarnation,
            at: NumericDate::now(),
            batches,
        })
    }

    async fn begin(&self, _: Incarnation) -> Result<(), LogError> {
        Err(LogError::new(LogErrorKind::Unavailable))
    }

    async fn leave(&self, member: u64) -> Result<(), LogError> {
        self.state().members.retain(|known| *known != member);
        Ok(())
    }

    async fn hint(&self) {
        self.log.changed.notified().await;
        self.reach().await;
    }

    async fn sweep(&self) -> Result<u64, LogError> {
        Ok(0)
    }

    fn durability(&self) -> Durability {
        Durability::Volatile
    }
}
