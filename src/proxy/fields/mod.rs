//! Which header fields do not pass a proxy, and when two names are the same field.

mod believed;
mod hop_by_hop;
#[cfg(test)]
mod tests;

use hyper::{
    HeaderMap,
    header::{HeaderName, HeaderValue},
};

pub(super) use self::{
    believed::is_believed,
    hop_by_hop::{
        Coding, connection_options, is_about_connection, is_needed, remove_from_response_trailers,
        remove_from_trailers, remove_hop_by_hop, takes_trailers,
    },
};

/// The fields that a request may have, so that a proxy can add its own. A map panics when it has 24,576
/// names and gets another one.
pub(super) const MAX_FIELDS: usize = 24_000;

/// Whether an API may read both names as one field.
///
/// Many servers hand fields to their application as CGI variables, in which every character that
/// is neither a letter nor a digit is the same one: `X-Token-Subject`, `x_token_subject` and
/// `X.Token.Subject` all become `HTTP_X_TOKEN_SUBJECT`.
pub(super) fn is_same(name: &HeaderName, other: &HeaderName) -> bool {
    let (name, other) = (name.as_str().as_bytes(), other.as_str().as_bytes());
    name.len() == other.len() && begins(name, other)
}

/// Whether a name begins with this prefix, in any spelling. Both are in lower case.
fn begins(name: &[u8], prefix: &[u8]) -> bool {
    name.len() >= prefix.len()
        && name
            .iter()
            .zip(prefix)
            .all(|(byte, expected)| spelled(*byte) == spelled(*expected))
}

fn spelled(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() {
        byte
    } else {
        b'-'
    }
}

/// Removes every field whose name matches.
pub(super) fn remove_if(headers: &mut HeaderMap, matches: impl Fn(&HeaderName) -> bool) {
    // Most requests have no such field.
    let names: Vec<HeaderName> = headers
        .keys()
        .filter(|name| matches(name))
        .cloned()
        .collect();
    for name in names {
        headers.remove(name);
    }
}

/// The elements of a list that may stand in several lines.
fn elements<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    let lines = headers.get_all(name).iter().map(HeaderValue::as_bytes);
    lines.flat_map(|line| line.split(|byte| *byte == b',').map(<[u8]>::trim_ascii))
}
