//! Fields about one connection, which end at the next hop (RFC 9110 §7.6.1).

use hyper::{
    HeaderMap,
    header::{self, HeaderName},
};

use super::{elements, is_same, remove_if};

/// Removes the fields about one connection, and those that `Connection` names.
///
/// Without `Upgrade`, both sides cannot switch to a protocol that the proxy does not see. `Trailer`
/// stays: it is about the message, and trailers pass.
pub(in crate::proxy) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    // Most messages have none, so they have no `Connection` that names others.
    if !headers.keys().any(|name| ALWAYS.contains(name)) {
        return;
    }
    let named: Vec<HeaderName> = connection_options(headers).collect();
    for name in named {
        headers.remove(name);
    }
    // To compare names is faster than to look up each of these.
    remove_if(headers, |name| ALWAYS.contains(name));
}

const ALWAYS: [HeaderName; 10] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("http2-settings"),
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-authentication-info"),
    HeaderName::from_static("proxy-connection"),
];

/// Whether this field is always about one connection, in any spelling.
pub(in crate::proxy) fn is_about_connection(name: &HeaderName) -> bool {
    ALWAYS.iter().any(|always| is_same(name, always))
}

/// The names in `Connection`. An element that is no name is not one of them.
pub(in crate::proxy) fn connection_options(
    headers: &HeaderMap,
) -> impl Iterator<Item = HeaderName> + use<'_> {
    elements(headers, &header::CONNECTION).filter_map(|name| HeaderName::from_bytes(name).ok())
}

/// Whether the sender accepts trailers (RFC 9110 §10.1.4).
pub(in crate::proxy) fn takes_trailers(headers: &HeaderMap) -> bool {
    elements(headers, &header::TE)
        .filter_map(|element| element.split(|byte| *byte == b';').next())
        .any(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"trailers"))
}

/// The coding of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::proxy) enum Coding {
    None,
    /// `chunked`, once.
    Chunked,
    /// `chunked` more than once, which a sender must not do (RFC 9112 §6.1).
    Repeated,
    /// Another one. It would be lost: only `chunked` is removed here and applied again.
    Other,
}

impl Coding {
    pub(in crate::proxy) fn of(headers: &HeaderMap) -> Self {
        let is_chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
        if !headers.contains_key(header::TRANSFER_ENCODING) {
            return Self::None;
        }
        let mut codings = elements(headers, &header::TRANSFER_ENCODING);
        match codings.next() {
            None => Self::Other,
            Some(first) if !is_chunked(first) => Self::Other,
            Some(_) => match codings.next() {
                None => Self::Chunked,
                Some(second) if is_chunked(second) => Self::Repeated,
                Some(_) => Self::Other,
            },
        }
    }
}

/// Removes from the trailers of a request the fields that mean something only in a head (RFC 9110
/// §6.5.1): a recipient that merges both would otherwise take them for checked ones.
pub(in crate::proxy) fn remove_from_trailers(trailers: &mut HeaderMap) {
    remove_all(trailers, &ONLY_IN_HEADS);
}

/// The same for the trailers of a response. All others pass: gRPC has its status and metadata there.
pub(in crate::proxy) fn remove_from_response_trailers(trailers: &mut HeaderMap) {
    remove_hop_by_hop(trailers);
    remove_all(trailers, &[&ALWAYS[..], &ONLY_IN_RESPONSES].concat());
}

/// Removes these fields in every spelling.
fn remove_all(trailers: &mut HeaderMap, names: &[HeaderName]) {
    remove_if(trailers, |name| {
        names.iter().any(|only| is_same(name, only))
    });
}

/// Framing, routing, authentication, conditions, and how the content is read.
const ONLY_IN_HEADS: [HeaderName; 22] = [
    header::AUTHORIZATION,
    header::CACHE_CONTROL,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    header::COOKIE,
    header::EXPECT,
    header::HOST,
    header::IF_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::IF_RANGE,
    header::IF_UNMODIFIED_SINCE,
    header::MAX_FORWARDS,
    header::ORIGIN,
    header::RANGE,
    header::TRAILER,
    HeaderName::from_static("dpop"),
    HeaderName::from_static("x-http-method"),
    HeaderName::from_static("x-http-method-override"),
    HeaderName::from_static("x-method-override"),
];

/// Framing, authentication, how long and for whom the response is, and how the content is read.
const ONLY_IN_RESPONSES: [HeaderName; 20] = [
    header::AGE,
    header::AUTHORIZATION,
    header::CACHE_CONTROL,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    header::COOKIE,
    header::DATE,
    header::EXPIRES,
    header::HOST,
    header::LOCATION,
    header::RETRY_AFTER,
    header::SET_COOKIE,
    header::TRAILER,
    header::VARY,
    header::WARNING,
    header::WWW_AUTHENTICATE,
    HeaderName::from_static("dpop"),
    HeaderName::from_static("dpop-nonce"),
];

/// Whether the field is for every recipient, or determines the meaning of the request. Without it,
/// the API would see another request than the proxy has checked.
pub(in crate::proxy) fn is_needed(name: &HeaderName) -> bool {
    NEEDED.contains(name)
}

const NEEDED: [HeaderName; 7] = [
    header::AUTHORIZATION,
    header::CACHE_CONTROL,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::COOKIE,
    header::HOST,
    header::TRANSFER_ENCODING,
];
