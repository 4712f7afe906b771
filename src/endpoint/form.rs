//! What was written in the body; parsed once, strictly.
//!
//! The decoder below, like every common one, repairs what it cannot read: `%FF` becomes U+FFFD and
//! `%zz` stays as it is, so two tokens could be taken for one. What it would have to repair is
//! refused before it sees it.

use hyper::HeaderMap;

use super::error::Error;
use crate::{
    client::{Authorization, Presented, attested},
    token::Secret,
};

/// More parameters than any client has a reason to send.
const MAX_PARAMETERS: usize = 64;

/// The parameters that the endpoint knows. One that was sent without a value is one that was not
/// sent (RFC 6749 §3.2).
#[derive(Debug, Default)]
pub(crate) struct Form {
    pub(super) token: Option<Secret>,
    pub(super) token_type_hint: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) client_secret: Option<Secret>,
    pub(super) client_assertion: Option<Secret>,
    pub(super) client_assertion_type: Option<String>,
}

impl Form {
    /// # Errors
    ///
    /// `invalid_request` for too many parameters, for octets or escapes that are not UTF-8, for
    /// broken escapes, and for a known parameter that is repeated, whatever its values (RFC 6749
    /// §3.2). Unknown ones are ignored, also twice.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Error> {
        let parameters = body.split(|&octet| octet == b'&');
        if parameters.filter(|pair| !pair.is_empty()).count() > MAX_PARAMETERS {
            return Err(Error::invalid_request(
                "The request has too many parameters",
            ));
        }
        let pairs = pairs(body)
            .ok_or_else(|| Error::invalid_request("The body is not form-encoded UTF-8"))?;

        let mut form = Self::default();
        let mut seen = Seen::default();
        for (name, value) in pairs {
            let value = Some(value).filter(|value| !value.is_empty());
            match name.as_str() {
                "token" => form.token = seen.once(0, value)?.map(Secret::from),
                "token_type_hint" => form.token_type_hint = seen.once(1, value)?,
                "client_id" => form.client_id = seen.once(2, value)?,
                "client_secret" => form.client_secret = seen.once(3, value)?.map(Secret::from),
                "client_assertion" => {
                    form.client_assertion = seen.once(4, value)?.map(Secret::from);
                }
                "client_assertion_type" => form.client_assertion_type = seen.once(5, value)?,
                _ => {}
            }
        }
        Ok(form)
    }

    /// What identifies the client, together with what the head says. The Authorization field is
    /// taken out of it.
    pub(crate) fn presented(&mut self, headers: &mut HeaderMap) -> Presented {
        Presented {
            authorization: Authorization::take(headers),
            attested: attested(headers),
            client_id: self.client_id.take(),
            client_secret: self.client_secret.take(),
            client_assertion: self.client_assertion.take(),
            client_assertion_type: self.client_assertion_type.take(),
        }
    }

    /// The token, if it can be one: visible ASCII characters, without blanks (RFC 6749 §A.12,
    /// RFC 6750 §2.1).
    ///
    /// A token with a line break at its end, or with a `+` that was not escaped and so became a
    /// blank, is not the token that the client means. 200 would say that the other one is dead.
    ///
    /// # Errors
    ///
    /// `invalid_request` if there is none, if it is longer than `max` bytes, or has other
    /// characters.
    pub(super) fn take_token(&mut self, max: usize) -> Result<Secret, Error> {
        let token = self
            .token
            .take()
            .ok_or_else(|| Error::invalid_request("The parameter token is missing"))?;
        if token.expose().len() > max {
            return Err(Error::invalid_request("The token is too long"));
        }
        if !token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::invalid_request(
                "The token has characters that no token has",
            ));
        }
        Ok(token)
    }
}

/// Which known parameters have been met, by their place in [`Form`].
#[derive(Default)]
struct Seen(u8);

impl Seen {
    fn once<T>(&mut self, place: u8, value: T) -> Result<T, Error> {
        let bit = 1 << place;
        if self.0 & bit != 0 {
            return Err(Error::invalid_request("A parameter is repeated"));
        }
        self.0 |= bit;
        Ok(value)
    }
}

/// Whether the query carries what belongs in the body (RFC 6749 §2.3.1, RFC 7009 §2.1).
///
/// URLs end up in logs and histories, so the sender has to hear of it. The rest of the query is no
/// one's business.
pub(super) fn query_has_secrets(query: &str) -> bool {
    let names: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
    names.iter().any(|(name, _)| {
        matches!(
            name.as_str(),
            "token" | "client_secret" | "client_assertion"
        )
    })
}

/// One value that was form-encoded by itself, as the halves of Basic are (RFC 6749 §2.3.1), or
/// nothing.
pub(crate) fn decode(value: &str) -> Option<String> {
    // Generated identifiers and secrets mostly have nothing to decode.
    if !value.contains(['%', '+']) {
        return Some(value.to_owned());
    }
    // An ampersand is the one character that would end the value.
    let pair = format!("={}", value.replace('&', "%26"));
    pairs(pair.as_bytes())?.pop().map(|(_, value)| value)
}

/// The names and values of a form that needs no repair (RFC 6749 §B), or nothing.
fn pairs(form: &[u8]) -> Option<Vec<(String, String)>> {
    if !needs_no_repair(form) {
        return None;
    }
    serde_urlencoded::from_bytes(form).ok()
}

/// Whether every escape is whole and what they and the plain octets say is UTF-8.
///
/// Delimiters are ASCII, so a form is UTF-8 exactly if each of its names and values is.
fn needs_no_repair(form: &[u8]) -> bool {
    if !form.contains(&b'%') {
        return std::str::from_utf8(form).is_ok();
    }
    let mut decoded = Vec::with_capacity(form.len());
    let mut rest = form.iter();
    while let Some(&octet) = rest.next() {
        if octet != b'%' {
            decoded.push(octet);
            continue;
        }
        let mut digit = || hex(*rest.next()?);
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return false;
        };
        decoded.push(high << 4 | low);
    }
    std::str::from_utf8(&decoded).is_ok()
}

/// Whether a form is ASCII, and what its escapes say is too.
pub(super) fn is_ascii(form: &[u8]) -> bool {
    let is_beyond = |escape: &[u8]| matches!(escape, [b'%', high, low] if hex(*high) > Some(7) && hex(*low).is_some());
    form.is_ascii() && !form.windows(3).any(is_beyond)
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
