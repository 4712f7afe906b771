use std::{convert::Infallible, future::ready, net::SocketAddr};

use bytes::Bytes;
use futures::FutureExt as _;
use http_body_util::{BodyExt as _, Full};
use hyper::{HeaderMap, Request, StatusCode, Version, header::HeaderName};
use tower::{Layer as _, ServiceExt as _, service_fn};

use super::{SanitizeLayer, SanitizedBody, WantsWebSocket};
use crate::{
    client::{ClientAddr, Network, PeerAddr},
    proxy::{Error, ErrorKind, IdentityHeaders, server::OverTls},
};

type Passed = Request<SanitizedBody<Full<Bytes>>>;

/// The request that passes, or the response.
fn sanitize(
    layer: &SanitizeLayer,
    request: Request<Full<Bytes>>,
) -> Result<Passed, hyper::Response<()>> {
    let mut passed = None;
    let inner = service_fn(|request: Passed| {
        passed = Some(request);
        ready(Ok::<_, Infallible>(hyper::Response::new(
            Full::<Bytes>::default(),
        )))
    });
    let response = layer.layer(inner).oneshot(request).now_or_never();
    let Ok(response) = response.expect("nothing waits");
    passed.ok_or_else(|| response.map(drop))
}

fn request(lines: &[(&str, &str)]) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::default());
    *request.uri_mut() = "/a".parse().unwrap();
    for (name, value) in lines {
        let name: HeaderName = name.parse().unwrap();
        request.headers_mut().append(name, value.parse().unwrap());
    }
    request
}

fn fields(headers: &HeaderMap) -> Vec<(&str, &str)> {
    let fields = headers.iter();
    let mut fields: Vec<_> = fields
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    fields.sort_unstable();
    fields
}

#[test]
fn ambiguous_requests_are_refused() {
    let layer = SanitizeLayer::new();
    let host = ("host", "a.example");
    for lines in [
        &[][..],
        &[host, host],
        &[("host", "")],
        &[("host", "u@a.example")],
        &[host, ("content-length", "1"), ("content-length", "1")],
        &[
            host,
            ("content-length", "1"),
            ("transfer-encoding", "chunked"),
        ],
        &[host, ("transfer-encoding", "chunked")],
        &[host, ("connection", "close, authorization")],
        &[host, ("connection", "Host")],
    ] {
        let response = sanitize(&layer, request(lines)).unwrap_err();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{lines:?}");
        assert_eq!(response.headers()["connection"], "close");
        let error = response.extensions().get::<Error>().unwrap();
        assert_eq!(error.kind(), ErrorKind::BadRequest);
    }
    for (method, target) in [
        ("CONNECT", "a.example:443"),
        ("TRACE", "/"),
        ("OPTIONS", "*"),
        ("GET", "http://b.example/"),
        ("GET", "https://a.example:80/"),
    ] {
        let mut request = request(&[host]);
        *request.method_mut() = method.parse().unwrap();
        *request.uri_mut() = target.parse().unwrap();
        let response = sanitize(&layer, request).unwrap_err();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{target}");
    }
    let mut chunked = request(&[host, ("transfer-encoding", "chunked")]);
    *chunked.method_mut() = hyper::Method::DELETE;
    assert!(sanitize(&layer, chunked).is_ok());
}

#[test]
fn large_heads_are_refused() {
    let layer = SanitizeLayer::new().max_fields(3).max_head(100);
    let host = ("host", "a.example");
    let long = "a".repeat(100 - "/ahost: a.example\r\nb: \r\n".len());
    assert!(sanitize(&layer, request(&[host, ("b", &long)])).is_ok());
    let longer = format!("{long}a");
    let many = [host, ("a", ""), ("a", ""), ("b", "")];
    for lines in [&[host, ("b", &*longer)][..], &many] {
        let response = sanitize(&layer, request(lines)).unwrap_err();
        assert_eq!(response.status(), 431);
    }
}

#[test]
fn fields_that_a_proxy_sets_are_ours() {
    let identity = IdentityHeaders::new().subject(HeaderName::from_static("x-who"));
    let layer = SanitizeLayer::new()
        .identity(identity)
        .keep(HeaderName::from_static("x-user-color"));
    let mut request = request(&[
        ("host", "a.example:8080"),
        ("connection", "x-forwarded-for, x-who, x-hop"),
        ("x-forwarded-for", "10.0.0.1"),
        ("X_Forwarded_Host", "evil.example"),
        ("forwarded", "for=10.0.0.1"),
        ("x-who", "root"),
        ("x.who", "root"),
        ("x-hop", "1"),
        ("x-user-color", "green"),
        ("x_user_color", "red"),
        ("expect", "100-continue"),
        ("te", "gzip, trailers"),
        ("trailer", "x-end"),
        (
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
        ("tracestate", "a=b"),
        ("authorization", "Bearer t"),
    ]);
    let peer: SocketAddr = "[::ffff:192.0.2.7]:4711".parse().unwrap();
    request.extensions_mut().insert(PeerAddr(peer));
    request.extensions_mut().insert(OverTls);
    let passed = sanitize(&layer, request).unwrap();
    let expected = [
        ("authorization", "Bearer t"),
        ("host", "a.example:8080"),
        ("te", "trailers"),
        (
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
        ("tracestate", "a=b"),
        ("trailer", "x-end"),
        ("x-forwarded-for", "192.0.2.7"),
        ("x-forwarded-host", "a.example:8080"),
        ("x-forwarded-proto", "https"),
        ("x-user-color", "green"),
    ];
    assert_eq!(fields(passed.headers()), expected);
}

/// What the API and the limits are told, behind the proxies 192.0.2.0/24.
fn behind_proxies(peer: &str, fields: &[(&str, &str)]) -> ([String; 3], Option<String>) {
    let proxies: Network = "192.0.2.0/24".parse().unwrap();
    let layer = SanitizeLayer::new().trusted_proxies([proxies]);
    let mut lines = vec![("host", "a.example")];
    lines.extend(fields);
    let mut request = request(&lines);
    request
        .extensions_mut()
        .insert(PeerAddr(SocketAddr::new(peer.parse().unwrap(), 1)));
    let passed = sanitize(&layer, request).unwrap();
    let told = ["for", "proto", "host"].map(|name| {
        let name = format!("x-forwarded-{name}");
        passed.headers()[&name].to_str().unwrap().to_owned()
    });
    let client = passed.extensions().get::<ClientAddr>();
    (told, client.map(|client| client.0.to_string()))
}

#[test]
fn trusted_proxy_is_believed_who_the_client_is() {
    let fields = [
        ("x-forwarded-for", "203.0.113.9, 198.51.100.1"),
        ("x-forwarded-for", "192.0.2.8"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "shop.example:8443"),
        ("x_forwarded_for", "10.0.0.1"),
    ];
    let (told, client) = behind_proxies("192.0.2.7", &fields);
    let chain = "203.0.113.9, 198.51.100.1, 192.0.2.8, 192.0.2.7";
    assert_eq!(told, [chain, "https", "shop.example:8443"]);
    assert_eq!(client.as_deref(), Some("198.51.100.1"));
}

#[test]
fn another_peer_is_not_believed() {
    let fields = [
        ("x-forwarded-for", "203.0.113.9"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "shop.example"),
    ];
    let (told, client) = behind_proxies("198.51.100.1", &fields);
    assert_eq!(told, ["198.51.100.1", "http", "a.example"]);
    assert_eq!(client, None);
}

#[test]
fn trusted_proxy_is_believed_only_what_can_be_read() {
    for (fields, expected) in [
        (
            &[("x-forwarded-proto", "HTTPS"), ("x-forwarded-host", "a@b")][..],
            "192.0.2.7",
        ),
        (
            &[
                ("x-forwarded-proto", "https"),
                ("x-forwarded-proto", "http"),
                ("x-forwarded-host", "b.example"),
                ("x-forwarded-host", "c.example"),
            ],
            "192.0.2.7",
        ),
        (&[("x-forwarded-for", "unknown")], "unknown, 192.0.2.7"),
    ] {
        let (told, client) = behind_proxies("192.0.2.7", fields);
        assert_eq!(told, [expected, "http", "a.example"], "{fields:?}");
        assert_eq!(client, None);
    }
}

#[test]
fn forwarded_fields_can_be_left_out() {
    let layer = SanitizeLayer::new().set_forwarded(false);
    let mut request = request(&[("x-forwarded-proto", "https")]);
    *request.version_mut() = Version::HTTP_2;
    *request.uri_mut() = "https://a.example/a".parse().unwrap();
    let passed = sanitize(&layer, request).unwrap();
    assert_eq!(fields(passed.headers()), [("te", "trailers")]);
}

#[test]
fn websocket_is_remembered_although_its_fields_go() {
    let layer = SanitizeLayer::new().set_forwarded(false);
    let host = ("host", "a.example");
    for (lines, wants) in [
        (
            &[("connection", "Upgrade"), ("upgrade", "WebSocket")][..],
            true,
        ),
        (
            &[
                ("connection", "keep-alive, upgrade"),
                ("upgrade", "websocket"),
            ],
            true,
        ),
        (&[("upgrade", "websocket")], false),
        (&[("connection", "upgrade"), ("upgrade", "h2c")], false),
        (
            &[("connection", "upgrade"), ("upgrade", "websocket, h2c")],
            false,
        ),
        (
            &[
                ("connection", "upgrade"),
                ("upgrade", "websocket"),
                ("upgrade", "h2c"),
            ],
            false,
        ),
    ] {
        let mut sent = vec![host];
        sent.extend(lines);
        let passed = sanitize(&layer, request(&sent)).unwrap();
        assert_eq!(fields(passed.headers()), [host], "{lines:?}");
        assert_eq!(WantsWebSocket::of(&passed).is_some(), wants, "{lines:?}");
    }
    // Only `GET` over HTTP/1.1.
    let lines = [host, ("connection", "upgrade"), ("upgrade", "websocket")];
    let mut old = request(&lines);
    *old.version_mut() = Version::HTTP_10;
    let mut post = request(&lines);
    *post.method_mut() = hyper::Method::POST;
    for request in [old, post] {
        let passed = sanitize(&layer, request).unwrap();
        assert!(WantsWebSocket::of(&passed).is_none());
    }
}

#[test]
fn trailers_lose_the_same_fields() {
    let identity = IdentityHeaders::new().subject(HeaderName::from_static("x-who"));
    let rules = SanitizeLayer::new().identity(identity).rules;
    let mut trailers = HeaderMap::new();
    for name in [
        "x_who",
        "x-forwarded-for",
        "client-cert",
        "transfer-encoding",
        "x-sum",
    ] {
        trailers.insert(name, "1".parse().unwrap());
    }
    let body = Full::new(Bytes::from_static(b"text"))
        .with_trailers(async { Some(Ok::<_, Infallible>(trailers)) });
    let body = SanitizedBody::new(body, rules);
    let collected = Box::pin(body.collect()).now_or_never().unwrap().unwrap();
    assert_eq!(fields(collected.trailers().unwrap()), [("x-sum", "1")]);
    assert_eq!(collected.to_bytes(), "text");
}
