//! The folder of the demo.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

/// A folder for the user of this process only. It is removed when the value is dropped.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes a folder with a name that nobody can know before.
    pub(super) fn make() -> io::Result<Self> {
        let name = format!("revocation-sidecar-{:016x}", getrandom::u64()?);
        let path = env::temp_dir().join(name);
        // The umask leaves others no rights.
        fs::create_dir(&path)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
