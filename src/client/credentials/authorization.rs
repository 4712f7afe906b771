//! The Authorization field (RFC 9110 §11.6.2).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::{
    HeaderMap,
    header::{self, HeaderValue},
};

use crate::{client::Basic, error::Error};

/// Longer than any client identifier and secret.
const MAX_AUTHORIZATION: usize = 8 * 1024;

/// The content of the Authorization field.
#[derive(Debug)]
pub(crate) enum Authorization {
    Absent,
    /// `Bearer` and `DPoP` do not authenticate a client. Interceptors add them to every request.
    NotForClients,
    Basic(Basic),
    /// An unsupported scheme, or a value that cannot be read.
    Unreadable,
}

impl Authorization {
    /// # Errors
    ///
    /// `invalid_request` if there is more than one field, because it is unclear which one counts.
    pub(crate) fn at_most_one(headers: &HeaderMap) -> Result<(), Error> {
        // Most requests repeat no field at all, which is known without looking one up.
        if headers.len() == headers.keys_len() {
            return Ok(());
        }
        match headers.get_all(header::AUTHORIZATION).iter().nth(1) {
            Some(_) => Err(Error::invalid_request(
                "There is more than one Authorization field",
            )),
            None => Ok(()),
        }
    }

    /// Removes the field from the head.
    pub(crate) fn take(headers: &mut HeaderMap) -> Self {
        headers
            .remove(header::AUTHORIZATION)
            .map_or(Self::Absent, |field| Self::parse(&field))
    }

    fn parse(value: &HeaderValue) -> Self {
        let value = value.as_bytes();
        let (scheme, rest) = match value.iter().position(|&byte| byte == b' ') {
            Some(space) => value.split_at(space),
            None => (value, &value[value.len()..]),
        };
        if scheme.eq_ignore_ascii_case(b"bearer") || scheme.eq_ignore_ascii_case(b"dpop") {
            return Self::NotForClients;
        }
        if !scheme.eq_ignore_ascii_case(b"basic") || value.len() > MAX_AUTHORIZATION {
            return Self::Unreadable;
        }
        let spaces = rest.iter().take_while(|&&byte| byte == b' ').count();
        STANDARD
            .decode(&rest[spaces..])
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(Basic::new)
            .map_or(Self::Unreadable, Self::Basic)
    }

    /// Whether the peer used the field. If so, a refusal needs a challenge (RFC 6749 §5.2).
    pub(crate) fn was_used(&self) -> bool {
        !matches!(self, Self::Absent)
    }
}
