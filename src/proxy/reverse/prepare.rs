//! Makes the request to the API of the request of the client.

use std::{sync::Arc, time::Duration};

use bytes::Buf;
use http_body_util::BodyExt as _;
use hyper::{
    HeaderMap, Method, Request, Version,
    body::Body,
    header::{
        self, AUTHORIZATION, CONNECTION, CONTENT_TYPE, COOKIE, EXPECT, HOST, HeaderValue, TE,
        UPGRADE, VIA,
    },
    upgrade::OnUpgrade,
};
use tokio::time::timeout;
use tower::BoxError;

use super::{
    AllowWebSocket, ForwardFuture, Settings, Via,
    future::TimeLimits,
    in_flight::Permit,
    tunnel::Tunnel,
    upload::{Failed, Upload},
};
use crate::{
    enforce::TokenLife,
    proxy::{
        Error, ErrorKind,
        fields::{MAX_FIELDS, remove_hop_by_hop, takes_trailers},
        sanitize::WantsWebSocket,
        upstream::{Clients, Protocol},
    },
};

/// A request to the API, and which client sends it.
pub(super) struct Prepared<B> {
    request: Request<B>,
    /// The version in which it came.
    version: Version,
    kind: Kind,
    /// Whether it can be sent only if its body is empty.
    must_be_empty: bool,
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
        let protocol = base.protocol;
        let must_be_empty = protocol != Protocol::H2c && body_would_be_lost(&request);
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
            // The client of gRPC speaks HTTP/2 to an API without TLS.
            Kind::Grpc if protocol == Protocol::Http => take_trailers(Protocol::H2c, headers),
            Kind::Grpc => take_trailers(protocol, headers),
            Kind::Plain if takes_trailers => take_trailers(protocol, headers),
            Kind::Plain => {}
        }
        Ok(Prepared {
            request: Request::from_parts(head, body),
            version,
            kind,
            must_be_empty,
        })
    }
}

/// Tells the API that trailers are accepted (RFC 9110 §10.1.4).
fn take_trailers(protocol: Protocol, headers: &mut HeaderMap) {
    headers.insert(TE, HeaderValue::from_static("trailers"));
    let te = HeaderValue::from_static("te");
    match protocol {
        Protocol::Http => {
            headers.insert(CONNECTION, te);
        }
        // The version of HTTP is not known yet. Over HTTP/2, hyper removes `Connection`, and the fields
        // that its first line names.
        Protocol::Https => {
            headers.insert(CONNECTION, HeaderValue::from_static("keep-alive"));
            headers.append(CONNECTION, te);
        }
        Protocol::H2c => {}
    }
}

/// hyper's client sends no body of unknown length for these methods over HTTP/1.1.
fn body_would_be_lost<B: Body>(request: &Request<B>) -> bool {
    let method = request.method();
    (method == Method::GET || method == Method::HEAD || method == Method::CONNECT)
        && !request.body().is_end_stream()
        && request.body().size_hint().exact().is_none()
}

/// Whether the body ends without a byte. `None` if it fails.
async fn is_empty<B: Body + Unpin>(body: &mut B) -> Option<bool> {
    while !body.is_end_stream() {
        let Some(frame) = body.frame().await else {
            break;
        };
        if frame.ok()?.data_ref().is_none_or(Buf::has_remaining) {
            return Some(false);
        }
    }
    Some(true)
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
        clients: &Arc<Clients<Upload<B>>>,
        limits: TimeLimits,
        permit: Permit,
    ) -> ForwardFuture {
        if self.must_be_empty {
            let sent = self.send_if_empty(clients.clone(), limits, permit);
            ForwardFuture::waiting(Box::pin(sent))
        } else {
            self.send_now(clients, limits, permit)
        }
    }

    /// Waits for the end of the body. Over HTTP/2, it may be a frame of its own.
    async fn send_if_empty(
        mut self,
        clients: Arc<Clients<Upload<B>>>,
        limits: TimeLimits,
        permit: Permit,
    ) -> ForwardFuture {
        let version = self.version;
        let life = self.request.extensions().get::<TokenLife>().cloned();
        let life = life.unwrap_or(TokenLife::unwatched());
        let body = self.request.body_mut();
        let is_empty = tokio::select! {
            biased;
            end = life.end() => return ForwardFuture::cut(Failed::Token(end), &life, version),
            is_empty = timeout(limits.upload, is_empty(body)) => is_empty,
        };
        let error = match is_empty {
            Ok(Some(true)) => return self.send_now(&clients, limits, permit),
            Ok(Some(false)) => {
                Error::bad_request("the request is a GET with a body of unknown length")
            }
            Ok(None) => Failed::Client.into(),
            Err(_) => {
                let reason = "the client sent nothing of its body for too long";
                Error::new(ErrorKind::ClientTimedOut, reason)
            }
        };
        ForwardFuture::failed(error, version)
    }

    fn send_now(
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
