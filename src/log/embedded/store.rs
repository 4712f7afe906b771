//! The store while it is open, and whether it still is the one that others find.

use std::{
    fmt,
    path::Path,
    sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use redb::Database;

use super::{
    super::{LogErrorKind, Position},
    epochs,
    fault::Fault,
    file::Identity,
};

/// Where a store is.
pub(crate) trait Storage: fmt::Debug + Send + Sync {
    /// Opens what is there. It makes nothing.
    fn open(&self) -> Result<Opened, Fault>;

    /// Fails if what was opened is not what is there now.
    fn check(&self, opened: &Opened) -> Result<(), Fault>;

    /// Copies what is there to a new file.
    fn copy_to(&self, path: &Path) -> Result<(), Fault>;
}

/// A store that was opened.
pub(crate) struct Opened {
    pub(super) database: Database,
    pub(super) identity: Identity,
}

/// The store of one log. Reading does not wait for the thread that writes, unless the file is
/// compacted.
pub(crate) struct Store {
    storage: Box<dyn Storage>,
    opened: RwLock<Option<Opened>>,
    /// Why the store cannot be read any more, if somebody who read has seen that.
    suspicion: Mutex<Option<Fault>>,
}

impl Store {
    pub(super) fn new(storage: Box<dyn Storage>, opened: Opened) -> Self {
        Self {
            storage,
            opened: RwLock::new(Some(opened)),
            suspicion: Mutex::default(),
        }
    }

    pub(super) fn storage(&self) -> &dyn Storage {
        &*self.storage
    }

    /// Reads the store, or writes to it on the thread that may.
    pub(crate) fn with<T>(
        &self,
        job: impl FnOnce(&Database) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let opened = self.read();
        let opened = opened.as_ref().ok_or(Fault::new(LogErrorKind::Closed))?;
        job(&opened.database).inspect_err(|fault| self.suspect(fault))
    }

    /// Does what nobody may read meanwhile.
    pub(super) fn alone_with<T>(
        &self,
        job: impl FnOnce(&mut Database) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let mut opened = self.write();
        let opened = opened.as_mut().ok_or(Fault::new(LogErrorKind::Closed))?;
        job(&mut opened.database).inspect_err(|fault| self.suspect(fault))
    }

    /// Fails if what is open is not what others find.
    pub(super) fn check(&self) -> Result<(), Fault> {
        let opened = self.read();
        let opened = opened.as_ref().ok_or(Fault::new(LogErrorKind::Closed))?;
        self.storage.check(opened)
    }

    pub(super) fn close(&self) {
        let mut opened = self.write();
        *opened = None;
        // Those who were reading have said what they saw.
        self.suspicion();
    }

    /// Opens what is there now, unless it is open. What lacks a position that was told is another
    /// store, or an older state of this one: it is not used.
    pub(super) fn renew(&self, told: Position) -> Result<(), Fault> {
        if self.check().is_ok() {
            return Ok(());
        }
        let opened = self.storage.open()?;
        if !epochs::file_has(&opened.database, told)? {
            return Err(Fault::new(LogErrorKind::Replaced));
        }
        *self.write() = Some(opened);
        Ok(())
    }

    /// Why the store cannot be read any more, said once.
    pub(super) fn suspicion(&self) -> Option<Fault> {
        let mut suspicion = self
            .suspicion
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        suspicion.take()
    }

    fn suspect(&self, fault: &Fault) {
        if fault.is_about_the_store() {
            let mut suspicion = self
                .suspicion
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            suspicion.get_or_insert_with(|| fault.clone());
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Option<Opened>> {
        self.opened.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Option<Opened>> {
        self.opened.write().unwrap_or_else(PoisonError::into_inner)
    }
}
