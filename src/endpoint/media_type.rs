//! What is in a body, according to the head?

use hyper::{
    HeaderMap,
    header::{self, HeaderValue},
};

use crate::{
    error::{Error, ErrorKind},
    form,
};

/// The media type of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MediaType {
    /// `application/x-www-form-urlencoded` (RFC 6749 §B).
    Form,
    /// `application/json`, for the calls of other systems.
    #[cfg(feature = "profiles")]
    Json,
}

/// The charset that the media type names.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Charset {
    /// UTF-8 or none.
    Utf8,
    Other,
}

impl MediaType {
    /// Reads the media type.
    ///
    /// # Errors
    ///
    /// Returns `UnsupportedMediaType` if it is another one, and `InvalidRequest` if there is more than
    /// one.
    pub(crate) fn of(headers: &HeaderMap) -> Result<(Self, Charset), Error> {
        let mut fields = headers.get_all(header::CONTENT_TYPE).iter();
        let field = fields.next();
        if fields.next().is_some() {
            return Err(Error::invalid_request(
                "The request has more than one Content-Type field",
            ));
        }
        // As most clients send it.
        if field.is_some_and(|field| field == FORM) {
            return Ok((Self::Form, Charset::Utf8));
        }
        let field = field.and_then(|field| field.to_str().ok());
        let known = field.and_then(|field| Some((essence(field)?, is_utf8(field))));
        match known {
            Some((media_type, true)) => Ok((media_type, Charset::Utf8)),
            Some((media_type, false)) => Ok((media_type, Charset::Other)),
            None => Err(Error::new(ErrorKind::UnsupportedMediaType)),
        }
    }
}

impl Charset {
    /// Accepts a body in UTF-8, or in ASCII with any charset.
    ///
    /// The media type has no charset parameter, but some clients send one. An ASCII body is the same
    /// in UTF-8.
    ///
    /// # Errors
    ///
    /// Returns `UnsupportedMediaType` if the charset is not UTF-8 and the body is not ASCII.
    pub(crate) fn check(self, body: &[u8]) -> Result<(), Error> {
        match self {
            Self::Utf8 => Ok(()),
            Self::Other if form::is_ascii(body) => Ok(()),
            Self::Other => Err(Error::new(ErrorKind::UnsupportedMediaType)),
        }
    }
}

const FORM: &str = "application/x-www-form-urlencoded";
#[cfg(feature = "profiles")]
const JSON: &str = "application/json";

/// Media types are case-insensitive (RFC 9110 §8.3.1).
fn essence(field: &str) -> Option<MediaType> {
    let essence = split_unquoted(field).next()?.trim();
    match essence {
        _ if essence.eq_ignore_ascii_case(FORM) => Some(MediaType::Form),
        #[cfg(feature = "profiles")]
        _ if essence.eq_ignore_ascii_case(JSON) => Some(MediaType::Json),
        _ => None,
    }
}

/// Whether every charset parameter, quoted or not, is UTF-8. Other parameters are ignored.
fn is_utf8(field: &str) -> bool {
    split_unquoted(field)
        .skip(1)
        .filter_map(|parameter| parameter.split_once('='))
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .all(|(_, charset)| {
            let charset = charset.trim().trim_matches('"');
            ["utf-8", "utf8"]
                .iter()
                .any(|name| name.eq_ignore_ascii_case(charset))
        })
}

/// Splits at semicolons outside quoted strings (RFC 9110 §5.6.4).
fn split_unquoted(field: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    field.split(move |character| {
        let plain = !std::mem::take(&mut escaped);
        match character {
            '\\' if quoted => escaped = plain,
            '"' if plain => quoted = !quoted,
            _ => {}
        }
        character == ';' && !quoted
    })
}

/// Whether the body has no coding.
pub(crate) fn has_identity_coding(headers: &HeaderMap) -> bool {
    // Most requests have few fields, and not this one, whose hash takes longer than this.
    if !headers.keys().any(|name| name == header::CONTENT_ENCODING) {
        return true;
    }
    let mut fields = headers.get_all(header::CONTENT_ENCODING).iter();
    fields.all(is_identity)
}

/// Whether the field lists no coding but `identity`.
fn is_identity(field: &HeaderValue) -> bool {
    field.to_str().is_ok_and(|field| {
        field
            .split(',')
            .map(str::trim)
            .all(|coding| coding.is_empty() || coding.eq_ignore_ascii_case("identity"))
    })
}
