//! A thread that removes what is over once a minute.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, Thread},
    time::Duration,
};

use super::table::Table;
use crate::log::NumericDate;

const SWEEP: Duration = Duration::from_secs(60);

/// The thread of a table. It is woken when this is dropped, so that it ends.
#[derive(Default)]
pub(super) struct Sweeper {
    is_started: AtomicBool,
    thread: OnceLock<Thread>,
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }
}

/// Starts the thread of a table, unless there is one. If the operating system has no thread to spare,
/// the next sighting tries again.
pub(super) fn start(table: &Arc<Table>) {
    let sweeper = &table.sweeper;
    if sweeper.is_started.swap(true, Ordering::Relaxed) {
        return;
    }
    let weak = Arc::downgrade(table);
    let run = move || {
        loop {
            thread::park_timeout(SWEEP);
            match weak.upgrade() {
                Some(table) => table.sweep(NumericDate::now()),
                None => return,
            }
        }
    };
    let thread = thread::Builder::new().name("revocation-sightings".into());
    match thread.spawn(run) {
        Ok(started) => {
            let _ = sweeper.thread.set(started.thread().clone());
        }
        Err(_) => sweeper.is_started.store(false, Ordering::Relaxed),
    }
}
