//! What the start needs on this machine, beside a valid configuration.

use std::{
    fs,
    os::unix::fs::FileTypeExt as _,
    path::{Path, PathBuf},
};

use crate::{
    config::{Config, Location, Problem, Problems},
    process,
    store::{folder, marker},
};

/// Why the start would fail here.
pub(crate) fn missing(config: &Config) -> Problems {
    let mut found = Problems::default();
    found.or_note(user(config));
    if let Location::Path(path) = &config.log.location {
        found.or_note(file("log.path", path, config.log.create));
    } else if let Some(path) = config.links.as_ref().and_then(|links| links.file.as_ref()) {
        found.or_note(file("links.file", path, config.log.create));
    }
    if let Some(path) = &config.admin.socket {
        found.or_note(socket("admin.socket", path));
    }
    found
}

/// Fails for root, unless that is allowed.
pub(crate) fn user(config: &Config) -> Result<(), Problem> {
    if !process::is_root() || config.run.allow_root {
        return Ok(());
    }
    let reason = "this process is root, and needs no right of root: start it as another user, or set \
                  run.allow_root = true";
    Err(Problem::new("run.allow_root", reason))
}

/// A file of a log. The start makes it with its folders.
fn file(key: &str, path: &Path, create: bool) -> Result<(), Problem> {
    if path.exists() {
        return may_write(key, path);
    }
    let marker = marker(path);
    if marker.exists() || !create {
        let reason = format!("{}: there is no such file", path.display());
        return Err(Problem::new(key, reason));
    }
    let folder = folder(path).unwrap_or(Path::new("."));
    let mut folders = folder.ancestors().map(of_process);
    let existing = folders.find(|folder| folder.exists());
    may_write_in(key, &existing.unwrap_or(PathBuf::from("/")))
}

/// A socket. The start makes its folder, and no other.
fn socket(key: &str, path: &Path) -> Result<(), Problem> {
    if let Ok(metadata) = fs::symlink_metadata(path) {
        if metadata.file_type().is_socket() {
            // The process that runs may have it.
            return Ok(());
        }
        let reason = format!("{}: there is a file that is no socket", path.display());
        return Err(Problem::new(key, reason));
    }
    let of_socket = of_process(folder(path).unwrap_or(Path::new(".")));
    if of_socket.exists() {
        return may_write_in(key, &of_socket);
    }
    may_write_in(
        key,
        &of_process(of_socket.parent().unwrap_or(Path::new("/"))),
    )
}

/// The folder of the process has no name.
fn of_process(folder: &Path) -> PathBuf {
    if folder.as_os_str().is_empty() {
        ".".into()
    } else {
        folder.to_owned()
    }
}

fn may_write_in(key: &str, folder: &Path) -> Result<(), Problem> {
    if !folder.is_dir() {
        let reason = format!("there is no folder {}", folder.display());
        return Err(Problem::new(key, reason));
    }
    may_write(key, folder)
}

fn may_write(key: &str, path: &Path) -> Result<(), Problem> {
    process::may_write(path).map_err(|error| {
        let reason = format!("this user cannot write to {}: {error}", path.display());
        Problem::new(key, reason)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_a_log_are_made_and_those_of_a_socket_are_not() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("a/b/c");
        assert!(file("k", &deep, true).is_ok());
        let reason = file("k", &deep, false).unwrap_err();
        assert!(
            reason.reason().ends_with("there is no such file"),
            "{reason:?}"
        );
        assert!(socket("k", &root.path().join("a/s")).is_ok());
        let reason = socket("k", &deep).unwrap_err();
        assert!(
            reason.reason().starts_with("there is no folder "),
            "{reason:?}"
        );

        let plain = root.path().join("plain");
        fs::write(&plain, "").unwrap();
        assert!(socket("k", &plain).is_err());
        assert!(file("k", &plain.join("log"), true).is_err());
        // A log that has existed is not made again.
        let log = root.path().join("log");
        fs::write(marker(&log), "").unwrap();
        assert!(file("k", &log, true).is_err());
        fs::write(&log, "").unwrap();
        assert!(file("k", &log, false).is_ok());
    }

    #[test]
    fn folder_that_this_user_cannot_write_is_named() {
        use std::os::unix::fs::PermissionsExt as _;

        let root = tempfile::tempdir().unwrap();
        let read_only = fs::Permissions::from_mode(0o500);
        fs::set_permissions(root.path(), read_only).unwrap();
        let reason = file("log.path", &root.path().join("log.redb"), true).err();
        let expected = format!("this user cannot write to {}: ", root.path().display());
        let is_named = reason.is_some_and(|it| it.reason().starts_with(&expected));
        // Root can.
        assert_eq!(is_named, !process::is_root());
    }
}
