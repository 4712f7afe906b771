//! A registry that reloads from its file.

mod error;
mod event;
mod file;
mod prepared;

use std::{
    fmt,
    future::Future,
    mem,
    path::Path,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use hyper::rt::Timer;
use tower::BoxError;

use super::{Client, Clients, Registry};
pub use error::ReloadError;
use file::RegistryFile;
pub use prepared::PreparedReload;

/// A [`Registry`] in a file, which reloads when you call it or when the file changes.
///
/// The file is a document as [`Registry::from_json`] reads it. A reload replaces all clients at
/// once, or none: **if the file cannot be read or is invalid, the clients of the last valid file
/// stay in use.** A file that was cut off while someone writes it is not valid JSON, and counts as
/// such. The failure is the return value, an event (feature `tracing`), and the
/// [`last_error`](Self::last_error). It never repeats a secret.
///
/// Nothing reloads by itself. Choose:
///
/// * [`reload`](Self::reload), for example when a signal arrives;
/// * [`watch`](Self::watch), a future that you spawn. It checks the file at an interval.
/// * [`prepare`](Self::prepare), if several files have to be reloaded together.
///
/// A clone shares the clients: give one clone to the authenticator, and keep another.
///
/// Only the registrations are replaced. Everything that the authenticator keeps stays: keys that
/// were fetched from a `jwks_uri` which did not change, used `jti`s, and counted failures. A
/// request that has already looked up its client finishes with the old registration.
///
/// ```
/// use std::time::Duration;
/// use tower_revocation::client::registry::{ClientAuthenticator, ReloadingRegistry};
/// # use hyper_util::rt::TokioTimer;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("clients.json");
/// # std::fs::write(&path, r#"{ "client_id": "spa-1", "token_endpoint_auth_method": "none" }"#)?;
/// let clients = ReloadingRegistry::open(path)?;
/// tokio::spawn(clients.watch(TokioTimer::new(), Duration::from_secs(10)));
///
/// let authenticator = ClientAuthenticator::new(clients.clone());
/// // In a readiness or health endpoint:
/// assert!(clients.last_error().is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ReloadingRegistry {
    shared: Arc<Shared>,
}

struct Shared {
    /// Locked for a whole reload, so that an older file never replaces a newer one.
    file: Mutex<RegistryFile>,
    /// Locked for moments only, never while the file is read.
    current: RwLock<Current>,
}

struct Current {
    registry: Registry,
    last_error: Option<ReloadError>,
}

impl ReloadingRegistry {
    /// Reads the clients from a file.
    ///
    /// It blocks while it reads and parses the file.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read, is larger than 64 MiB, is not UTF-8, or is not a document
    /// that [`Registry::from_json`] accepts.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ReloadError> {
        let mut file = RegistryFile::new(path.as_ref());
        let current = Current {
            registry: file.read()?,
            last_error: None,
        };
        let shared = Shared {
            file: Mutex::new(file),
            current: RwLock::new(current),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Reads the file again, whether or not it has changed.
    ///
    /// It blocks while it reads and parses the file. Authentications go on meanwhile, with the old
    /// clients. Concurrent reloads run one after another.
    ///
    /// # Errors
    ///
    /// Fails as [`open`](Self::open) does. The old clients stay in use.
    pub fn reload(&self) -> Result<(), ReloadError> {
        let mut file = self.file();
        let loaded = file.read();
        self.replace(loaded)
    }

    /// Reads the file again if it has changed. Returns whether new clients are in use.
    ///
    /// On Unix a file has changed if it is another file, or if its length or one of its times has
    /// changed. A file that was changed within the last two seconds is compared by its content,
    /// because the next change could have the same time.
    ///
    /// **On other systems, a file that is replaced by another one of the same length and the same,
    /// older modification time is not noticed**: call [`reload`](Self::reload) then.
    ///
    /// It blocks while it reads and parses the file.
    ///
    /// # Errors
    ///
    /// Fails as [`open`](Self::open) does, and as long as the file has not changed since it failed.
    /// The old clients stay in use.
    pub fn reload_if_changed(&self) -> Result<bool, ReloadError> {
        let mut file = self.file();
        match file.read_if_changed() {
            Some(loaded) => self.replace(loaded).map(|()| true),
            None => self.last_error().map_or(Ok(false), Err),
        }
    }

    /// Returns a future that calls [`reload_if_changed`](Self::reload_if_changed) at this interval.
    ///
    /// Spawn it. It ends when no clone of this registry is left, at the end of an interval. It
    /// blocks its task while it reads the file. If your file is large, call `reload_if_changed` on
    /// a thread of your own instead.
    ///
    /// # Panics
    ///
    /// Panics if the interval is zero.
    pub fn watch<T>(
        &self,
        timer: T,
        interval: Duration,
    ) -> impl Future<Output = ()> + Send + 'static + use<T>
    where
        T: Timer + Send + Sync + 'static,
    {
        assert!(!interval.is_zero(), "the interval of a watch is zero");
        let shared = Arc::downgrade(&self.shared);
        async move {
            loop {
                timer.sleep(interval).await;
                let Some(shared) = shared.upgrade() else {
                    return;
                };
                // A failure is already an event, and the `last_error`.
                let _ = Self { shared }.reload_if_changed();
            }
        }
    }

    /// Returns why the latest reload failed, or `None` if it succeeded.
    ///
    /// Authentication goes on with the old clients, so this is a warning for a health endpoint and
    /// no reason to take the server out of service.
    #[must_use]
    pub fn last_error(&self) -> Option<ReloadError> {
        self.read(|current| current.last_error.clone())
    }

    fn replace(&self, loaded: Result<Registry, ReloadError>) -> Result<(), ReloadError> {
        // Only the exchange itself holds the lock. It takes long to drop a million clients, and a
        // subscriber of the events may read this registry.
        match loaded {
            Ok(registry) => {
                let clients = registry.len();
                let loaded = Current {
                    registry,
                    last_error: None,
                };
                drop(self.change(|current| mem::replace(current, loaded)));
                event::reloaded(clients);
                Ok(())
            }
            Err(error) => {
                let last = self.change(|current| current.last_error.replace(error.clone()));
                // A missing file is read at every interval.
                if !last.is_some_and(|last| last.is(&error)) {
                    event::failed(&error);
                }
                Err(error)
            }
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut Current) -> T) -> T {
        let current = self.shared.current.write();
        change(&mut current.unwrap_or_else(PoisonError::into_inner))
    }

    fn read<T>(&self, read: impl FnOnce(&Current) -> T) -> T {
        let current = self.shared.current.read();
        read(&current.unwrap_or_else(PoisonError::into_inner))
    }

    fn file(&self) -> std::sync::MutexGuard<'_, RegistryFile> {
        let file = self.shared.file.lock();
        file.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clients for ReloadingRegistry {
    async fn client(&self, client_id: &str) -> Result<Option<Arc<Client>>, BoxError> {
        Ok(self.read(|current| current.registry.get(client_id)))
    }

    fn have_password_hashes(&self) -> bool {
        self.read(|current| current.registry.have_password_hashes())
    }
}

impl fmt::Debug for ReloadingRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.read(|current| {
            f.debug_struct("ReloadingRegistry")
                .field("registry", &current.registry)
                .field("last_error", &current.last_error)
                .finish()
        })
    }
}
