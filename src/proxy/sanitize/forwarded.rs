//! What the API is told about the connection of the client.

use hyper::{
    HeaderMap,
    header::{HeaderName, HeaderValue},
    http::Extensions,
};

use crate::{client::PeerAddr, proxy::server::OverTls};

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Sets the fields. The headers have none of the client any more.
pub(super) fn set(headers: &mut HeaderMap, extensions: &Extensions, host: HeaderValue) {
    // A peer on a Unix socket has no address.
    if let Some(PeerAddr(peer)) = extensions.get() {
        let address = peer.ip().to_canonical().to_string();
        // An address with a scope has a `%`, which is a valid character too.
        if let Ok(address) = HeaderValue::try_from(address) {
            headers.insert(FOR, address);
        }
    }
    let is_encrypted = extensions.get::<OverTls>().is_some();
    let scheme = if is_encrypted { "https" } else { "http" };
    headers.insert(PROTO, HeaderValue::from_static(scheme));
    headers.insert(HOST, host);
}
