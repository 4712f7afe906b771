//! The form in a request body, parsed once and strictly.
//!
//! `serde_urlencoded`, like every common decoder, repairs invalid input: `%FF` becomes U+FFFD and
//! `%zz` stays as it is, so that two different tokens could decode to the same string. This module
//! rejects such input before the decoder sees it.

use crate::{error::Error, token::Secret};

/// More parameters than any client needs.
const MAX_PARAMETERS: usize = 64;

/// The known parameters. A parameter with an empty value counts as missing (RFC 6749 §3.2).
#[derive(Debug, Default)]
pub(crate) struct Form {
    pub(crate) token: Option<Secret>,
    pub(crate) token_type_hint: Option<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) client_secret: Option<Secret>,
    pub(crate) client_assertion: Option<Secret>,
    pub(crate) client_assertion_type: Option<String>,
}

impl Form {
    /// Parses a body. Unknown parameters are ignored, even if repeated.
    ///
    /// # Errors
    ///
    /// Returns `invalid_request` for too many parameters, for bytes or escapes that are not UTF-8,
    /// for broken escapes, and for a repeated known parameter, even with equal values (RFC 6749
    /// §3.2).
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Error> {
        let parameters = body.split(|&byte| byte == b'&');
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

    /// Takes the token, which consists of visible ASCII characters (RFC 6749 §A.12, RFC 6750
    /// §2.1).
    ///
    /// A token with a line break at its end, or with a space that was an unescaped `+`, is not the
    /// token that the client means. A 200 would say that the intended token is revoked.
    ///
    /// # Errors
    ///
    /// Returns `invalid_request` if the token is missing, longer than `max` bytes, or contains other
    /// characters.
    pub(crate) fn take_token(&mut self, max: usize) -> Result<Secret, Error> {
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

/// The known parameters seen so far, as bits by their position in [`Form`].
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

/// Whether the query contains a token or a secret, which belong in the body (RFC 6749 §2.3.1, RFC
/// 7009 §2.1).
///
/// URLs end up in logs and histories, so the request fails and the sender notices. Other query
/// parameters are ignored.
pub(crate) fn query_has_secrets(query: &str) -> bool {
    let names: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
    names.iter().any(|(name, _)| {
        matches!(
            name.as_str(),
            "token" | "client_secret" | "client_assertion"
        )
    })
}

/// Decodes one form-encoded value, such as a half of Basic credentials (RFC 6749 §2.3.1). `None` if
/// it is malformed.
pub(crate) fn decode(value: &str) -> Option<String> {
    // Most generated identifiers and secrets contain no escapes.
    if !value.contains(['%', '+']) {
        return Some(value.to_owned());
    }
    // An unescaped ampersand would end the value.
    let pair = format!("={}", value.replace('&', "%26"));
    pairs(pair.as_bytes())?.pop().map(|(_, value)| value)
}

/// The names and values of a form (RFC 6749 §B). `None` if the decoder would have to repair it.
fn pairs(form: &[u8]) -> Option<Vec<(String, String)>> {
    if !needs_no_repair(form) {
        return None;
    }
    serde_urlencoded::from_bytes(form).ok()
}

/// Whether every escape is complete and the decoded bytes are UTF-8.
///
/// Delimiters are ASCII, so the whole form is UTF-8 if and only if each name and value is.
fn needs_no_repair(form: &[u8]) -> bool {
    if !form.contains(&b'%') {
        return std::str::from_utf8(form).is_ok();
    }
    let mut decoded = Vec::with_capacity(form.len());
    let mut rest = form.iter();
    while let Some(&byte) = rest.next() {
        if byte != b'%' {
            decoded.push(byte);
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

/// Whether a form is ASCII, including its decoded escapes.
pub(crate) fn is_ascii(form: &[u8]) -> bool {
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
