//! The parts of a URL.

use std::str;

use super::{super::fault::Fault, wrong};

const PARAMETERS: &[&str] = &[
    "assume",
    "db",
    "durability",
    "replicas",
    "sslcert",
    "sslkey",
    "sslrootcert",
    "tls",
];

pub(super) struct Parts {
    pub(super) scheme: String,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) hosts: String,
    pub(super) path: String,
    parameters: Vec<(&'static str, String)>,
}

impl Parts {
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let mut parameters = self.parameters.iter();
        parameters
            .find(|(known, _)| *known == name)
            .map(|(_, value)| &**value)
    }
}

/// Splits a URL. No error contains a part of it that can be secret.
pub(super) fn split(url: &str) -> Result<Parts, Fault> {
    let (scheme, rest) = url
        .split_once("://")
        .ok_or_else(|| wrong("the URL of the log must begin with `redis://`"))?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    if rest.contains('@') || authority.matches('@').count() > 1 {
        // A part of the password would be taken for the host.
        return Err(wrong(
            "the URL of the log is not valid: write `/` in a password as %2F, `?` as %3F and `@` \
             as %40",
        ));
    }
    let (login, hosts) = match authority.split_once('@') {
        None => (None, authority),
        Some((login, hosts)) => (Some(login), hosts),
    };
    let (user, password) = match login {
        None => (None, None),
        Some(login) => match login.split_once(':') {
            None => (Some(decode(login)?), None),
            Some((user, password)) => (Some(decode(user)?), Some(decode(password)?)),
        },
    };
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut parameters = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let Some(name) = PARAMETERS.iter().find(|known| **known == name) else {
            return Err(unknown(name));
        };
        parameters.push((*name, decode(value)?));
    }
    Ok(Parts {
        scheme: scheme.to_owned(),
        user: user.filter(|user| !user.is_empty()),
        password: password.filter(|password| !password.is_empty()),
        hosts: hosts.to_owned(),
        path: decode(path.strip_prefix('/').unwrap_or(path))?,
        parameters,
    })
}

fn unknown(name: &str) -> Fault {
    // The end of a password with `&` looks like a name, but not like one of ours.
    if ![
        "password", "pass", "user", "username", "ssl", "protocol", "timeout",
    ]
    .contains(&name)
    {
        return wrong("the URL of the log has an unknown parameter: remove it");
    }
    wrong(format!(
        "the URL of the log has the unknown parameter `{name}`: remove it"
    ))
}

/// Decodes `%41` and the like.
fn decode(text: &str) -> Result<String, Fault> {
    let broken = || wrong("the URL of the log has a broken escape after `%`");
    let mut pieces = text.split('%');
    let mut decoded = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.as_bytes().split_at_checked(2).ok_or_else(broken)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(broken());
        }
        let digits = str::from_utf8(digits).map_err(|_| broken())?;
        decoded.push(u8::from_str_radix(digits, 16).map_err(|_| broken())?);
        decoded.extend_from_slice(rest);
    }
    String::from_utf8(decoded).map_err(|_| broken())
}
