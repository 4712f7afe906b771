//! The log in a file of this process, as an engine of a node that serves it.
//!
//! An epoch of the file is the mark of the records that were appended in it. A copy that was restored
//! has other epochs after its end, so it does not pass for the file that it is a copy of.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, task::spawn_blocking};

use super::{
    super::{
        FleetLog,
        core::NodeSettings,
        engine::{
            Append, Ask, Committed, Cursor, Done, Engine, History, Incarnation, Membership, Page,
        },
        operation::Operation,
    },
    view::View,
};
use crate::log::{
    Durability, EmbeddedLog, LogError, LogErrorKind, Moment, NumericDate, Position, Reader,
    Revocation, RevocationLog as _,
};

/// How long those that follow may rely on what they know, at most.
const LEASE: Duration = Duration::from_secs(5);

/// Starts a node that follows a file.
pub(super) fn follow(log: EmbeddedLog) -> FleetLog {
    let settings = NodeSettings {
        lease: LEASE,
        append_timeout: LEASE,
        waits: false,
        seed: getrandom::u64().expect("the operating system has random numbers"),
        name: "file".into(),
    };
    let clock = Arc::new(Moment::now);
    let operation = Operation {
        is_silent: true,
        ..Operation::default()
    };
    FleetLog::start_with(Arc::new(File::new(log)), settings, clock, operation)
}

pub(super) struct File {
    log: EmbeddedLog,
    /// The log tells it as long as this exists.
    changed: Arc<Changed>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    view: View,
    /// The end of the last page.
    upto: u64,
}

/// There are new records.
#[derive(Default)]
struct Changed(Notify);

impl Reader for Changed {
    fn read(&self, _: &[Revocation]) {
        self.0.notify_one();
    }

    fn complete(&self, _: Position, _: Moment) {}

    fn forgotten(&self, _: NumericDate) {}
}

impl File {
    pub(super) fn new(log: EmbeddedLog) -> Self {
        let changed = Arc::<Changed>::default();
        let reader: Arc<dyn Reader> = changed.clone();
        log.tell(Arc::downgrade(&reader));
        Self {
            log,
            changed,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine for File {
    async fn poll(&self, ask: Ask) -> Result<Page, LogError> {
        let log = self.log.clone();
        let after = Position {
            epoch: ask.after.mark,
            sequence: ask.after.sequence,
        };
        let read = spawn_blocking(move || log.tail(after)).await;
        let ended = |_| LogError::new(LogErrorKind::Closed);
        let tail = read.map_err(ended)?.map_err(|error| {
            // The log mends itself.
            LogError::new(LogErrorKind::Unavailable).caused_by(error)
        })?;
        let mut state = self.state();
        state.upto = tail.upto.sequence;
        Ok(Page {
            incarnation: state.view.ours(Incarnation(tail.file)),
            history: if tail.is_known {
                History::Same
            } else {
                History::Other
            },
            upto: Cursor {
                sequence: tail.upto.sequence,
                mark: tail.upto.epoch,
            },
            records: tail.records,
            more: tail.more,
            expected: Some(tail.expected),
            forgotten: tail.forgotten,
            membership: Membership {
                was_listed: true,
                barrier: false,
                report_wanted: false,
                members: Vec::new(),
            },
            age: Duration::ZERO,
            engine_now: None,
        })
    }

    /// Appends go to the log itself.
    fn read_only(&self) -> Option<&'static str> {
        Some(READ_ONLY)
    }

    /// Nothing is given back to the file: it has everything that was acknowledged. This node keeps for
    /// those that follow what it has read besides.
    async fn append(&self, append: Append) -> Result<Committed, LogError> {
        let state = self.state();
        let current = state.view.current().filter(|_| append.as_given);
        let refused = || LogError::new(LogErrorKind::Misconfigured).caused_by(READ_ONLY);
        let (sequence, added) = (state.upto, 0);
        Ok(Committed {
            incarnation: current.ok_or_else(refused)?,
            at: NumericDate::now(),
            batches: vec![Done::Appended { sequence, added }; append.batches.len()],
        })
    }

    async fn begin(&self, after: Incarnation) -> Result<(), LogError> {
        self.state().view.begin(after);
        Ok(())
    }

    async fn leave(&self, _: u64) -> Result<(), LogError> {
        Ok(())
    }

    async fn hint(&self) {
        self.changed.0.notified().await;
    }

    async fn sweep(&self) -> Result<u64, LogError> {
        Ok(0)
    }

    fn durability(&self) -> Durability {
        self.log.durability()
    }
}

const READ_ONLY: &str = "the feed only reads the file: append to its log";
