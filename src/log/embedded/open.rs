//! Opening and restoring a log.

use std::{
    path::Path,
    sync::{Arc, Mutex, atomic::AtomicUsize},
    thread,
    time::{Duration, Instant},
};

use super::{
    super::{CheckedClock, LogError, LogErrorKind, readers::Readers},
    EmbeddedLog,
    fault::Fault,
    file::{LogPath, store_in},
    store::{Opened, Storage, Store},
    tables::{self, Expected},
    thread::Start,
    writer::Writer,
};

/// The pause before the first attempt to recover from a failure.
const PAUSE: Duration = Duration::from_secs(1);
/// The pause between two attempts to open a locked file.
const LOCKED_PAUSE: Duration = Duration::from_millis(50);

impl EmbeddedLog {
    /// Opens the log at `path`, or makes a new one. Only one process can have a file open.
    ///
    /// After a crash, the log contains every commit whose appends have returned. The time to open
    /// the file grows with its size.
    ///
    /// A file that can be read but not written, because the disk is full, is opened: revoked tokens
    /// are refused, [`health`](super::super::RevocationLog::health) reports that nothing can be
    /// revoked, and the log recovers once it can be written.
    ///
    /// **Use [`open_existing`](Self::open_existing) where a log must already exist.** If a volume
    /// is not mounted, this function makes a new, empty log, and every revoked token is live again.
    ///
    /// # Errors
    ///
    /// * [`Locked`](LogErrorKind::Locked) if the file is already open.
    /// * [`Corrupt`](LogErrorKind::Corrupt) if it is damaged, or is not a log.
    /// * [`UnknownFormat`](LogErrorKind::UnknownFormat) if this version does not read its format.
    /// * [`Storage`](LogErrorKind::Storage) if it cannot be read, or cannot be made.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LogError> {
        Self::open_within(path, Duration::ZERO)
    }

    /// Opens the log as [`open`](Self::open) does, and waits for at most `wait` while another
    /// process has the file open. In a rolling restart, that is the process that this one replaces.
    ///
    /// It blocks the thread.
    ///
    /// # Errors
    ///
    /// Fails as [`open`](Self::open) does. Fails with [`Locked`](LogErrorKind::Locked) if the file
    /// is still open after `wait`.
    pub fn open_within(path: impl AsRef<Path>, wait: Duration) -> Result<Self, LogError> {
        let path = LogPath::new(path.as_ref())?;
        if path.is_vacant()? {
            path.make()?;
        }
        Self::open_at(path, Expected::Any, wait)
    }

    /// Opens an existing log. It does not make a file: a wrong path, or a path on a volume that is
    /// not mounted, is an error.
    ///
    /// # Errors
    ///
    /// Fails with [`Missing`](LogErrorKind::Missing) if there is no file. Otherwise as
    /// [`open`](Self::open).
    pub fn open_existing(path: impl AsRef<Path>) -> Result<Self, LogError> {
        Self::open_existing_within(path, Duration::ZERO)
    }

    /// Opens an existing log as [`open_existing`](Self::open_existing) does, and waits as
    /// [`open_within`](Self::open_within) does.
    ///
    /// # Errors
    ///
    /// Fails as [`open_existing`](Self::open_existing) and [`open_within`](Self::open_within) do.
    pub fn open_existing_within(path: impl AsRef<Path>, wait: Duration) -> Result<Self, LogError> {
        Self::open_at(LogPath::new(path.as_ref())?, Expected::Existing, wait)
    }

    /// Copies a [backup](Self::backup) to a path without a file, and opens the copy.
    ///
    /// It does not change the backup. If the copy is not a log, it is removed: there is then no
    /// file at `path`, and another backup can be restored. It blocks the thread while the file is
    /// copied and read.
    ///
    /// The copy begins a new incarnation. **The copy lacks everything that happened after the backup
    /// was made:**
    ///
    /// * Tokens that were revoked are live again. If tokens of that time can still be alive, revoke
    ///   all tokens of their issuer ([`Target::Issuer`](crate::revoke::Target::Issuer)).
    /// * In `IssuedTokens`, refresh tokens and authorization codes that were exchanged can be
    ///   exchanged again, and the tokens that were issued for them are unknown. The same request
    ///   revokes them all.
    /// * Assertions that were used could be used again. `EmbeddedGuard` refuses assertions that may
    ///   have been used, with 503, until they expire: see its `max_lifetime`. It does so only if
    ///   the file was restored by this function, and not copied by hand.
    ///
    /// # Errors
    ///
    /// * [`Missing`](LogErrorKind::Missing) if there is no backup.
    /// * [`Corrupt`](LogErrorKind::Corrupt) or [`UnknownFormat`](LogErrorKind::UnknownFormat) if it
    ///   is not a log that can be read.
    /// * [`Storage`](LogErrorKind::Storage) if there is a file at `path`, or it cannot be written.
    pub fn restore(backup: impl AsRef<Path>, path: impl AsRef<Path>) -> Result<Self, LogError> {
        let path = LogPath::new(path.as_ref())?;
        path.copy_from(backup.as_ref(), |draft| {
            // The checks of opening run before the copy gets its name. The file then contains when
            // it was restored.
            tables::begin(&store_in(draft)?.database, Expected::Restored).map(drop)
        })?;
        Self::open_at(path, Expected::Existing, Duration::ZERO)
    }

    /// Opens a file that is a copy for another log of this process, and makes a missing one. It has no
    /// series and events of its own.
    #[cfg(feature = "fleet")]
    pub(in crate::log) fn open_copy(path: &Path, wait: Duration) -> Result<Self, LogError> {
        let path = LogPath::new(path)?;
        if path.is_vacant()? {
            path.make()?;
        }
        Self::open_as(path, Expected::Any, wait, true)
    }

    fn open_at(path: LogPath, expected: Expected, wait: Duration) -> Result<Self, LogError> {
        Self::open_as(path, expected, wait, false)
    }

    fn open_as(
        path: LogPath,
        expected: Expected,
        wait: Duration,
        is_silent: bool,
    ) -> Result<Self, LogError> {
        let modified = path.modified();
        let opened = retry_while_locked(wait, || path.open())?;
        // Nothing shows that the time since the last write has really passed.
        let clock = modified.map_or_else(CheckedClock::start, CheckedClock::since);
        Self::start_as(Box::new(path), opened, expected, clock, PAUSE, is_silent)
    }

    #[cfg(test)]
    pub(super) fn start(
        storage: Box<dyn Storage>,
        opened: Opened,
        expected: Expected,
        clock: CheckedClock,
        pause: Duration,
    ) -> Result<Self, LogError> {
        Self::start_as(storage, opened, expected, clock, pause, false)
    }

    fn start_as(
        storage: Box<dyn Storage>,
        opened: Opened,
        expected: Expected,
        clock: CheckedClock,
        pause: Duration,
        is_silent: bool,
    ) -> Result<Self, LogError> {
        let (opened, key, start) = match tables::begin(&opened.database, expected) {
            Ok(state) => (opened, state.masks.key().clone(), Start::Writable(state)),
            Err(fault) if fault.needs_reopening() => {
                // A file that can only be read is enough for checks.
                drop(opened);
                let opened = storage.open()?;
                let Ok((seen, key)) = tables::position(&opened.database) else {
                    return Err(fault.into());
                };
                (opened, key, Start::ReadOnly { seen, fault })
            }
            Err(fault) => return Err(fault.into()),
        };
        let store = Arc::new(Store::new(storage, opened));
        let readers = Arc::<Mutex<Readers>>::default();
        let writer = Writer::start(store.clone(), start, readers.clone(), pause, is_silent)?;
        Ok(Self {
            store,
            key: Arc::new(key),
            readers,
            writer: Arc::new(writer),
            ceiling: Arc::new(AtomicUsize::new(usize::MAX)),
            clock: Arc::new(clock),
        })
    }
}

/// Opens a file, and retries for at most `wait` while it is locked.
fn retry_while_locked<T>(
    wait: Duration,
    open: impl Fn() -> Result<T, Fault>,
) -> Result<T, LogError> {
    let started = Instant::now();
    loop {
        match open().map_err(LogError::from) {
            Err(error) if error.kind() == LogErrorKind::Locked && started.elapsed() < wait => {
                thread::sleep(LOCKED_PAUSE.min(wait));
            }
            opened => return opened,
        }
    }
}
