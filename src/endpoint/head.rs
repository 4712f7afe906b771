//! What the head of a request decides, before anything of its body is asked for.
//!
//! A peer that waits for `100 Continue` so gets its final answer at once.

use hyper::{
    HeaderMap, Method, Request,
    body::Body,
    header::{self, HeaderValue},
};

use super::{
    error::{Error, ErrorKind},
    form,
};
use crate::client::Authorization;

/// What a request asks for, as far as its head can tell.
pub(super) enum Asked {
    /// `OPTIONS`
    Options,
    /// `POST` with a form that is worth reading.
    Revoke,
}

/// Steps 2 to 7: method, media type, content coding, length, query, one Authorization field.
pub(super) fn judge<B: Body>(request: &Request<B>, max_body: usize) -> Result<Asked, Error> {
    match *request.method() {
        Method::POST => {}
        Method::OPTIONS => return Ok(Asked::Options),
        _ => return Err(Error::new(ErrorKind::MethodNotAllowed)),
    }
    let headers = request.headers();
    media_type(headers)?;
    if !headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .all(is_identity)
    {
        return Err(Error::new(ErrorKind::UnsupportedContentCoding));
    }
    // The body's own word, and not the Content-Length field's: where both framings were sent, the
    // field lies.
    if request.body().size_hint().lower() > u64::try_from(max_body).unwrap_or(u64::MAX) {
        return Err(Error::new(ErrorKind::BodyTooLarge));
    }
    if request.uri().query().is_some_and(form::query_has_secrets) {
        return Err(Error::invalid_request(
            "Tokens and secrets do not belong in the query",
        ));
    }
    Authorization::at_most_one(headers)?;
    Ok(Asked::Revoke)
}

/// `application/x-www-form-urlencoded` (RFC 6749 §B).
fn media_type(headers: &HeaderMap) -> Result<(), Error> {
    let mut fields = headers.get_all(header::CONTENT_TYPE).iter();
    let field = fields.next();
    if fields.next().is_some() {
        return Err(Error::invalid_request(
            "There is more than one Content-Type field",
        ));
    }
    match field.and_then(|field| field.to_str().ok()) {
        Some(field) if is_form(field) => Ok(()),
        _ => Err(Error::new(ErrorKind::UnsupportedMediaType)),
    }
}

/// Whether the body can be read as UTF-8, whatever charset its media type names.
///
/// The type has no such parameter, and clients send one nevertheless. What is ASCII means the same in
/// UTF-8.
///
/// # Errors
///
/// `UnsupportedMediaType` if the charset is not UTF-8 and the body is not ASCII.
pub(super) fn judge_charset(headers: &HeaderMap, body: &[u8]) -> Result<(), Error> {
    let field = headers.get(header::CONTENT_TYPE);
    let field = field.and_then(|field| field.to_str().ok());
    if field.is_none_or(is_utf8) || form::is_ascii(body) {
        Ok(())
    } else {
        Err(Error::new(ErrorKind::UnsupportedMediaType))
    }
}

/// RFC 9110 §8.3.1: names without regard to case.
fn is_form(field: &str) -> bool {
    split_unquoted(field).next().is_some_and(|essence| {
        essence
            .trim()
            .eq_ignore_ascii_case("application/x-www-form-urlencoded")
    })
}

/// Whether each charset that is named is UTF-8: values quoted or not, unknown and empty parameters
/// ignored.
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

/// Splits at semicolons that are not inside of a quoted string (RFC 9110 §5.6.4).
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

/// No coding at all, in any number of words.
fn is_identity(field: &HeaderValue) -> bool {
    field.to_str().is_ok_and(|field| {
        field
            .split(',')
            .map(str::trim)
            .all(|coding| coding.is_empty() || coding.eq_ignore_ascii_case("identity"))
    })
}
