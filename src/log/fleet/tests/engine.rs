//! An engine in the memory of the test.

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use tokio::sync::Notify;

use super::super::{
    super::{Durability, LogError, LogErrorKind, NumericDate, Revocation},
    engine::{Append, Committed, Cursor, Done, Engine, Incarnation, Page},
};

/// Clones are the same engine.
#[derive(Clone, Default)]
pub(super) struct Memory(Arc<Shared>);

#[derive(Default)]
pub(super) struct Shared {
    records: Mutex<Vec<(u64, Revocation)>>,
    changed: Notify,
    /// Refuses every request.
    pub(super) is_down: AtomicBool,
    /// Answers no request.
    pub(super) is_silent: AtomicBool,
    pub(super) polls: AtomicUsize,
}

impl std::ops::Deref for Memory {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Memory {
    async fn reach(&self) -> Result<(), LogError> {
        if self.is_silent.load(Ordering::SeqCst) {
            pending::<()>().await;
        }
        if self.is_down.load(Ordering::SeqCst) {
            let error = LogError::new(LogErrorKind::Unavailable);
            return Err(error.caused_by("connection refused"));
        }
        Ok(())
    }
}

impl Engine for Memory {
    async fn poll(&self, after: Cursor) -> Result<Page, LogError> {
        self.polls.fetch_add(1, Ordering::SeqCst);
        self.reach().await?;
        let log = self.records.lock().unwrap();
        let known = usize::try_from(after.sequence).unwrap();
        let missed = &log[known..];
        let upto = log.last().map_or(Cursor::default(), |(mark, _)| Cursor {
            sequence: log.len() as u64,
            mark: *mark,
        });
        Ok(Page {
            incarnation: Incarnation(1),
            same_history: true,
            upto,
            records: missed.iter().map(|(_, record)| *record).collect(),
            more: false,
            forgotten: NumericDate::new(0),
        })
    }

    async fn append(&self, append: Append) -> Result<Committed, LogError> {
        self.reach().await?;
        let mut log = self.records.lock().unwrap();
        let mut batches = Vec::new();
        for batch in append.batches {
            for record in &batch.records {
                if log.iter().all(|(_, known)| known != record) {
                    log.push((append.mark, *record));
                }
            }
            batches.push(Done::Appended {
                sequence: log.len() as u64,
                added: batch.records.len(),
            });
        }
        drop(log);
        self.changed.notify_waiters();
        Ok(Committed {
            incarnation: Incarnation(1),
            at: NumericDate::now(),
            batches,
        })
    }

    async fn hint(&self) {
        self.changed.notified().await;
    }

    async fn sweep(&self) -> Result<u64, LogError> {
        Ok(0)
    }

    fn durability(&self) -> Durability {
        Durability::Volatile
    }
}
