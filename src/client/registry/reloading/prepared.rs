//! A reload in two steps: read the file, and use what was read.

use std::fmt;

use super::{ReloadError, ReloadingRegistry, file::RegistryFile};
use crate::client::registry::Registry;

impl ReloadingRegistry {
    /// Reads the file again, and leaves the clients as they are until the result is
    /// [applied](PreparedReload::apply): for a server that reloads several files, all of them or
    /// none.
    ///
    /// It blocks while it reads and parses the file.
    ///
    /// ```
    /// # use tower_revocation::client::registry::ReloadingRegistry;
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("clients.json");
    /// # std::fs::write(&path, r#"{ "client_id": "spa-1", "token_endpoint_auth_method": "none" }"#)?;
    /// let clients = ReloadingRegistry::open(path)?;
    /// let prepared = clients.prepare()?;
    /// // Read the other files, and return if one of them is invalid.
    /// prepared.apply();
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails as [`open`](Self::open) does. The failure is the [`last_error`](Self::last_error) and
    /// an event, as that of [`reload`](Self::reload).
    pub fn prepare(&self) -> Result<PreparedReload, ReloadError> {
        // Another one, so that the file counts as changed until it is applied.
        let mut file = self.file().again();
        match file.read() {
            Ok(registry) => Ok(PreparedReload {
                registry,
                file,
                clients: self.clone(),
            }),
            Err(error) => {
                let _ = self.replace(Err(error.clone()));
                Err(error)
            }
        }
    }
}

/// Clients that were read and are not in use yet. Made by [`ReloadingRegistry::prepare`].
#[must_use = "the old clients stay in use"]
pub struct PreparedReload {
    registry: Registry,
    file: RegistryFile,
    clients: ReloadingRegistry,
}

impl PreparedReload {
    /// Replaces all clients by those that were read.
    pub fn apply(self) {
        let Self {
            registry,
            file: read,
            clients,
        } = self;
        let mut file = clients.file();
        *file = read;
        // It cannot fail: the file was read.
        let _ = clients.replace(Ok(registry));
    }
}

impl fmt::Debug for PreparedReload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedReload")
            .field("registry", &self.registry)
            .finish_non_exhaustive()
    }
}
