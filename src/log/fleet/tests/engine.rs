//! An engine in the memory of the test.

use std::{
    collections::HashSet,
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;

use super::super::{
    super::{Durability, LogError, LogErrorKind, NumericDate, Revocation},
    engine::{
        Append, Ask, Committed, Cursor, Done, Engine, History, Incarnation, Member, Membership,
        Page,
    },
};

/// Clones are the same engine.
#[derive(Clone, Default)]
pub(super) struct Memory(Arc<Shared>);

#[derive(Default)]
pub(super) struct Shared {
    records: Mutex<Vec<(u64, Revocation)>>,
    pub(super) members: Mutex<Vec<Member>>,
    changed: Notify,
    /// Refuses every request.
    pub(super) is_down: AtomicBool,
    /// Refuses appends only.
    pub(super) is_read_only: AtomicBool,
    /// Answers no request.
    pub(super) is_silent: AtomicBool,
    /// The next answer to a poll comes from the first engine, which knows of no loss.
    pub(super) is_late: AtomicBool,
    pub(super) polls: AtomicUsize,
    /// How often the engine has lost records.
    losses: AtomicU64,
    /// The time since 1970.
    pub(super) time: Mutex<Option<Time>>,
}

type Time = Box<dyn Fn() -> Duration + Send>;

impl std::ops::Deref for Memory {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Memory {
    /// How many appends have written something.
    pub(super) fn appends(&self) -> usize {
        let records = self.records.lock().unwrap();
        let marks: HashSet<_> = records.iter().map(|(mark, _)| mark).collect();
        marks.len()
    }

    /// Loses the last record.
    pub(super) fn lose(&self) {
        self.records.lock().unwrap().pop();
        self.losses.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn has(&self, record: Revocation) -> bool {
        let records = self.records.lock().unwrap();
        records.iter().any(|(_, known)| *known == record)
    }

    fn incarnation(&self) -> Incarnation {
        Incarnation(1 + self.losses.load(Ordering::SeqCst))
    }

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

    /// Lists the member. Returns whether it was listed before.
    fn list(&self, ask: &Ask) -> (bool, Vec<Member>) {
        let mut members = self.members.lock().unwrap();
        let known = members.iter().position(|member| member.id == ask.member);
        let Some(report) = &ask.report else {
            return (known.is_some(), Vec::new());
        };
        if report.healed == self.incarnation() || known.is_some() {
            let beat = known.map_or(0, |known| members.remove(known).beat);
            members.push(Member {
                id: ask.member,
                name: report.name.clone(),
                beat: beat + 1,
                applied: report.applied,
                healed: report.healed,
            });
        }
        (known.is_some(), members.clone())
    }
}

impl Engine for Memory {
    async fn poll(&self, ask: Ask) -> Result<Page, LogError> {
        self.polls.fetch_add(1, Ordering::SeqCst);
        self.reach().await?;
        let (listed, members) = self.list(&ask);
        let after = ask.after;
        let log = self.records.lock().unwrap();
        let place = usize::try_from(after.sequence).unwrap();
        let is_same = place == 0
            || log
                .get(place - 1)
                .is_some_and(|(mark, _)| *mark == after.mark);
        let missed = &log[if is_same { place } else { 0 }..];
        let is_late = self.is_late.swap(false, Ordering::SeqCst);
        let upto = log.last().map_or(Cursor::default(), |(mark, _)| Cursor {
            sequence: log.len() as u64,
            mark: *mark,
        });
        Ok(Page {
            incarnation: if is_late {
                Incarnation(1)
            } else {
                self.incarnation()
            },
            history: if is_same || is_late {
                History::Same
            } else {
                History::Other
            },
            upto: if is_late { after } else { upto },
            records: missed.iter().map(|(_, record)| *record).collect(),
            more: false,
            expected: None,
            forgotten: NumericDate::new(0),
            membership: Membership {
                was_listed: listed,
                barrier: members.iter().any(|one| one.healed != self.incarnation()),
                report_wanted: false,
                members,
            },
            age: Duration::ZERO,
            engine_now: self.time.lock().unwrap().as_ref().map(|time| time()),
        })
    }

    async fn append(&self, append: Append) -> Result<Committed, LogError> {
        self.reach().await?;
        if self.is_read_only.load(Ordering::SeqCst) {
            let error = LogError::new(LogErrorKind::Unavailable);
            return Err(error.caused_by("no space left on device"));
        }
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
            incarnation: self.incarnation(),
            at: NumericDate::now(),
            batches,
        })
    }

    async fn begin(&self, _: Incarnation) -> Result<(), LogError> {
        self.reach().await
    }

    async fn leave(&self, member: u64) -> Result<(), LogError> {
        self.reach().await?;
        let mut members = self.members.lock().unwrap();
        members.retain(|one| one.id != member);
        Ok(())
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
