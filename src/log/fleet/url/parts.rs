//! A URL, taken apart. All engines have the same rules.

use super::{Host, Parameters, Wrong, host};

/// Its parts, decoded. What an engine does not take is refused by [`Parameters::end`].
#[derive(Clone)]
pub(in crate::log::fleet) struct Url {
    pub(in crate::log::fleet) scheme: String,
    pub(in crate::log::fleet) user: Option<String>,
    pub(in crate::log::fleet) password: Option<String>,
    pub(in crate::log::fleet) hosts: Vec<Host>,
    /// What follows the hosts and a `/`, as it is written.
    pub(in crate::log::fleet) path: String,
    pub(in crate::log::fleet) parameters: Parameters,
    /// The file with the password, in the place of that in the environment.
    pub(in crate::log::fleet) password_file: Option<String>,
}

/// The variable that names the file with the password of a server, or with the token of a relay.
#[cfg(any(feature = "feed", feature = "postgres", feature = "redis"))]
pub(in crate::log::fleet) const PASSWORD_FILE: &str = "TOWER_REVOCATION_PASSWORD_FILE";

impl Url {
    /// Takes a URL apart. No error contains a part of it that can be secret.
    pub(in crate::log::fleet) fn parse(url: &str) -> Result<Self, Wrong> {
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        if rest.contains('@') || authority.matches('@').count() > 1 {
            // A part of the password would be taken for the host.
            return Err(Wrong::new(
                "the URL of the log is not valid: write `/` in a password as %2F, `?` as %3F and `@` \
                 as %40",
            ));
        }
        let (login, hosts) = match authority.split_once('@') {
            None => ("", authority),
            Some((login, hosts)) => (login, hosts),
        };
        let (user, password) = match login.split_once(':') {
            None => (login, None),
            Some((user, password)) => (user, Some(decode(password)?)),
        };
        let user = decode(user)?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        Ok(Self {
            scheme: scheme.to_owned(),
            user: (!user.is_empty()).then_some(user),
            password,
            hosts: host::list(hosts)?,
            path: path.strip_prefix('/').unwrap_or(path).to_owned(),
            parameters: Parameters::parse(query)?,
            password_file: None,
        })
    }

    /// Returns a variable of the environment that is not empty. A password file that the application
    /// has set counts in the place of the passwords of the environment.
    #[cfg(any(feature = "feed", feature = "postgres", feature = "redis"))]
    pub(in crate::log::fleet) fn variable(&self, name: &str) -> Option<String> {
        match (&self.password_file, name) {
            (Some(file), PASSWORD_FILE) => Some(file.clone()),
            (Some(_), "PGPASSWORD") => None,
            _ => std::env::var(name).ok().filter(|value| !value.is_empty()),
        }
    }

    #[cfg(any(feature = "postgres", feature = "redis"))]
    pub(in crate::log::fleet) fn decoded_path(&self) -> Result<String, Wrong> {
        decode(&self.path)
    }
}

/// Decodes `%41` and the like. A plus is a plus.
pub(super) fn decode(text: &str) -> Result<String, Wrong> {
    let broken = || Wrong::new("the URL of the log has a broken escape: write `%` as %25");
    let mut pieces = text.split('%');
    let mut decoded = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.as_bytes().split_at_checked(2).ok_or_else(broken)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(broken());
        }
        let digits = std::str::from_utf8(digits).map_err(|_| broken())?;
        decoded.push(u8::from_str_radix(digits, 16).map_err(|_| broken())?);
        decoded.extend_from_slice(rest);
    }
    let decoded = String::from_utf8(decoded).map_err(|_| broken())?;
    if decoded.contains(char::is_control) {
        return Err(Wrong::new(
            "the URL of the log has a line break or another control character: remove it",
        ));
    }
    Ok(decoded)
}
