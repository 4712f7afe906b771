//! The file: for its owner alone, and never half made.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use redb::Database;

use super::{super::new_epoch, fault::Fault};

/// Opens the store, or makes it.
pub(super) fn open(path: &Path) -> Result<Database, Fault> {
    if !path.try_exists()? {
        make(path)?;
    }
    let database = Database::builder().create_file(open_privately(path)?)?;
    sync_folder(path)?;
    Ok(database)
}

/// Makes an empty store under another name first. A process that dies meanwhile leaves a file that
/// nobody can open, ever: the store marks it as its own last of all.
fn make(path: &Path) -> Result<(), Fault> {
    let draft = draft(path);
    let made = open_privately(&draft)
        .map_err(Fault::from)
        .and_then(|file| Ok(Database::builder().create_file(file)?));
    // It is closed, and so whole, before it gets its name.
    let made = made.map(drop);
    if made.is_ok() {
        // Never in the place of another: somebody may have been faster, and write to it already.
        // Where there are no links, it is made in place.
        let _ = fs::hard_link(&draft, path);
    }
    let removed = fs::remove_file(&draft);
    made?;
    Ok(removed?)
}

/// A name that nobody else makes a file under.
fn draft(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format!(".{:016x}.new", new_epoch()));
    name.into()
}

/// Names of subjects and clients are in it: a new file is for its owner alone.
fn open_privately(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes the name of a new file as durable as what is in it.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}
