//! Limits of size and time, and `Expect: 100-continue`.

use tokio::io::AsyncWriteExt as _;

use super::{BASIC, FORM, HEAD, INNER, Peer, SHORT, TYPE, chunked, post};

#[tokio::test]
async fn stalled_body_is_408_and_closes_the_connection() {
    let mut peer = Peer::connect_to(SHORT).await;
    peer.send(post(TYPE, FORM).trim_end_matches("spa-1")).await;
    let response = peer.response().await;
    assert_eq!(response.status, 408);
    assert!(response.has_line("connection: close"));
    assert_eq!(response.body, br#"{"error":"invalid_request"}"#);
    peer.expect_closed().await;
    assert_eq!(peer.revocations.count(), 0);
}

/// If the head decides the response, the layer does not ask for the body (RFC 9110 §10.1.1).
#[tokio::test]
async fn expect_continue_is_refused_before_the_body() {
    let good = format!("{HEAD}{TYPE}Content-Length: {}\r\n", FORM.len());
    let two = format!("{BASIC}{BASIC}");
    for (status, head) in [
        (405, good.replacen("POST", "PUT", 1)),
        (413, good.replacen(&FORM.len().to_string(), "65537", 1)),
        (415, good.replacen("x-www-form-urlencoded", "json", 1)),
        (415, good.clone() + "Content-Encoding: gzip\r\n"),
        (400, good.clone() + &two),
        (400, good.replacen("/revoke", "/revoke?token=45gh", 1)),
    ] {
        let (response, revocations) =
            Peer::ask(format!("{head}Expect: 100-continue\r\n\r\n")).await;
        assert_eq!((response.status, revocations), (status, 0), "{head}");
    }
}

#[tokio::test]
async fn expect_continue_with_a_good_head_continues() {
    let mut peer = Peer::connect().await;
    let request = post(&format!("{TYPE}Expect: 100-continue\r\n"), FORM);
    peer.send(request.trim_end_matches(FORM)).await;
    assert_eq!(peer.response().await.status, 100);
    assert_eq!(peer.revocations.count(), 0);
    peer.send(FORM).await;
    assert_eq!(peer.response().await.status, 200);
    assert_eq!(peer.revocations.count(), 1);
}

#[tokio::test]
async fn expect_continue_without_a_body_is_408() {
    let mut peer = Peer::connect_to(SHORT).await;
    let request = post(&format!("{TYPE}Expect: 100-continue\r\n"), FORM);
    peer.send(request.trim_end_matches(FORM)).await;
    assert_eq!(peer.response().await.status, 100);
    assert_eq!(peer.response().await.status, 408);
    peer.expect_closed().await;
}

#[tokio::test]
async fn length_over_the_limit_is_413_before_the_body() {
    let mut peer = Peer::connect().await;
    peer.send(format!("{HEAD}{TYPE}Content-Length: 65537\r\n\r\n"))
        .await;
    let response = peer.response().await;
    assert_eq!(response.status, 413);
    assert!(response.has_line("connection: close"));
    peer.expect_closed().await;
}

/// The client stops after the first byte over the limit, and gets a response.
#[tokio::test]
async fn chunks_over_the_limit_are_413_at_once() {
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    let mut peer = Peer::connect().await;
    peer.send(chunked(TYPE, &chunk.repeat(16))).await;
    peer.send("1\r\nx\r\n").await;
    let response = peer.response().await;
    assert_eq!(response.status, 413);
    assert!(response.has_line("connection: close"));
    assert_eq!(response.body, br#"{"error":"invalid_request"}"#);
    peer.expect_closed().await;
}

/// An unread body is never parsed as the next request.
#[tokio::test]
async fn refused_body_is_not_the_next_request() {
    let hidden = post(TYPE, FORM);
    let last = "GET / HTTP/1.1\r\nHost: as.example.com\r\nConnection: close\r\n\r\n";
    for (status, request) in [
        (415, post("Content-Type: application/json\r\n", &hidden)),
        (405, post(TYPE, &hidden).replacen("POST", "PUT", 1)),
        (
            413,
            format!("{HEAD}{TYPE}Content-Length: 65537\r\n\r\n{hidden}"),
        ),
        (
            400,
            post(TYPE, &hidden).replacen("/revoke", "/revoke?token=45gh", 1),
        ),
        (
            415,
            post(
                "Content-Type: application/json\r\nExpect: 100-continue\r\n",
                &hidden,
            ),
        ),
    ] {
        let mut peer = Peer::connect().await;
        peer.send(request + last).await;
        assert_eq!(peer.response().await.status, status);
        if let Some(response) = peer.try_response().await {
            assert_eq!(response.status, INNER.as_u16());
            peer.expect_closed().await;
        }
        assert_eq!(peer.revocations.count(), 0);
    }
}

#[tokio::test]
async fn enormous_head_is_431() {
    let mut peer = Peer::connect().await;
    let field = format!("Authorization: Basic {}\r\n", "YTpi".repeat(150 * 1024));
    // The server may stop reading before the end.
    let request = post(&format!("{TYPE}{field}"), FORM);
    peer.stream.write_all(request.as_bytes()).await.ok();
    assert_eq!(peer.response().await.status, 431);
    assert_eq!(peer.revocations.count(), 0);
}
