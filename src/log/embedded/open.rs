//! How a log is opened.

use std::{
    path::Path,
    sync::{Arc, Mutex, atomic::AtomicUsize},
    thread,
    time::{Duration, Instant},
};

use super::{
    super::{LogError, LogErrorKind, Pace, readers::Readers},
    EmbeddedLog,
    fault::Fault,
    file::{Place, store_in},
    store::{Opened, Storage, Store},
    tables::{self, Expected},
    thread::Begun,
    writer::Writer,
};

/// How long to wait before the first attempt to recover from a failure.
const PAUSE: Duration = Duration::from_secs(1);
/// How often it is tried whether a file is still locked.
const LOCKED: Duration = Duration::from_millis(50);

impl EmbeddedLog {
    /// Opens the file, or makes it. Only one process can have it open.
    ///
    /// After a crash, the last commit that was answered is there, whole. Finding it takes time in
    /// proportion to the file.
    ///
    /// A file that can be read, and not written because the disk is full, is opened:
    /// what was revoked is refused, [`health`](super::super::RevocationLog::health) says that
    /// nothing can be revoked, and the log recovers once it can be written.
    ///
    /// Where a log is expected, use [`open_existing`](Self::open_existing): with this function, a
    /// volume that is not mounted becomes a new, empty log, and every token that was revoked is
    /// live again.
    ///
    /// # Errors
    ///
    /// [`Locked`](LogErrorKind::Locked) if it is open already, [`Corrupt`](LogErrorKind::Corrupt)
    /// if it is damaged or something else, [`NewerFormat`](LogErrorKind::NewerFormat) if a newer
    /// version wrote it, and [`Storage`](LogErrorKind::Storage) if it cannot be read, or not be
    /// made.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LogError> {
        Self::open_within(path, Duration::ZERO)
    }

    /// As [`open`](Self::open), but waits for as long as this while another process has the file
    /// open: the one that this one replaces, in a rolling restart.
    ///
    /// It blocks the thread.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open); [`Locked`](LogErrorKind::Locked) if the file is still open then.
    pub fn open_within(path: impl AsRef<Path>, wait: Duration) -> Result<Self, LogError> {
        let place = Place::new(path.as_ref())?;
        if place.is_vacant()? {
            place.make()?;
        }
        Self::open_at(place, Expected::Any, wait)
    }

    /// Opens the file, which has to be a log. It makes nothing: a path that is wrong, or on a volume
    /// that is not mounted, is an error.
    ///
    /// # Errors
    ///
    /// [`Missing`](LogErrorKind::Missing) if there is no file. Else as [`open`](Self::open).
    pub fn open_existing(path: impl AsRef<Path>) -> Result<Self, LogError> {
        Self::open_existing_within(path, Duration::ZERO)
    }

    /// As [`open_existing`](Self::open_existing), and waits as [`open_within`](Self::open_within)
    /// does.
    ///
    /// # Errors
    ///
    /// As both of them.
    pub fn open_existing_within(path: impl AsRef<Path>, wait: Duration) -> Result<Self, LogError> {
        Self::open_at(Place::new(path.as_ref())?, Expected::Existing, wait)
    }

    /// Copies a [backup](Self::backup) to a path where there is no file, and opens the copy. The
    /// backup is left alone. A copy that turns out to be no log is removed again: then there is no
    /// file at `path`, and another backup can be restored.
    ///
    /// It blocks the thread while the file is copied and read.
    ///
    /// It begins a new incarnation: positions that were told after the backup was made are a
    /// [`Gap`](LogErrorKind::Gap). **The copy does not know what happened after the backup was
    /// made:**
    ///
    /// * What was revoked is live again. If tokens of that time can still be alive, order the end of
    ///   all tokens of their issuer ([`Target::Issuer`](crate::revoke::Target::Issuer)).
    /// * In `IssuedTokens`, refresh tokens and authorization codes that were exchanged can be
    ///   exchanged again, and the tokens that were issued for them are unknown. The same order ends
    ///   them all.
    /// * An assertion that was used might be used again. `EmbeddedGuard` refuses those that may have
    ///   been, with 503, until they are over: see its `max_lifetime`. It does so only if the file was
    ///   restored by this function, and not copied by hand.
    ///
    /// # Errors
    ///
    /// [`Missing`](LogErrorKind::Missing) if there is no backup, [`Corrupt`](LogErrorKind::Corrupt)
    /// and [`NewerFormat`](LogErrorKind::NewerFormat) if it is no log that can be read, and
    /// [`Storage`](LogErrorKind::Storage) if there is a file at `path`, or it cannot be written.
    pub fn restore(backup: impl AsRef<Path>, path: impl AsRef<Path>) -> Result<Self, LogError> {
        let place = Place::new(path.as_ref())?;
        place.copy_from(backup.as_ref(), |draft| {
            // What opening checks, before the copy gets its name. Whoever opens it from then on
            // knows that it was restored.
            tables::begin(&store_in(draft)?.database, Expected::Restored).map(drop)
        })?;
        Self::open_at(place, Expected::Existing, Duration::ZERO)
    }

    fn open_at(place: Place, expected: Expected, wait: Duration) -> Result<Self, LogError> {
        let written = place.written();
        let opened = wait_for(wait, || place.open())?;
        // How long the file lay still is not known to be time that has passed.
        let clock = written.map_or_else(Pace::start, Pace::since);
        Self::start(Box::new(place), opened, expected, clock, PAUSE)
    }

    pub(super) fn start(
        storage: Box<dyn Storage>,
        opened: Opened,
        expected: Expected,
        pace: Pace,
        pause: Duration,
    ) -> Result<Self, LogError> {
        let (opened, begun) = match tables::begin(&opened.database, expected) {
            Ok(state) => (opened, Begun::Writing(state)),
            Err(fault) if fault.is_about_the_store() => {
                // A file that can be read, and not written, is enough for checks.
                drop(opened);
                let opened = storage.open()?;
                let Ok(told) = tables::told(&opened.database) else {
                    return Err(fault.into());
                };
                (opened, Begun::Failed { told, fault })
            }
            Err(fault) => return Err(fault.into()),
        };
        let store = Arc::new(Store::new(storage, opened));
        let readers = Arc::<Mutex<Readers>>::default();
        let writer = Writer::start(store.clone(), begun, readers.clone(), pause)?;
        Ok(Self {
            store,
            readers,
            writer: Arc::new(writer),
            ceiling: Arc::new(AtomicUsize::new(usize::MAX)),
            pace: Arc::new(pace),
        })
    }
}

/// Tries until what is locked is not.
fn wait_for<T>(wait: Duration, open: impl Fn() -> Result<T, Fault>) -> Result<T, LogError> {
    let begun = Instant::now();
    loop {
        match open().map_err(LogError::from) {
            Err(error) if error.kind() == LogErrorKind::Locked && begun.elapsed() < wait => {
                thread::sleep(LOCKED.min(wait));
            }
            opened => return opened,
        }
    }
}
