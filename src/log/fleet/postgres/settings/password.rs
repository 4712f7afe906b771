//! The password of a role: where libpq looks for it, and `TOWER_REVOCATION_PASSWORD_FILE`.

use std::{fs, io, path::Path};

use super::{super::fault::Fault, Environment};
use crate::log::fleet::url::PASSWORD_FILE;

/// Whose password it is.
pub(super) struct Login<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) database: &'a str,
    pub(super) role: &'a str,
}

/// Looks for the password of a role that is not in the URL.
///
/// `PGPASSWORD`, the file that `TOWER_REVOCATION_PASSWORD_FILE` names, then a line in the password file:
/// `passfile`, or else `~/.pgpass`.
pub(super) fn find(
    passfile: Option<&str>,
    environment: Environment<'_>,
    login: &Login<'_>,
) -> Result<Option<String>, Fault> {
    if let Some(password) = environment("PGPASSWORD") {
        return Ok(Some(password));
    }
    if let Some(file) = environment(PASSWORD_FILE) {
        let mut password = fs::read_to_string(&file)
            .map_err(|error| unreadable(PASSWORD_FILE, Path::new(&file), &error))?;
        password.truncate(password.trim_end_matches(['\r', '\n']).len());
        return Ok(Some(password));
    }
    let (file, optional) = match (passfile, environment("HOME")) {
        (Some(file), _) => (file.to_owned(), false),
        (None, Some(home)) => (format!("{home}/.pgpass"), true),
        (None, None) => return Ok(None),
    };
    let file = Path::new(&file);
    match fs::read_to_string(file) {
        Ok(lines) => {
            let found = lines.lines().find_map(|line| matching(line, login));
            if found.is_some() && is_public(file) {
                return Err(Fault::misconfigured(format!(
                    "others can read the password file {file}: chmod 600 {file}",
                    file = file.display(),
                )));
            }
            Ok(found)
        }
        Err(error) if optional && error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable("the password file", file, &error)),
    }
}

fn unreadable(what: &str, file: &Path, error: &io::Error) -> Fault {
    Fault::misconfigured(format!("{what} {} cannot be read: {error}", file.display()))
}

/// Returns the password in a line `host:port:database:role:password`, if it is about this login.
fn matching(line: &str, login: &Login<'_>) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let port = login.port.to_string();
    let mut rest = line;
    for wanted in [login.host, &port, login.database, login.role] {
        let (field, after) = field(rest)?;
        if field != "*" && field != wanted {
            return None;
        }
        rest = after;
    }
    let (password, _) = field(rest).unwrap_or_else(|| (unescaped(rest), ""));
    Some(password)
}

/// Splits a line at the first colon without a backslash.
fn field(line: &str) -> Option<(String, &str)> {
    let mut escaped = false;
    let end = line.find(|character| {
        let ends = character == ':' && !escaped;
        escaped = character == '\\' && !escaped;
        ends
    })?;
    Some((unescaped(&line[..end]), &line[end + 1..]))
}

fn unescaped(field: &str) -> String {
    let mut plain = String::with_capacity(field.len());
    let mut characters = field.chars();
    while let Some(character) = characters.next() {
        if character == '\\' {
            plain.extend(characters.next());
        } else {
            plain.push(character);
        }
    }
    plain
}

#[cfg(unix)]
fn is_public(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(file).is_ok_and(|file| file.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_public(_: &Path) -> bool {
    false
}
