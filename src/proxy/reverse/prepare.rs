//! Makes the request to the API of the request of the client.

use std::time::Duration;

use hyper::{
    HeaderMap, Method, Request, Version,
    body::Body,
    header::{
        self, AUTHORIZATION, CONNECTION, CONTENT_TYPE, COOKIE, EXPECT, HOST, HeaderValue, TE,
        UPGRADE, VIA,
    },
    upgrade::OnUpgrade,
};
use tower::BoxError;

use super::{
    AllowWebSocket, ForwardFuture, Settings, Via, future::TimeLimits, in_flight::Permit,
    tunnel::Tunnel, upload::Upload,
};
use crate::proxy::{
    Error, ErrorKind,
    fields::{MAX_FIELDS, remove_hop_by_hop, takes_trailers},
    sanitize::WantsWebSocket,
    upstream::{Clients, Protocol},
};

/// A request to the API, and which client sends it.
pub(super) struct Prepared<B> {
    request: Request<B>,
    /// The version in which it came.
    version: Version,
    kind: Kind,
}

enum Kind {
    Plain,
    Grpc,
    WebSocket(Tunnel),
}

impl Settings {
    /// # Errors
    ///
    /// Fails if the request cannot be forwarded.
    pub(super) fn prepare<B: Body>(&self, mut request: Request<B>) -> Result<Prepared<B>, Error> {
        let kind = Kind::of(&mut request, self.websocket_idle_timeout);
        let base = &self.upstream.base;
        let has_host = base.protocol == Protocol::Http && !matches!(kind, Kind::Grpc);
        let uri = if has_host {
            base.join_short(request.uri())
        } else {
            base.join(request.uri())
        };
        let uri = uri.ok_or_else(|| Error::bad_request("the path leaves the base of the API"))?;
        let version = request.version();
        if request.headers().len() > MAX_FIELDS {
            let kind = ErrorKind::HeadTooLarge;
            return Err(Error::new(kind, "the request has too many header fields"));
        }
        if base.protocol != Protocol::H2c && body_would_be_lost(&request) {
            let reason = "the request is a GET with a body of unknown length";
            return Err(Error::bad_request(reason));
        }
        let (mut head, body) = request.into_parts();
        head.uri = uri;
        // The client takes HTTP/2 where the connection has it.
        head.version = Version::HTTP_11;

        let headers = &mut head.headers;
        let takes_trailers = version == Version::HTTP_2 || takes_trailers(headers);
        remove_hop_by_hop(headers);
        headers.remove(EXPECT);
        if has_host {
            headers.insert(HOST, base.host.clone());
        } else {
            // Over HTTP/1.1 the client sets it from the URL. HTTP/2 has `:authority` instead.
            headers.remove(HOST);
        }
        if self.removes_authorization {
            headers.remove(AUTHORIZATION);
        }
        join_cookies(headers);
        headers.append(VIA, self.via.line(version));
        self.identity.set(head.extensions.get(), headers);
        match &kind {
            Kind::WebSocket(_) => {
                headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
                headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
            }
            // HTTP/2 has no `Connection`.
            Kind::Grpc => {
                headers.insert(TE, HeaderValue::from_static("trailers"));
            }
            Kind::Plain if takes_trailers => {
                headers.insert(TE, HeaderValue::from_static("trailers"));
                // Over HTTP/2, hyper would remove what `Connection` names.
                if base.protocol == Protocol::Http {
                    headers.insert(CONNECTION, HeaderValue::from_static("te"));
                }
            }
            Kind::Plain => {}
        }
        Ok(Prepared {
            request: Request::from_parts(head, body),
            version,
            kind,
        })
    }
}

/// hyper's client sends no body of unknown length for these methods over HTTP/1.1.
fn body_would_be_lost<B: Body>(request: &Request<B>) -> bool {
    let method = request.method();
    (method == Method::GET || method == Method::HEAD || method == Method::CONNECT)
        && !request.body().is_end_stream()
        && request.body().size_hint().exact().is_none()
}

impl Kind {
    fn of<B>(request: &mut Request<B>, websocket_idle_timeout: Duration) -> Self {
        let allowed = request.extensions().get::<AllowWebSocket>().is_some();
        if allowed && WantsWebSocket::of(request).is_some() {
            // It is there if the server hands over connections.
            if let Some(client) = request.extensions_mut().remove::<OnUpgrade>() {
                let extensions = request.extensions();
                let tunnel = Tunnel::from(client, extensions, websocket_idle_timeout);
                return Self::WebSocket(tunnel);
            }
        }
        let content_type = request.headers().get(CONTENT_TYPE);
        let is_grpc = content_type.is_some_and(|value| is_grpc(value.as_bytes()));
        if is_grpc { Self::Grpc } else { Self::Plain }
    }
}

/// Whether this is `application/grpc`, or with a suffix such as `+proto`. gRPC-Web is another type,
/// which also works over HTTP/1.1.
fn is_grpc(content_type: &[u8]) -> bool {
    const GRPC: &[u8] = b"application/grpc";
    match content_type.split_at_checked(GRPC.len()) {
        Some((name, rest)) => {
            name.eq_ignore_ascii_case(GRPC)
                && matches!(rest.first(), None | Some(b'+' | b';' | b' '))
        }
        None => false,
    }
}

/// Joins cookies. An HTTP/2 client may send each cookie in a separate field; HTTP/1 has one field
/// (RFC 9113 §8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let cookies = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    let cookies: Vec<&[u8]> = cookies.collect();
    if cookies.len() > 1 {
        if let Ok(joined) = HeaderValue::from_bytes(&cookies.join(&b"; "[..])) {
            headers.insert(header::COOKIE, joined);
        }
    }
}

impl Via {
    fn line(&self, version: Version) -> HeaderValue {
        match version {
            Version::HTTP_2 => self.http2.clone(),
            Version::HTTP_09 | Version::HTTP_10 => self.http10.clone(),
            _ => self.http11.clone(),
        }
    }
}

impl<B> Prepared<B>
where
    B: Body<Data: Send, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    /// Sends the request once.
    pub(super) fn send(
        self,
        clients: &Clients<Upload<B>>,
        limits: TimeLimits,
        permit: Permit,
    ) -> ForwardFuture {
        let (head, body) = self.request.into_parts();
        let (body, progress) = Upload::new(body, head.extensions.get());
        let request = Request::from_parts(head, body);
        let (client, tunnel) = match self.kind {
            Kind::Plain => (Some(&clients.main), None),
            Kind::Grpc => (Some(&clients.grpc), None),
            Kind::WebSocket(tunnel) => (clients.websocket.as_ref(), Some(tunnel)),
        };
        let Some(client) = client else {
            let reason = "the API has no HTTP/1.1, which a WebSocket needs";
            return ForwardFuture::failed(Error::configuration(reason), self.version);
        };
        let response = client.request(request);
        ForwardFuture::sent(response, self.version, progress, limits, tunnel, permit)
    }
}
