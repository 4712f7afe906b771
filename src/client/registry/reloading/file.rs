//! The file of a registry, and whether it has changed.

use std::{
    fs::{self, File, Metadata},
    io::{self, ErrorKind, Read as _},
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use sha2::{Digest as _, Sha256};

use super::ReloadError;
use crate::{client::registry::Registry, token::Secret};

/// A document of a million clients has less.
const MAX_LEN: u64 = 64 * 1024 * 1024;

/// File systems count time in steps of up to two seconds. A file this young can change again
/// without a new modification time.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

pub(super) struct RegistryFile {
    path: Arc<Path>,
    seen: Option<Seen>,
}

/// The file as it was read the last time. `None` if it could not be read.
struct Seen {
    /// `None` if the time does not prove yet that the content is the same.
    stamp: Option<Stamp>,
    digest: [u8; 32],
}

#[derive(PartialEq, Eq)]
struct Stamp {
    modified: SystemTime,
    len: u64,
    identity: Identity,
}

impl Stamp {
    fn of(metadata: &Metadata, now: SystemTime) -> Option<Self> {
        let modified = metadata.modified().ok()?;
        let identity = Identity::of(metadata);
        let latest = identity.changed().map_or(modified, |it| it.max(modified));
        let age = now.duration_since(latest).ok()?;
        (age >= SETTLED_AFTER).then_some(Self {
            modified,
            len: metadata.len(),
            identity,
        })
    }
}

/// Which file it is, and when anything of it changed. Programs can set the modification time, and
/// many files of images and package managers have the same, but no program can set this time.
#[cfg(unix)]
#[derive(PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
    /// Seconds since 1970, and nanoseconds.
    changed: (i64, i64),
}

#[cfg(unix)]
impl Identity {
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;

        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    fn changed(&self) -> Option<SystemTime> {
        let (seconds, nanos) = self.changed;
        let since = Duration::new(seconds.try_into().ok()?, nanos.try_into().ok()?);
        SystemTime::UNIX_EPOCH.checked_add(since)
    }
}

/// Other systems do not tell.
#[cfg(not(unix))]
#[derive(PartialEq, Eq)]
struct Identity;

#[cfg(not(unix))]
impl Identity {
    fn of(_: &Metadata) -> Self {
        Self
    }

    fn changed(&self) -> Option<SystemTime> {
        None
    }
}

impl RegistryFile {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.into(),
            seen: None,
        }
    }

    /// Returns the same file as one that was never read.
    pub(super) fn again(&self) -> Self {
        Self {
            path: self.path.clone(),
            seen: None,
        }
    }

    /// Reads the file and the clients in it.
    pub(super) fn read(&mut self) -> Result<Registry, ReloadError> {
        let (text, seen) = self.text()?;
        self.seen = Some(seen);
        self.parse(&text)
    }

    /// Reads the file if it is not the one that was read the last time.
    pub(super) fn read_if_changed(&mut self) -> Option<Result<Registry, ReloadError>> {
        if let Some(stamp) = self.seen.as_ref().and_then(|seen| seen.stamp.as_ref()) {
            let metadata = fs::metadata(&self.path);
            let now = SystemTime::now();
            if metadata.is_ok_and(|it| Stamp::of(&it, now).as_ref() == Some(stamp)) {
                return None;
            }
        }
        let (text, seen) = match self.text() {
            Ok(read) => read,
            Err(error) => return Some(Err(error)),
        };
        let last = self.seen.replace(seen).map(|last| last.digest);
        let is_same = last == self.seen.as_ref().map(|seen| seen.digest);
        (!is_same).then(|| self.parse(&text))
    }

    /// Reads the text, which has secrets in it.
    fn text(&mut self) -> Result<(Secret, Seen), ReloadError> {
        read_bounded(&self.path).map_err(|error| {
            // The same file, if it comes back, counts as another one.
            self.seen = None;
            ReloadError::io(self.path.clone(), error)
        })
    }

    fn parse(&self, text: &Secret) -> Result<Registry, ReloadError> {
        Registry::from_json(text.expose())
            .map_err(|error| ReloadError::invalid(self.path.clone(), error))
    }
}

fn read_bounded(path: &Path) -> io::Result<(Secret, Seen)> {
    let too_large = || io::Error::new(ErrorKind::FileTooLarge, "the file is larger than 64 MiB");
    let file = File::open(path)?;
    // The metadata of the file that is read, even if another one takes its name now. It comes
    // first: if the file changes while it is read, its time is newer than the one seen.
    let metadata = file.metadata()?;
    let stamp = Stamp::of(&metadata, SystemTime::now());
    if metadata.len() > MAX_LEN {
        return Err(too_large());
    }
    let mut text = String::new();
    let len = file.take(MAX_LEN + 1).read_to_string(&mut text)?;
    let text = Secret::from(text);
    if len as u64 > MAX_LEN {
        return Err(too_large());
    }
    let digest = Sha256::digest(text.expose()).into();
    Ok((text, Seen { stamp, digest }))
}
