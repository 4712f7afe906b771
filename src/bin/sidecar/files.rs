//! The files that a configuration names, and whether one of them has changed.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use tower_revocation::Secret;

use crate::config::Problem;

/// A registry of a million clients is smaller.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Files, each with the digest of what was read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files {
    seen: Vec<(PathBuf, Option<[u8; 32]>)>,
}

impl Files {
    /// Reads a file, and remembers its content.
    pub(crate) fn read(&mut self, key: &str, path: &Path) -> Result<Secret, Problem> {
        let read = read(path);
        let digest = read.as_ref().ok().map(digest);
        self.seen.push((path.to_owned(), digest));
        read.map_err(|error| Problem::new(key, format!("{}: {error}", path.display())))
    }

    /// Reads a secret. Whitespace at its end does not count.
    pub(crate) fn secret(&mut self, key: &str, path: &Path) -> Result<Secret, Problem> {
        let text = self.read(key, path)?;
        match text.expose().trim_end() {
            "" => Err(Problem::new(key, format!("{} is empty", path.display()))),
            secret => Ok(Secret::new(secret)),
        }
    }

    /// Whether a file is not what it was.
    pub(crate) fn have_changed(&self) -> bool {
        let now = |path: &Path| read(path).ok().map(|text| digest(&text));
        self.seen.iter().any(|(path, then)| now(path) != *then)
    }
}

fn digest(text: &Secret) -> [u8; 32] {
    Sha256::digest(text.expose()).into()
}

/// Reads a text, which may be a secret.
pub(crate) fn read(path: &Path) -> io::Result<Secret> {
    // A pipe would be waited for.
    if !path.metadata()?.is_file() {
        let reason = "expected a file, not a folder, a pipe or a device";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    }
    let mut text = String::new();
    let len = File::open(path)?
        .take(LARGEST + 1)
        .read_to_string(&mut text)?;
    let text = Secret::from(text);
    if len as u64 > LARGEST {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "the file is larger than 64 MiB",
        ));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn change_is_noticed_by_the_content() {
        let folder = tempfile::tempdir().unwrap();
        let [there, missing] = ["there", "missing"].map(|name| folder.path().join(name));
        std::fs::write(&there, "one").unwrap();
        let mut files = Files::default();
        assert_eq!(files.read("k", &there).unwrap().expose(), "one");
        assert!(files.read("k", &missing).is_err());
        std::fs::write(&there, "one").unwrap();
        assert!(!files.have_changed());
        std::fs::write(&there, "two").unwrap();
        assert!(files.have_changed());
        std::fs::write(&there, "one").unwrap();
        std::fs::write(&missing, "").unwrap();
        assert!(files.have_changed());
    }

    #[test]
    fn secret_has_no_line_break_and_is_not_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "gX1fBat3bV\r\n").unwrap();
        let mut files = Files::default();
        assert_eq!(files.secret("k", &path).unwrap().expose(), "gX1fBat3bV");
        std::fs::write(&path, " \n").unwrap();
        let problem = files.secret("issuer[0].introspection.secret_file", &path);
        assert_eq!(
            problem.unwrap_err().key(),
            "issuer[0].introspection.secret_file"
        );
    }
}
