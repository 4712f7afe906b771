//! The parameters of a URL, apart from those that the driver reads.

use std::str;

use super::super::fault::Fault;

/// Those that the driver reads, as libpq does.
const DRIVERS: &[&str] = &[
    "application_name",
    "connect_timeout",
    "dbname",
    "host",
    "hostaddr",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "options",
    "password",
    "port",
    "sslnegotiation",
    "tcp_user_timeout",
    "user",
];

/// Those of libpq that this crate reads.
const OURS: &[&str] = &[
    "channel_binding",
    "passfile",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "target_session_attrs",
];

/// A URL in two parts.
pub(super) struct Parts {
    /// The URL with the parameters of the driver.
    pub(super) url: String,
    ours: Vec<(&'static str, String)>,
}

impl Parts {
    /// Returns the value of a parameter that the driver does not read.
    pub(super) fn ours(&self, name: &str) -> Option<&str> {
        let mut ours = self.ours.iter();
        ours.find(|(known, _)| *known == name)
            .map(|(_, value)| &**value)
    }
}

/// Takes the parameters that are ours out of a URL. Refuses those that nobody knows.
pub(super) fn split(url: &str) -> Result<Parts, Fault> {
    let rest = ["postgres://", "postgresql://"]
        .iter()
        .find_map(|scheme| url.strip_prefix(scheme))
        .ok_or_else(|| {
            Fault::misconfigured("the URL of the database must begin with `postgres://`")
        })?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    if rest[end..].contains('@') || rest[..end].matches('@').count() > 1 {
        // The driver would take a part of the password for the host, or of the rest for the password.
        return Err(Fault::misconfigured(
            "the URL of the database is not valid: write `/` in a password as %2F, `?` as %3F and `@` \
             as %40",
        ));
    }
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let mut parts = Parts {
        url: base.to_owned(),
        ours: Vec::new(),
    };
    let mut separator = '?';
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if let Some(name) = OURS.iter().find(|known| **known == name) {
            parts.ours.push((name, decode(value)?));
        } else if DRIVERS.contains(&name) && pair.contains('=') {
            parts.url.push(separator);
            parts.url.push_str(pair);
            separator = '&';
        } else {
            return Err(unknown(name, query));
        }
    }
    Ok(parts)
}

fn unknown(name: &str, query: &str) -> Fault {
    // After a password with `&`, its second half looks like a name.
    if query.contains("password=")
        || !name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    {
        return Fault::misconfigured("the URL of the database has an unknown parameter: remove it");
    }
    Fault::misconfigured(format!(
        "the URL of the database has the unknown parameter `{name}`: remove it",
    ))
}

/// Decodes `%41` and the like. A plus is a plus, as in libpq.
fn decode(value: &str) -> Result<String, Fault> {
    let broken = || Fault::misconfigured("the URL of the database has a broken escape after `%`");
    let mut pieces = value.split('%');
    let mut decoded = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.as_bytes().split_at_checked(2).ok_or_else(broken)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(broken());
        }
        let byte = str::from_utf8(digits)
            .ok()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(byte.ok_or_else(broken)?);
        decoded.extend_from_slice(rest);
    }
    String::from_utf8(decoded).map_err(|_| broken())
}
