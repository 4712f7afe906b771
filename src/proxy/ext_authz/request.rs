//! The head of the original request, from a `CheckRequest`.

use bytes::Bytes;
use hyper::{
    HeaderMap, Request,
    header::{HeaderName, HeaderValue},
    http::{Extensions, request::Parts},
};
use prost::Message as _;

use super::{
    frame,
    messages::{self, CheckRequest},
};
use crate::proxy::verify::{KnownRoute, clean, original};

/// Why there is no head to check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It is too long, too slow, or broken.
    Body,
    /// There is more, or less, than one message.
    Frame,
    /// It is not a `CheckRequest`.
    Message,
    /// It is about a connection and not about an HTTP request.
    NotHttp,
    /// A field cannot be in an HTTP request, or there are too many fields.
    Fields,
}

impl Unreadable {
    #[cfg(feature = "tracing")]
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Body => "the body is too long, too slow or broken",
            Self::Frame => "there is not exactly one message",
            Self::Message => "the message is not a CheckRequest",
            Self::NotHttp => "the CheckRequest has no HTTP request",
            Self::Fields => "the CheckRequest has a malformed header, or too many",
        }
    }
}

/// The head of the request that the body is about.
pub(super) fn head(
    body: Bytes,
    extensions: Extensions,
    is_trusted: bool,
) -> Result<Parts, Unreadable> {
    let message = frame::read(body).ok_or(Unreadable::Frame)?;
    let check = CheckRequest::decode(message).map_err(|_| Unreadable::Message)?;
    let request = check.attributes.and_then(|attributes| attributes.request);
    let http = request.and_then(|request| request.http);
    let http = http.ok_or(Unreadable::NotHttp)?;

    let (mut head, ()) = Request::new(()).into_parts();
    head.extensions = extensions;
    head.extensions.remove::<KnownRoute>();
    if let Some(original) = is_trusted
        .then(|| original(&http.method, &http.path))
        .flatten()
    {
        (head.method, head.uri) = original;
        head.extensions.insert(KnownRoute);
    }
    let raw = http.header_map.map(|map| map.headers).unwrap_or_default();
    let listed = if raw.is_empty() { http.headers } else { raw };
    head.headers = fields(&listed).ok_or(Unreadable::Fields)?;
    clean(&mut head.headers);
    Ok(head)
}

/// The fields of the request. `None` if one cannot be a field: without it, the request would be
/// another one.
fn fields(listed: &[messages::HeaderValue]) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for field in listed {
        // `:path` and the like.
        if field.key.first() == Some(&b':') {
            continue;
        }
        let value = if field.raw_value.is_empty() {
            &field.value
        } else {
            &field.raw_value
        };
        let name = HeaderName::from_bytes(&field.key).ok()?;
        let value = HeaderValue::from_maybe_shared(value.clone()).ok()?;
        headers.try_append(name, value).ok()?;
    }
    Some(headers)
}
