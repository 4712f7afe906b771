//! How the body of a request is framed.

use tokio::io::AsyncWriteExt as _;

use super::{BASIC, FORM, HEAD, INNER, Peer, TYPE, chunked, post};

#[tokio::test]
async fn success_is_an_empty_200() {
    let (response, revocations) = Peer::ask(post(TYPE, FORM)).await;
    assert_eq!((response.status, revocations), (200, 1));
    assert!(response.has_line("content-length: 0"));
    assert!(response.has_line("cache-control: no-store"));
    for absent in [
        "\ncontent-type",
        "\ntransfer-encoding",
        "\nwww-authenticate",
    ] {
        assert!(!response.head.contains(absent), "{}", response.head);
    }
}

#[tokio::test]
async fn pipelined_requests_get_responses_in_order() {
    let mut peer = Peer::connect().await;
    let foreign = post(TYPE, "token=foreign&client_id=spa-1");
    let last = post(&format!("{TYPE}Connection: close\r\n"), FORM);
    let other = "GET / HTTP/1.1\r\nHost: as.example.com\r\n\r\n";
    peer.send([&post(TYPE, FORM), &foreign, other, &last].concat())
        .await;
    for status in [200, 400, INNER.as_u16(), 200] {
        assert_eq!(peer.response().await.status, status);
    }
    peer.expect_closed().await;
    assert_eq!(peer.revocations.count(), 3);
}

#[tokio::test]
async fn chunked_form_is_accepted() {
    let mut chunks: Vec<_> = FORM.chars().map(|c| format!("1\r\n{c}\r\n")).collect();
    chunks.push("0\r\n\r\n".to_owned());
    let (response, revocations) = Peer::ask(chunked(TYPE, &chunks.concat())).await;
    assert_eq!((response.status, revocations), (200, 1));
}

/// RFC 9110 §6.5.1: trailers are not merged into the head.
#[tokio::test]
async fn credentials_in_trailers_are_ignored() {
    let body = format!("d\r\ntoken=foreign\r\n0\r\n{BASIC}\r\n");
    let (response, revocations) = Peer::ask(chunked(TYPE, &body)).await;
    assert_eq!((response.status, revocations), (401, 0));

    let body = "b\r\nclient_id=a\r\n0\r\ntoken: 45ghiukldjahdnhzdauz\r\n\r\n";
    let (response, revocations) = Peer::ask(chunked(TYPE, body)).await;
    assert_eq!((response.status, revocations), (400, 0));
}

#[tokio::test]
async fn http_1_0_is_served() {
    let length = FORM.len();
    let mut peer = Peer::connect().await;
    peer.send(format!(
        "POST /revoke HTTP/1.0\r\n{TYPE}Content-Length: {length}\r\n\r\n{FORM}"
    ))
    .await;
    let response = peer.response().await;
    assert_eq!(response.status, 200);
    assert!(response.has_line("content-length: 0"));
    peer.expect_closed().await;
    assert_eq!(peer.revocations.count(), 1);
}

#[tokio::test]
async fn truncated_body_revokes_nothing() {
    for request in [
        post(TYPE, FORM).trim_end_matches("-1").to_owned(),
        // The form is complete, but its framing is not.
        chunked(TYPE, &format!("{:x}\r\n{FORM}\r\n", FORM.len())),
    ] {
        let mut peer = Peer::connect().await;
        peer.send(request).await;
        peer.stream.get_mut().shutdown().await.unwrap();
        if let Some(response) = peer.try_response().await {
            assert_eq!(response.status, 400);
            peer.expect_closed().await;
        }
        assert_eq!(peer.revocations.count(), 0);
    }
}

/// Without framing the body is empty (RFC 9112 §6.3).
#[tokio::test]
async fn request_without_framing_has_no_form() {
    let (response, revocations) = Peer::ask(format!("{HEAD}{TYPE}{BASIC}\r\n")).await;
    assert_eq!((response.status, revocations), (400, 0));
    let (response, revocations) = Peer::ask(format!("{HEAD}{TYPE}\r\n")).await;
    assert_eq!((response.status, revocations), (401, 0));
}

#[tokio::test]
async fn chunked_framing_overrides_the_length() {
    let fields = format!("{TYPE}Content-Length: 1000000\r\n");
    let body = format!("{:x}\r\n{FORM}\r\n0\r\n\r\n", FORM.len());
    let mut peer = Peer::connect().await;
    peer.send(chunked(&fields, &body)).await;
    // A server may refuse it (RFC 9112 §6.1), but must not use the length.
    let response = peer.response().await;
    assert!(matches!(response.status, 200 | 400), "{response:?}");
    assert_eq!(
        peer.revocations.count(),
        usize::from(response.status == 200)
    );
}

#[tokio::test]
async fn two_lengths_are_400() {
    let (response, revocations) =
        Peer::ask(post(&format!("{TYPE}Content-Length: 7\r\n"), FORM)).await;
    assert_eq!((response.status, revocations), (400, 0));
}
