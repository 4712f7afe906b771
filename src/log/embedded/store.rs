//! The open store, and the check that it is still the store at its path.

use std::{
    fmt,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use redb::{Builder, Database, StorageBackend};

use super::{
    super::{LogErrorKind, Position},
    backend::Backend,
    fault::Fault,
    tables,
};

/// The place of a store.
pub(crate) trait Storage: fmt::Debug + Send + Sync {
    /// Opens the existing store. It does not make one.
    fn open(&self) -> Result<Opened, Fault>;

    /// Fails if the store at the place is not the open one.
    fn check(&self, opened: &Opened) -> Result<(), Fault>;

    /// Copies the store to a new file.
    fn copy_to(&self, path: &Path) -> Result<(), Fault>;
}

/// An open store.
pub(crate) struct Opened {
    pub(super) database: Database,
    pub(super) identity: Identity,
}

/// Opens the database in a file, or makes one if the file is empty.
pub(super) fn database_in(builder: &Builder, file: impl StorageBackend) -> Result<Database, Fault> {
    Ok(builder.create_with_backend(Backend::new(file))?)
}

/// Which file it is, independent of its name. All files have the same identity on platforms without
/// inodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(super) device: u64,
    pub(super) inode: u64,
}

/// The store of one log. A read does not wait for the writing thread, except while the file is
/// compacted, and while it is opened again after a failure.
pub(crate) struct Store {
    storage: Box<dyn Storage>,
    opened: RwLock<Option<Opened>>,
    /// Why the store can no longer be used, if a read or a write has found that out.
    fault: Mutex<Option<Fault>>,
}

impl Store {
    pub(super) fn new(storage: Box<dyn Storage>, opened: Opened) -> Self {
        Self {
            storage,
            opened: RwLock::new(Some(opened)),
            fault: Mutex::default(),
        }
    }

    pub(super) fn storage(&self) -> &dyn Storage {
        &*self.storage
    }

    /// Reads the store. The writing thread also writes to it.
    pub(crate) fn with<T>(
        &self,
        job: impl FnOnce(&Database) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let opened = self.read();
        let opened = opened.as_ref().ok_or(Fault::new(LogErrorKind::Closed))?;
        job(&opened.database).inspect_err(|fault| self.note(fault))
    }

    /// Runs a job that excludes all reads.
    pub(super) fn with_exclusive<T>(
        &self,
        job: impl FnOnce(&mut Database) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let mut opened = self.write();
        let opened = opened.as_mut().ok_or(Fault::new(LogErrorKind::Closed))?;
        job(&mut opened.database).inspect_err(|fault| self.note(fault))
    }

    /// Fails if the store at the place is not the open one.
    pub(super) fn check(&self) -> Result<(), Fault> {
        let opened = self.read();
        let opened = opened.as_ref().ok_or(Fault::new(LogErrorKind::Closed))?;
        self.storage.check(opened)
    }

    /// Closes the store, and opens the one at the place. Reads wait meanwhile.
    pub(super) fn close_and_open(&self, seen: Position) -> Result<(), Fault> {
        let mut opened = self.write();
        *opened = None;
        // A fault of the closed store says nothing about the next one.
        self.take_fault();
        *opened = Some(self.open(seen)?);
        Ok(())
    }

    /// Opens the store at the place, unless it is the open one.
    pub(super) fn reopen(&self, seen: Position) -> Result<(), Fault> {
        if self.check().is_ok() {
            return Ok(());
        }
        let opened = self.open(seen)?;
        *self.write() = Some(opened);
        Ok(())
    }

    /// A store that does not contain a position that readers have seen is another store, or an
    /// older state of this one. It is not used.
    fn open(&self, seen: Position) -> Result<Opened, Fault> {
        let opened = self.storage.open()?;
        if !tables::contains(&opened.database, seen)? {
            return Err(Fault::new(LogErrorKind::Replaced));
        }
        Ok(opened)
    }

    /// Returns why the store can no longer be used, once for each fault.
    pub(super) fn take_fault(&self) -> Option<Fault> {
        self.fault().take()
    }

    fn note(&self, fault: &Fault) {
        if fault.needs_reopening() {
            self.fault().get_or_insert_with(|| fault.clone());
        }
    }

    fn fault(&self) -> MutexGuard<'_, Option<Fault>> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, Option<Opened>> {
        self.opened.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Option<Opened>> {
        self.opened.write().unwrap_or_else(PoisonError::into_inner)
    }
}
