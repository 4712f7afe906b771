//! A disk that keeps a part of what was written to it.

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use redb::{Builder, StorageBackend};

use super::super::super::{
    EmbeddedLog,
    fault::Fault,
    store::{Identity, Opened, Storage, database_in},
    tables::Expected,
};
use crate::log::{CheckedClock, LogErrorKind};

/// A disk below a cache, as the system has it. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    content: Arc<Mutex<Content>>,
    pub(super) no_sync: Arc<AtomicBool>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    /// What a reader gets.
    cache: Vec<u8>,
    /// What a power loss leaves.
    pub(super) disk: Vec<u8>,
    /// The writes that are in the cache only.
    unsynced: Vec<Write>,
    /// The disk before the last `fsync`, and the writes of that.
    pub(super) before: Vec<u8>,
    pub(super) writes: Vec<Write>,
    pub(super) syncs: usize,
}

/// The offset, and the bytes.
pub(super) type Write = (usize, Vec<u8>);

/// The smallest unit that a disk writes as a whole.
pub(super) const SECTOR: usize = 512;

impl Disk {
    pub(super) fn with(disk: Vec<u8>) -> Self {
        let content = Content {
            cache: disk.clone(),
            disk,
            ..Content::default()
        };
        Self {
            content: Arc::new(Mutex::new(content)),
            no_sync: Arc::default(),
        }
    }

    pub(super) fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap()
    }

    pub(super) fn log(&self) -> EmbeddedLog {
        let opened = self.open().unwrap();
        let (clock, pause) = (CheckedClock::start(), Duration::from_millis(1));
        EmbeddedLog::start(Box::new(self.clone()), opened, Expected::Any, clock, pause).unwrap()
    }

    /// What a power loss leaves now.
    pub(super) fn after_power_loss(&self) -> Self {
        Self::with(self.content().disk.clone())
    }
}

impl Storage for Disk {
    fn open(&self) -> Result<Opened, Fault> {
        Ok(Opened {
            database: database_in(&Builder::new(), self.clone())?,
            identity: Identity::default(),
        })
    }

    fn check(&self, _: &Opened) -> Result<(), Fault> {
        Ok(())
    }

    fn copy_to(&self, _: &std::path::Path) -> Result<(), Fault> {
        Err(Fault::new(LogErrorKind::Storage))
    }
}

pub(super) fn put(bytes: &mut Vec<u8>, offset: usize, data: &[u8]) {
    if bytes.len() < offset + data.len() {
        bytes.resize(offset + data.len(), 0);
    }
    bytes[offset..offset + data.len()].copy_from_slice(data);
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.content().cache.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        out.copy_from_slice(&self.content().cache[offset..offset + out.len()]);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut content = self.content();
        let len = usize::try_from(len).unwrap();
        content.cache.resize(len, 0);
        // The size of a file is in the journal of the file system.
        content.disk.resize(len, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut content = self.content();
        let unsynced = std::mem::take(&mut content.unsynced);
        if self.no_sync.load(Ordering::SeqCst) {
            // The system does not try to write these pages again.
            return Err(io::Error::from(io::ErrorKind::Other));
        }
        let before = content.disk.clone();
        for (offset, data) in &unsynced {
            put(&mut content.disk, *offset, data);
        }
        (content.before, content.writes) = (before, unsynced);
        content.syncs += 1;
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut content = self.content();
        let offset = usize::try_from(offset).unwrap();
        put(&mut content.cache, offset, data);
        content.unsynced.push((offset, data.to_vec()));
        Ok(())
    }
}
