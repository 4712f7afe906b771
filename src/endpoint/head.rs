//! Checks the head of a request before the body is polled.
//!
//! A peer that waits for `100 Continue` therefore gets the final response at once.

use hyper::{
    HeaderMap, Method, Request,
    body::Body,
    header::{self, HeaderValue},
};

use super::{EndpointSettings, jsonp::Query};
use crate::{
    client::Authorization,
    error::{Error, ErrorKind},
    form,
};

/// What a request asks for, according to its head.
pub(super) enum Operation {
    /// `OPTIONS`
    Options,
    /// `POST` with a form.
    Revoke(Charset),
    /// `GET` of a script.
    Script(Query),
}

/// The charset that the media type names.
#[derive(Clone, Copy, Debug)]
pub(super) enum Charset {
    /// UTF-8 or none.
    Utf8,
    Other,
}

/// Steps 2 to 7: method, media type, content coding, length, query, one Authorization field.
pub(super) fn check<B: Body>(
    request: &Request<B>,
    settings: &EndpointSettings,
) -> Result<Operation, Error> {
    match *request.method() {
        Method::POST => {}
        Method::OPTIONS => return Ok(Operation::Options),
        Method::GET if settings.jsonp => {
            Authorization::at_most_one(request.headers())?;
            return Query::read(request.uri().query()).map(Operation::Script);
        }
        _ => return Err(Error::new(ErrorKind::MethodNotAllowed)),
    }
    let headers = request.headers();
    let charset = media_type(headers)?;
    if !has_identity_coding(headers) {
        return Err(Error::new(ErrorKind::UnsupportedContentCoding));
    }
    // Uses the body's size hint: with both framings present, Content-Length is not reliable.
    if request.body().size_hint().lower() > u64::try_from(settings.max_body).unwrap_or(u64::MAX) {
        return Err(Error::new(ErrorKind::BodyTooLarge));
    }
    if request.uri().query().is_some_and(form::query_has_secrets) {
        return Err(Error::invalid_request(
            "Tokens and secrets are not allowed in the query",
        ));
    }
    Authorization::at_most_one(headers)?;
    Ok(Operation::Revoke(charset))
}

/// Requires `application/x-www-form-urlencoded` (RFC 6749 §B).
fn media_type(headers: &HeaderMap) -> Result<Charset, Error> {
    let mut fields = headers.get_all(header::CONTENT_TYPE).iter();
    let field = fields.next();
    if fields.next().is_some() {
        return Err(Error::invalid_request(
            "The request has more than one Content-Type field",
        ));
    }
    match field {
        // As most clients send it.
        Some(field) if field == FORM => Ok(Charset::Utf8),
        _ => match field.and_then(|field| field.to_str().ok()) {
            Some(field) if is_form(field) && is_utf8(field) => Ok(Charset::Utf8),
            Some(field) if is_form(field) => Ok(Charset::Other),
            _ => Err(Error::new(ErrorKind::UnsupportedMediaType)),
        },
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
    pub(super) fn check(self, body: &[u8]) -> Result<(), Error> {
        match self {
            Self::Utf8 => Ok(()),
            Self::Other if form::is_ascii(body) => Ok(()),
            Self::Other => Err(Error::new(ErrorKind::UnsupportedMediaType)),
        }
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

/// Media types are case-insensitive (RFC 9110 §8.3.1).
fn is_form(field: &str) -> bool {
    split_unquoted(field)
        .next()
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case(FORM))
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

fn has_identity_coding(headers: &HeaderMap) -> bool {
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
