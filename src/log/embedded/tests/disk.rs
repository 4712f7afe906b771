//! A simulated disk that fails on request.

use std::{
    fmt, io,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use redb::{Builder, StorageBackend, backends::InMemoryBackend};

use super::super::{
    EmbeddedLog,
    fault::Fault,
    store::{Identity, Opened, Storage, database_in},
    tables::Expected,
};
use crate::log::{CheckedClock, LogErrorKind, NumericDate};

/// How the disk behaves from now on.
#[derive(Default)]
pub(super) struct Switches {
    pub(super) full: AtomicBool,
    /// Full as soon as the log is open. While it is being opened, the disk is not full.
    pub(super) full_once_opened: AtomicBool,
    opening: AtomicBool,
    pub(super) no_sync: AtomicBool,
    pub(super) unreadable: AtomicBool,
    pub(super) gone: AtomicBool,
    pub(super) syncs: AtomicUsize,
    /// How often the store was opened.
    pub(super) opened: AtomicUsize,
    /// Runs once, after a number of reads from the disk.
    pub(super) at_read: Mutex<Option<Hook>>,
    /// Runs once, when the store is opened.
    pub(super) at_open: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

/// The number of reads before the hook runs, and the hook.
pub(super) type Hook = (usize, Box<dyn FnOnce() + Send>);

impl fmt::Debug for Switches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Switches").finish_non_exhaustive()
    }
}

/// A disk with one log. Clones are the same disk.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    memory: Arc<InMemoryBackend>,
    cached: bool,
    pub(super) switches: Arc<Switches>,
}

impl Disk {
    pub(super) fn new() -> Self {
        Self {
            memory: Arc::new(InMemoryBackend::new()),
            cached: true,
            switches: Arc::default(),
        }
    }

    /// Makes a disk without a cache: every read goes to the disk.
    pub(super) fn uncached() -> Self {
        Self {
            cached: false,
            ..Self::new()
        }
    }

    /// Opens the log, which tries to recover after a millisecond.
    pub(super) fn log(&self) -> EmbeddedLog {
        self.start(CheckedClock::start(), Duration::from_millis(1))
    }

    /// Opens the log, which does not try to recover while the test runs.
    pub(super) fn log_that_does_not_recover(&self) -> EmbeddedLog {
        self.start(CheckedClock::start(), Duration::from_secs(60 * 60))
    }

    /// As [`log`](Self::log), with a clock that was last read at `date`.
    pub(super) fn log_since(&self, date: NumericDate) -> EmbeddedLog {
        self.start(CheckedClock::since(date), Duration::from_millis(1))
    }

    fn start(&self, clock: CheckedClock, pause: Duration) -> EmbeddedLog {
        let opened = self.open().unwrap();
        let storage = Box::new(self.clone());
        EmbeddedLog::start(storage, opened, Expected::Any, clock, pause).unwrap()
    }

    pub(super) fn set(&self, switch: impl FnOnce(&Switches) -> &AtomicBool, on: bool) {
        switch(&self.switches).store(on, Ordering::SeqCst);
    }

    fn refuse(switch: &AtomicBool, kind: io::ErrorKind) -> io::Result<()> {
        if switch.load(Ordering::SeqCst) {
            return Err(io::Error::from(kind));
        }
        Ok(())
    }
}

impl Storage for Disk {
    fn open(&self) -> Result<Opened, Fault> {
        self.switches.opened.fetch_add(1, Ordering::SeqCst);
        let hook = self.switches.at_open.lock().unwrap().take();
        if let Some(hook) = hook {
            hook();
        }
        let mut builder = Builder::new();
        if !self.cached {
            builder.set_cache_size(0);
        }
        self.switches.opening.store(true, Ordering::SeqCst);
        let database = database_in(&builder, self.clone())?;
        self.switches.opening.store(false, Ordering::SeqCst);
        Ok(Opened {
            database,
            identity: Identity::default(),
        })
    }

    fn check(&self, _: &Opened) -> Result<(), Fault> {
        if self.switches.gone.load(Ordering::SeqCst) {
            return Err(Fault::new(LogErrorKind::Missing));
        }
        Ok(())
    }

    fn copy_to(&self, _: &Path) -> Result<(), Fault> {
        Err(Fault::new(LogErrorKind::Storage))
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.memory.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        Self::refuse(&self.switches.unreadable, io::ErrorKind::Other)?;
        let mut at_read = self.switches.at_read.lock().unwrap();
        match at_read.take() {
            Some((0, hook)) => {
                drop(at_read);
                hook();
            }
            Some((reads, hook)) => *at_read = Some((reads - 1, hook)),
            None => {}
        }
        self.memory.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        Self::refuse(&self.switches.full, io::ErrorKind::StorageFull)?;
        self.memory.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.switches.syncs.fetch_add(1, Ordering::SeqCst);
        Self::refuse(&self.switches.no_sync, io::ErrorKind::Other)?;
        self.memory.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        Self::refuse(&self.switches.full, io::ErrorKind::StorageFull)?;
        if !self.switches.opening.load(Ordering::SeqCst) {
            Self::refuse(&self.switches.full_once_opened, io::ErrorKind::StorageFull)?;
        }
        self.memory.write(offset, data)
    }
}
