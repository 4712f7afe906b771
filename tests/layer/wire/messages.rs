//! Methods, targets and other properties of a message.

use bytes::Bytes;
use http_body_util::Empty;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tower::Layer as _;
use tower_http::catch_panic::CatchPanicLayer;

use super::{FORM, HEAD, INNER, LONG, Peer, Revocations, TYPE, app, post, serve};

#[tokio::test]
async fn malformed_credentials_are_401() {
    let large = format!("Basic {}", "YTpi".repeat(16 * 1024)).into_bytes();
    let mut obs_text = b"Basic ".to_vec();
    obs_text.extend([0xff, 0xfe]);
    for value in [large, obs_text] {
        let body = "token=45ghiukldjahdnhzdauz";
        let head = format!("{HEAD}{TYPE}Content-Length: {}\r\n", body.len());
        let request = [
            head.as_bytes(),
            b"Authorization: ",
            &value,
            b"\r\n\r\n",
            body.as_bytes(),
        ];
        let (response, revocations) = Peer::ask(request.concat()).await;
        assert_eq!((response.status, revocations), (401, 0));
        assert!(response.has_line(r#"www-authenticate: basic realm="oauth", charset="utf-8""#));
    }
}

/// RFC 9110 §9.1: methods are case-sensitive.
#[tokio::test]
async fn methods_except_post_and_options_are_405() {
    for method in [
        "post", "GET", "PUT", "PATCH", "DELETE", "TRACE", "QUERY", "options",
    ] {
        let override_ = "X-HTTP-Method-Override: POST\r\n";
        let request = post(&format!("{TYPE}{override_}"), FORM).replacen("POST", method, 1);
        let (response, revocations) = Peer::ask(request).await;
        assert_eq!((response.status, revocations), (405, 0), "{method}");
        assert!(response.has_line("allow: post, options"), "{method}");
        assert_eq!(response.body, br#"{"error":"invalid_request"}"#);
    }
}

#[tokio::test]
async fn head_is_405_without_a_body() {
    let mut peer = Peer::connect().await;
    peer.send("HEAD /revoke HTTP/1.1\r\nHost: as.example.com\r\nConnection: close\r\n\r\n")
        .await;
    let mut response = String::new();
    peer.stream.read_to_string(&mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 405 "), "{response}");
    assert!(response.ends_with("\r\n\r\n"), "{response}");
}

/// The path matches with any authority (RFC 9112 §3.2.2).
#[tokio::test]
async fn absolute_form_matches_the_path() {
    let request = post(TYPE, FORM).replacen("/revoke", "http://another.example/revoke", 1);
    let (response, revocations) = Peer::ask(request).await;
    assert_eq!((response.status, revocations), (200, 1));
}

/// `OPTIONS *` is about the server, not about the endpoint (RFC 9110 §9.3.7).
#[tokio::test]
async fn options_for_the_server_passes() {
    let (response, _) = Peer::ask("OPTIONS * HTTP/1.1\r\nHost: as.example.com\r\n\r\n").await;
    assert_eq!(response.status, INNER.as_u16());
}

#[tokio::test]
async fn compressed_form_is_415() {
    let (response, revocations) =
        Peer::ask(post(&format!("{TYPE}Content-Encoding: gzip\r\n"), FORM)).await;
    assert_eq!((response.status, revocations), (415, 0));
    assert!(response.has_line("accept-encoding: identity"));
    let (response, revocations) =
        Peer::ask(post(&format!("{TYPE}Content-Encoding: identity\r\n"), FORM)).await;
    assert_eq!((response.status, revocations), (200, 1));
}

#[tokio::test]
async fn panic_closes_only_its_connection() {
    let revocations = Revocations::default();
    let address = serve(app(&revocations, LONG)).await;
    let mut poisoned = Peer::of(address, revocations.clone()).await;
    let mut other = Peer::of(address, revocations).await;
    poisoned
        .send(post(TYPE, "token=poison&client_id=spa-1"))
        .await;
    poisoned.expect_closed().await;
    other.send(post(TYPE, FORM)).await;
    assert_eq!(other.response().await.status, 200);
}

#[tokio::test]
async fn caught_panic_is_500_and_keeps_the_connection() {
    let revocations = Revocations::default();
    let address = serve(CatchPanicLayer::new().layer(app(&revocations, LONG))).await;
    let mut peer = Peer::of(address, revocations).await;
    peer.send(post(TYPE, "token=poison&client_id=spa-1")).await;
    assert_eq!(peer.response().await.status, 500);
    peer.send(post(TYPE, FORM)).await;
    assert_eq!(peer.response().await.status, 200);
}

/// A revocation has no representation, so conditions and ranges do not apply (RFC 9110 §13, §14).
#[tokio::test]
async fn conditions_and_ranges_are_ignored() {
    let fields = format!("{TYPE}If-None-Match: *\r\nRange: bytes=0-0\r\n");
    let (response, revocations) = Peer::ask(post(&fields, FORM)).await;
    assert_eq!((response.status, revocations), (200, 1));
}

#[tokio::test]
async fn upgrade_on_another_path_passes() {
    let address = serve(app(&Revocations::default(), LONG)).await;
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
    tokio::spawn(connection.with_upgrades());
    let request = Request::get("/chat")
        .header("host", "as.example.com")
        .header("connection", "upgrade")
        .header("upgrade", "chat")
        .body(Empty::<Bytes>::new())
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    let mut upgraded = TokioIo::new(hyper::upgrade::on(response).await.unwrap());
    upgraded.write_all(b"hello").await.unwrap();
    let mut echoed = [0; 5];
    upgraded.read_exact(&mut echoed).await.unwrap();
    assert_eq!(&echoed, b"hello");
}
