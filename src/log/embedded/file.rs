//! The file of a log: readable by its owner only, never incomplete, and checked against its path.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use redb::{Builder, backends::FileBackend};

use super::{
    super::{LogErrorKind, NumericDate, position::new_epoch},
    fault::Fault,
    store::{Identity, Opened, Storage, database_in},
};

/// The path of a log.
#[derive(Debug)]
pub(super) struct LogPath(PathBuf);

impl LogPath {
    /// Makes the path absolute, so that a later change of the working directory has no effect.
    pub(super) fn new(path: &Path) -> Result<Self, Fault> {
        Ok(Self(std::path::absolute(path)?))
    }

    /// Returns whether there is no file, or an empty one.
    pub(super) fn is_vacant(&self) -> Result<bool, Fault> {
        match fs::metadata(&self.0) {
            Ok(file) => Ok(file.len() == 0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns when the file was last modified.
    pub(super) fn modified(&self) -> Option<NumericDate> {
        let modified = fs::metadata(&self.0).and_then(|file| file.modified());
        let since = modified.ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        Some(NumericDate::new(since.as_secs()))
    }

    /// Makes an empty store.
    ///
    /// The store is made under another name and then renamed. A process that is killed in between
    /// would otherwise leave a file that can never be opened, because the store writes its
    /// signature last. An empty file is filled in place.
    pub(super) fn make(&self) -> Result<(), Fault> {
        if self.0.try_exists()? {
            let file = FileBackend::new(open_privately(&self.0, false)?)?;
            return database_in(&Builder::new(), file).map(drop);
        }
        self.fill(|draft| {
            // Closing completes the file before it gets its name.
            database_in(&Builder::new(), FileBackend::new(draft)?).map(drop)
        })
        .map(drop)
    }

    /// Copies a file to this path. The copy gets its name once it has passed `check`. Fails if
    /// there is already a file.
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

    /// Fills a temporary file and renames it, unless there is a file at the path. Returns whether
    /// it was renamed.
    fn fill(&self, fill: impl FnOnce(File) -> Result<(), Fault>) -> Result<bool, Fault> {
        let draft = draft(&self.0);
        let filled = open_privately(&draft, true)
            .map_err(Fault::from)
            .and_then(fill);
        // Never replace an existing file: another process may already write to it.
        let named = filled.and_then(|()| match fs::hard_link(&draft, &self.0) {
            Ok(()) => Ok(true),
            Err(_) if self.0.try_exists()? => Ok(false),
            // The file system does not support hard links.
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

impl Storage for LogPath {
    fn open(&self) -> Result<Opened, Fault> {
        let opened = store_in(existing(open_privately(&self.0, false))?)?;
        sync_folder(&self.0)?;
        Ok(opened)
    }

    fn check(&self, opened: &Opened) -> Result<(), Fault> {
        if existing(identity_at(&self.0))? == opened.identity {
            Ok(())
        } else {
            Err(Fault::new(LogErrorKind::Replaced))
        }
    }

    fn copy_to(&self, path: &Path) -> Result<(), Fault> {
        LogPath::new(path)?.copy_from(&self.0, |_| Ok(()))
    }
}

/// Turns "not found" into the error [`Missing`](LogErrorKind::Missing): the disk has not failed.
fn existing<T>(found: io::Result<T>) -> Result<T, Fault> {
    found.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Fault::from(error).as_kind(LogErrorKind::Missing),
        _ => error.into(),
    })
}

/// Opens the store in a file that is not empty.
pub(super) fn store_in(file: File) -> Result<Opened, Fault> {
    let metadata = file.metadata()?;
    // The library would make a new store in an empty file.
    if metadata.len() == 0 {
        return Err(Fault::new(LogErrorKind::Corrupt));
    }
    Ok(Opened {
        database: database_in(&Builder::new(), FileBackend::new(file)?)?,
        identity: identity(&metadata),
    })
}

/// Returns the identity of the file at a path.
///
/// It does not ask for the times of the file. Linux 6.13 and later give a file a new time at the
/// first write after someone has asked for its times, and then each `fsync` has to write the time as
/// well. It asks for the number of links, because NFS answers from its cache otherwise.
#[cfg(target_os = "linux")]
fn identity_at(path: &Path) -> io::Result<Identity> {
    use rustix::fs::{AtFlags, CWD, StatxFlags, makedev, statx};
    match statx(
        CWD,
        path,
        AtFlags::empty(),
        StatxFlags::INO | StatxFlags::NLINK,
    ) {
        Ok(found) if found.stx_mask & StatxFlags::INO.bits() != 0 => Ok(Identity {
            device: makedev(found.stx_dev_major, found.stx_dev_minor),
            inode: found.stx_ino,
        }),
        // An error, an old system, or a sandbox that does not know the call.
        _ => fs::metadata(path).map(|found| identity(&found)),
    }
}

#[cfg(not(target_os = "linux"))]
fn identity_at(path: &Path) -> io::Result<Identity> {
    fs::metadata(path).map(|found| identity(&found))
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

/// Returns a name that no other process uses.
fn draft(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format!(".{:016x}.new", new_epoch()));
    name.into()
}

/// Opens a file. A new file is readable by its owner only, because it contains the names of subjects
/// and clients, and the key that masks them.
fn open_privately(path: &Path, create: bool) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create_new(create);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes the name of a new file as durable as its content.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_at_a_path_is_that_of_its_file_also_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let [path, other, link] = ["log", "other", "link"].map(|name| folder.path().join(name));
        let file = File::create(&path).unwrap();
        File::create(&other).unwrap();
        let expected = identity(&file.metadata().unwrap());
        assert_eq!(identity_at(&path).unwrap(), expected);
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(&path, &link).unwrap();
            assert_eq!(identity_at(&link).unwrap(), expected);
            assert_ne!(identity_at(&other).unwrap(), expected);
        }
        fs::remove_file(&path).unwrap();
        for path in [&path, &link] {
            let error = identity_at(path).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::NotFound);
        }
    }
}
