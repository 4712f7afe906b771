//! Why a registry was not reloaded.

use std::{error::Error, fmt, io, path::Path, sync::Arc};

use crate::client::registry::RegistryError;

/// Why a [`ReloadingRegistry`](super::ReloadingRegistry) could not read its file.
///
/// It names the file. Its [source](Error::source) is the [`RegistryError`], with line and column,
/// or the I/O error. It never repeats a secret.
#[derive(Clone, Debug)]
pub struct ReloadError {
    path: Arc<Path>,
    cause: Cause,
}

#[derive(Clone, Debug)]
enum Cause {
    Io(Arc<io::Error>),
    Invalid(RegistryError),
}

impl ReloadError {
    pub(super) fn io(path: Arc<Path>, error: io::Error) -> Self {
        let cause = Cause::Io(Arc::new(error));
        Self { path, cause }
    }

    pub(super) fn invalid(path: Arc<Path>, error: RegistryError) -> Self {
        let cause = Cause::Invalid(error);
        Self { path, cause }
    }

    /// Returns the path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns what is wrong in the file, or `None` if the file could not be read.
    #[must_use]
    pub fn registry_error(&self) -> Option<&RegistryError> {
        match &self.cause {
            Cause::Invalid(error) => Some(error),
            Cause::Io(_) => None,
        }
    }

    /// Whether the other error has the same cause.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (&self.cause, &other.cause) {
            (Cause::Io(one), Cause::Io(other)) => one.to_string() == other.to_string(),
            (Cause::Invalid(one), Cause::Invalid(other)) => one.to_string() == other.to_string(),
            _ => false,
        }
    }
}

impl fmt::Display for ReloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.cause {
            Cause::Io(_) => "cannot read the client registry",
            Cause::Invalid(_) => "invalid client registry",
        };
        write!(f, "{what} {}", self.path.display())
    }
}

impl Error for ReloadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(match &self.cause {
            Cause::Io(error) => &**error,
            Cause::Invalid(error) => error,
        })
    }
}
