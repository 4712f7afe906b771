//! Fields about one connection, which end at the next hop (RFC 9110 §7.6.1).

use hyper::{
    HeaderMap,
    header::{self, HeaderName},
};

use super::elements;

/// Removes the fields about one connection, and those that `Connection` names.
///
/// Without `Upgrade`, both sides cannot switch to a protocol that the proxy does not see. `Trailer`
/// stays: it is about the message, and trailers pass.
pub(in crate::proxy) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = connection_options(headers).collect();
    for name in named.iter().chain(&ALWAYS) {
        headers.remove(name);
    }
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
