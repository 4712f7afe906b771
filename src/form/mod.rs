//! The form in a request body, parsed once and strictly.
//!
//! Common decoders repair invalid input: `%FF` becomes U+FFFD and `%zz` stays as it is, so that two
//! different tokens could decode to the same string. This module rejects such input.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::{
    error::Error,
    token::{Secret, TokenTypeHint},
};

/// More parameters than any client needs.
const MAX_PARAMETERS: usize = 64;

/// The names of the known parameters.
#[cfg(feature = "profiles")]
pub(crate) const KNOWN: [&str; 6] = [
    "token",
    "token_type_hint",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
];

/// The known parameters. A parameter with an empty value counts as missing (RFC 6749 §3.2).
#[derive(Debug, Default)]
pub(crate) struct Form {
    pub(crate) token: TokenParameters,
    pub(crate) client_id: Option<String>,
    pub(crate) client_secret: Option<Secret>,
    pub(crate) client_assertion: Option<Secret>,
    pub(crate) client_assertion_type: Option<String>,
}

/// What to revoke (RFC 7009 §2.1).
#[derive(Debug, Default)]
pub(crate) struct TokenParameters {
    pub(crate) token: Option<Secret>,
    pub(crate) token_type_hint: Option<TokenTypeHint>,
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
        if has_too_many(body) {
            return Err(too_many());
        }
        let mut form = Self::default();
        let mut seen = Seen::default();
        if let Some(text) = without_escapes(body) {
            let mut rest = text;
            // Parameters are short, so this takes less time than `split` and `split_once`.
            while !rest.is_empty() {
                let end = rest.bytes().position(|byte| byte == b'&');
                let pair = &rest[..end.unwrap_or(rest.len())];
                rest = end.map_or("", |end| &rest[end + 1..]);
                let (name, value) = match pair.bytes().position(|byte| byte == b'=') {
                    Some(equals) => (&pair[..equals], &pair[equals + 1..]),
                    None => (pair, ""),
                };
                form.set(name, Cow::Borrowed(value), &mut seen);
            }
        } else {
            for pair in non_empty(body) {
                let (name, value) = decode_pair(pair).ok_or_else(malformed)?;
                form.set(&name, value, &mut seen);
            }
        }
        // At the end: a malformed parameter takes precedence.
        if seen.repeated {
            return Err(Error::invalid_request("A parameter is repeated"));
        }
        Ok(form)
    }

    fn set(&mut self, name: &str, value: Cow<'_, str>, seen: &mut Seen) {
        let hint = |name: Cow<'_, str>| TokenTypeHint::from(&*name);
        match name {
            "token" => seen.once(0, &mut self.token.token, value, secret),
            "token_type_hint" => seen.once(1, &mut self.token.token_type_hint, value, hint),
            "client_id" => seen.once(2, &mut self.client_id, value, Cow::into_owned),
            "client_secret" => seen.once(3, &mut self.client_secret, value, secret),
            "client_assertion" => seen.once(4, &mut self.client_assertion, value, secret),
            "client_assertion_type" => {
                seen.once(5, &mut self.client_assertion_type, value, Cow::into_owned);
            }
            _ => {}
        }
    }
}

impl TokenParameters {
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
        // Without a branch for each byte, so that the compiler can use vector instructions.
        let graphic = |all: bool, byte: u8| all & byte.is_ascii_graphic();
        if !token.expose().bytes().fold(true, graphic) {
            return Err(Error::invalid_request(
                "The token has characters that no token has",
            ));
        }
        Ok(token)
    }
}

/// The known parameters seen so far.
#[derive(Default)]
struct Seen {
    /// As bits.
    places: u8,
    /// Whether there was one of them twice.
    repeated: bool,
}

impl Seen {
    fn once<'v, T>(
        &mut self,
        place: u8,
        field: &mut Option<T>,
        value: Cow<'v, str>,
        convert: impl FnOnce(Cow<'v, str>) -> T,
    ) {
        let bit = 1 << place;
        self.repeated |= self.places & bit != 0;
        self.places |= bit;
        *field = (!value.is_empty()).then(|| convert(value));
    }
}

/// Copies a text that is not escaped into memory that an earlier secret has left.
pub(crate) fn secret(text: Cow<'_, str>) -> Secret {
    match text {
        Cow::Borrowed(text) => Secret::from(text),
        Cow::Owned(text) => Secret::from(text),
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
pub(crate) fn decode(value: &str) -> Option<Cow<'_, str>> {
    if !has_escapes(value.as_bytes()) {
        return Some(Cow::Borrowed(value));
    }
    decode_part(value.as_bytes())
}

/// Reads parameters of a form by name. An empty value counts as missing. `None` if the form is malformed,
/// has too many parameters, or has one of these more than once.
#[cfg(all(feature = "embedded", feature = "jwt"))]
pub(crate) fn parameters<const N: usize>(
    form: &[u8],
    names: [&str; N],
) -> Option<[Option<Secret>; N]> {
    if has_too_many(form) {
        return None;
    }
    let mut found = [const { None }; N];
    for pair in non_empty(form) {
        let (name, value) = decode_pair(pair)?;
        let Some(place) = names.iter().position(|known| *known == name) else {
            continue;
        };
        if found[place].replace(secret(value)).is_some() {
            return None;
        }
    }
    Some(found.map(|value| value.filter(|value| !value.expose().is_empty())))
}

/// Reads all parameters of a form, in their order.
///
/// # Errors
///
/// Returns `invalid_request` for too many parameters, and for what a decoder would have to repair.
#[cfg(any(feature = "pages", feature = "profiles"))]
pub(crate) fn pairs(body: &[u8]) -> Result<Vec<(String, Secret)>, Error> {
    if has_too_many(body) {
        return Err(too_many());
    }
    let read = |pair| decode_pair(pair).map(|(name, value)| (name.into_owned(), secret(value)));
    let pairs: Option<_> = non_empty(body).map(read).collect();
    pairs.ok_or_else(malformed)
}

fn too_many() -> Error {
    Error::invalid_request("The request has too many parameters")
}

fn malformed() -> Error {
    Error::invalid_request("The body is not form-encoded UTF-8")
}

/// The parameters of a form. Empty ones do not count.
fn non_empty(form: &[u8]) -> impl Iterator<Item = &[u8]> {
    form.split(|&byte| byte == b'&')
        .filter(|pair| !pair.is_empty())
}

/// The form as text, if nothing in it is escaped.
fn without_escapes(form: &[u8]) -> Option<&str> {
    if has_escapes(form) {
        return None;
    }
    std::str::from_utf8(form).ok()
}

fn has_escapes(form: &[u8]) -> bool {
    let escaped = |any: bool, byte: &u8| any | matches!(byte, b'%' | b'+');
    // Without a branch for each byte, as above.
    form.iter().fold(false, escaped)
}

fn has_too_many(form: &[u8]) -> bool {
    // Counting separators is faster than splitting, and few forms have so many.
    let counted = |part: &[u8]| {
        let separators: u8 = part.iter().map(|&byte| u8::from(byte == b'&')).sum();
        usize::from(separators)
    };
    // Sums of bytes fit into more lanes of a vector.
    let separators: usize = form.chunks(usize::from(u8::MAX)).map(counted).sum();
    separators >= MAX_PARAMETERS && non_empty(form).count() > MAX_PARAMETERS
}

/// The name and the value of a parameter (RFC 6749 §B). `None` if a decoder would have to repair it.
fn decode_pair(pair: &[u8]) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    let (name, value) = match pair.iter().position(|&byte| byte == b'=') {
        Some(equals) => (&pair[..equals], &pair[equals + 1..]),
        None => (pair, &pair[pair.len()..]),
    };
    Some((decode_part(name)?, decode_part(value)?))
}

/// Decodes a name or a value. `None` if an escape is incomplete, or if the decoded bytes are not
/// UTF-8.
fn decode_part(part: &[u8]) -> Option<Cow<'_, str>> {
    // Most names, identifiers and tokens contain no escapes.
    if !has_escapes(part) {
        return std::str::from_utf8(part).ok().map(Cow::Borrowed);
    }
    let mut decoded = Vec::with_capacity(part.len());
    let mut rest = part.iter();
    while let Some(&byte) = rest.next() {
        let mut digit = || hex(*rest.next()?);
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => digit()? << 4 | digit()?,
            byte => byte,
        });
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
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
