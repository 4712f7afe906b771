//! The file: for its owner alone, never half made, and known to be the one at its path.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use redb::Database;

use super::{
    super::{LogErrorKind, NumericDate, new_epoch},
    fault::Fault,
    store::{Opened, Storage},
};

/// A path with a log.
#[derive(Debug)]
pub(super) struct Place(PathBuf);

/// Which file it is, whatever it is called. The same for all, where the platform does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
}

impl Place {
    /// The path is meant as it is now, wherever the process goes.
    pub(super) fn new(path: &Path) -> Result<Self, Fault> {
        Ok(Self(std::path::absolute(path)?))
    }

    /// Whether there is no file, or nothing in it.
    pub(super) fn is_vacant(&self) -> Result<bool, Fault> {
        match fs::metadata(&self.0) {
            Ok(file) => Ok(file.len() == 0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// When the file was last written to.
    pub(super) fn written(&self) -> Option<NumericDate> {
        let written = fs::metadata(&self.0).and_then(|file| file.modified());
        let since = written.ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        Some(NumericDate::new(since.as_secs()))
    }

    /// Makes an empty store under another name first. A process that dies meanwhile leaves a file
    /// that nobody can open, ever: the store marks it as its own last of all.
    ///
    /// An empty file becomes one in its place.
    pub(super) fn make(&self) -> Result<(), Fault> {
        if self.0.try_exists()? {
            let file = open_privately(&self.0, false)?;
            return Ok(Database::builder().create_file(file).map(drop)?);
        }
        self.fill(|draft| {
            // It is closed, and so whole, before it gets its name.
            Ok(Database::builder().create_file(draft).map(drop)?)
        })
        .map(drop)
    }

    /// Copies a file to here, and gives the copy its name once it has passed this check. It fails
    /// if there is a file already.
    pub(super) fn copy_from(
        &self,
        source: &Path,
        check: impl FnOnce(File) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut source = existing(File::open(source))?;
        let is_new = self.fill(|mut draft| {
            io::copy(&mut source, &mut draft)?;
            draft.sync_all()?;
            check(draft)
        })?;
        if !is_new {
            return Err(Fault::from(io::Error::from(io::ErrorKind::AlreadyExists)));
        }
        sync_folder(&self.0)?;
        Ok(())
    }

    /// Fills a draft, and gives it its name if nothing has that name. Returns whether it did.
    fn fill(&self, fill: impl FnOnce(File) -> Result<(), Fault>) -> Result<bool, Fault> {
        let draft = draft(&self.0);
        let filled = open_privately(&draft, true)
            .map_err(Fault::from)
            .and_then(fill);
        // Never in the place of another: somebody may have been faster, and write to it already.
        let named = filled.and_then(|()| match fs::hard_link(&draft, &self.0) {
            Ok(()) => Ok(true),
            Err(_) if self.0.try_exists()? => Ok(false),
            // There are no links here.
            Err(_) => Ok(fs::rename(&draft, &self.0).map(|()| true)?),
        });
        let removed = match fs::remove_file(&draft) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        };
        let named = named?;
        removed?;
        Ok(named)
    }
}

impl Storage for Place {
    fn open(&self) -> Result<Opened, Fault> {
        let opened = store_in(existing(open_privately(&self.0, false))?)?;
        sync_folder(&self.0)?;
        Ok(opened)
    }

    fn check(&self, opened: &Opened) -> Result<(), Fault> {
        let found = existing(fs::metadata(&self.0))?;
        if identity(&found) == opened.identity {
            Ok(())
        } else {
            Err(Fault::new(LogErrorKind::Replaced))
        }
    }

    fn copy_to(&self, path: &Path) -> Result<(), Fault> {
        Place::new(path)?.copy_from(&self.0, |_| Ok(()))
    }
}

/// What is not there is missing, and no failure of the disk.
fn existing<T>(found: io::Result<T>) -> Result<T, Fault> {
    found.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Fault::from(error).as_kind(LogErrorKind::Missing),
        _ => error.into(),
    })
}

/// The store in a file that has one.
pub(super) fn store_in(file: File) -> Result<Opened, Fault> {
    let metadata = file.metadata()?;
    // The library would make a new store of it.
    if metadata.len() == 0 {
        return Err(Fault::new(LogErrorKind::Corrupt));
    }
    Ok(Opened {
        database: Database::builder().create_file(file)?,
        identity: identity(&metadata),
    })
}

#[cfg(unix)]
fn identity(metadata: &fs::Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt as _;
    Identity {
        device: metadata.dev(),
        inode: metadata.ino(),
    }
}

#[cfg(not(unix))]
fn identity(_: &fs::Metadata) -> Identity {
    Identity::default()
}

/// A name that nobody else makes a file under.
fn draft(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format!(".{:016x}.new", new_epoch()));
    name.into()
}

/// Names of subjects and clients are in it: a new file is for its owner alone.
fn open_privately(path: &Path, create: bool) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create_new(create);
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
