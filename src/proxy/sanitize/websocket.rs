//! Whether a client asks for a WebSocket (RFC 6455 §4.1).

use hyper::{
    HeaderMap, Method, Request, Version,
    header::{HeaderName, HeaderValue, UPGRADE},
};

use crate::proxy::fields::connection_options;

/// In the extensions of a request that asked for a WebSocket before its fields were removed.
#[derive(Clone, Copy, Debug)]
pub(in crate::proxy) struct WantsWebSocket;

impl WantsWebSocket {
    pub(in crate::proxy) fn of<B>(request: &Request<B>) -> Option<Self> {
        let asks = request.version() == Version::HTTP_11
            && request.method() == Method::GET
            && is_websocket(request.headers());
        let asked = || request.extensions().get().copied();
        asks.then_some(Self).or_else(asked)
    }
}

/// Whether these fields switch to WebSocket, and offer no other protocol.
pub(in crate::proxy) fn is_websocket(headers: &HeaderMap) -> bool {
    let upgrade = HeaderName::from_static("upgrade");
    let mut protocols = headers.get_all(UPGRADE).iter().map(HeaderValue::as_bytes);
    let only = (protocols.next(), protocols.next());
    matches!(only, (Some(protocol), None) if protocol.eq_ignore_ascii_case(b"websocket"))
        && connection_options(headers).any(|option| option == upgrade)
}
