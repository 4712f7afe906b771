//! Requests that proxies and APIs have read differently. None hides a second one.

use crate::fixture::{Gateway, Recorder, soon};

/// What follows every request. It has no token, so it must never reach the API.
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nhost: a.example\r\n\r\n";

/// Sends a request with a token, and the hidden one behind it. Returns the status, and what the API
/// received.
async fn send(request: &str) -> (String, String) {
    let api = Recorder::start().await;
    let gateway = Gateway::to(&format!("http://{}", api.address)).await;
    let token = "authorization: Bearer alice\r\n";
    let (line, rest) = request.split_once("\r\n").unwrap();
    // The gateway closes the connection after the last one.
    let last = "GET /last HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n\r\n";
    let sent = format!("{line}\r\n{token}{rest}{HIDDEN}{last}");
    let response = soon(gateway.raw(sent.as_bytes())).await;
    let status = response.split(' ').nth(1).unwrap_or_default().to_owned();
    let received = api.received();
    assert!(!received.contains("hidden"), "{received}");
    assert!(!received.contains("/last"), "{received}");
    (status, received)
}

async fn is_refused(request: &str) {
    let (status, received) = send(request).await;
    assert_eq!((&*status, &*received), ("400", ""), "{request}");
}

/// A test for each request that is refused with 400, and never reaches the API.
macro_rules! refused {
    ($($name:ident: $request:expr;)+) => {
        $(
            #[tokio::test]
            async fn $name() {
                is_refused($request).await;
            }
        )+
    };
}

refused! {
    host_is_missing: "GET / HTTP/1.1\r\n\r\n";
    host_is_there_twice: "GET / HTTP/1.1\r\nhost: a.example\r\nhost: a.example\r\n\r\n";
    two_hosts: "GET / HTTP/1.1\r\nhost: a.example\r\nhost: b.example\r\n\r\n";
    host_is_not_that_of_the_target:
        "GET http://b.example/ HTTP/1.1\r\nhost: a.example\r\n\r\n";
    connect: "CONNECT a.example:80 HTTP/1.1\r\nhost: a.example:80\r\n\r\n";
    options_of_the_server: "OPTIONS * HTTP/1.1\r\nhost: a.example\r\n\r\n";
    length_and_coding:
        "POST / HTTP/1.1\r\nhost: a.example\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    coding_and_length:
        "POST / HTTP/1.1\r\nhost: a.example\r\nTransfer-Encoding: chunked\r\nContent-Length: 50\r\n\r\n0\r\n\r\n";
    length_and_coding_without_returns:
        "POST / HTTP/1.1\r\nhost: a.example\ncontent-length: 5\ntransfer-encoding: chunked\n\n0\r\n\r\n";
    different_lengths:
        "POST / HTTP/1.1\r\nhost: a.example\r\ncontent-length: 0\r\ncontent-length: 44\r\n\r\n";
    signed_length: "POST / HTTP/1.1\r\nhost: a.example\r\ncontent-length: +0\r\n\r\n";
    negative_length: "POST / HTTP/1.1\r\nhost: a.example\r\ncontent-length: -1\r\n\r\n";
    list_of_lengths: "POST / HTTP/1.1\r\nhost: a.example\r\ncontent-length: 0, 44\r\n\r\n";
    unknown_coding: "POST / HTTP/1.1\r\nhost: a.example\r\ntransfer-encoding: xchunked\r\n\r\n";
    coding_after_chunked:
        "POST / HTTP/1.1\r\nhost: a.example\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n";
    chunked_twice:
        "POST / HTTP/1.1\r\nhost: a.example\r\ntransfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n";
    coding_of_an_old_version:
        "POST / HTTP/1.0\r\nhost: a.example\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    space_before_the_colon:
        "POST / HTTP/1.1\r\nhost: a.example\r\ntransfer-encoding : chunked\r\n\r\n0\r\n\r\n";
    folded_field:
        "POST / HTTP/1.1\r\nhost: a.example\r\nx: y\r\n transfer-encoding: chunked\r\n\r\n";
    chunked_get:
        "GET / HTTP/1.1\r\nhost: a.example\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    zero_byte_in_a_value: "GET / HTTP/1.1\r\nhost: a.example\r\nx: a\0b\r\n\r\n";
    field_that_connection_must_not_name:
        "GET / HTTP/1.1\r\nhost: a.example\r\nconnection: authorization\r\n\r\n";
}

#[tokio::test]
async fn other_codings_than_chunked_are_501() {
    for codings in [
        "transfer-encoding: gzip, chunked\r\n",
        "transfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: xchunked, chunked\r\n",
        "transfer-encoding: , chunked\r\n",
    ] {
        let head = format!("POST / HTTP/1.1\r\nhost: a.example\r\n{codings}\r\n0\r\n\r\n");
        let (status, received) = send(&head).await;
        assert_eq!((&*status, &*received), ("501", ""), "{codings}");
    }
}

#[tokio::test]
async fn coding_in_another_spelling_does_not_pass() {
    let request = "POST / HTTP/1.1\r\nhost: a.example\r\ncontent-length: 0\r\ntransfer_encoding: chunked\r\n\r\n";
    let (status, received) = send(request).await;
    assert_eq!(status, "200");
    assert!(!received.contains("transfer"), "{received}");
    assert!(received.contains("content-length: 0\r\n"), "{received}");
}

#[tokio::test]
async fn repeated_equal_length_is_sent_on_once() {
    let request =
        "POST / HTTP/1.1\r\nhost: a.example\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nhi";
    let (status, received) = send(request).await;
    assert_eq!(status, "200");
    assert_eq!(received.matches("content-length: 2\r\n").count(), 1);
    assert!(received.ends_with("\r\n\r\nhi"), "{received}");
}

#[tokio::test]
async fn broken_chunk_ends_both_connections() {
    for chunks in [
        "x\r\n",
        "5\r\nabcdeX\r\n",
        "fffffffffffffffff\r\n",
        "-1\r\n",
    ] {
        let head = "POST / HTTP/1.1\r\nhost: a.example\r\ntransfer-encoding: chunked\r\n\r\n";
        let (status, received) = send(&format!("{head}{chunks}0\r\n\r\n")).await;
        assert_ne!(status, "200", "{chunks}");
        assert!(!received.contains("\r\n0\r\n\r\n"), "{received}");
    }
}

#[tokio::test]
async fn second_request_on_a_connection_is_checked_too() {
    let api = Recorder::start().await;
    let gateway = Gateway::to(&format!("http://{}", api.address)).await;
    let first = "POST /a HTTP/1.1\r\nhost: a.example\r\nauthorization: Bearer alice\r\ntransfer-encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\n\r\n";
    let second = "POST /b HTTP/1.1\r\nhost: a.example\r\nauthorization: Bearer alice\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    let response = gateway
        .raw(format!("{first}{second}{HIDDEN}").as_bytes())
        .await;
    let statuses: Vec<_> = response
        .split("HTTP/1.1 ")
        .skip(1)
        .map(|response| &response[..3])
        .collect();
    assert_eq!(statuses, ["200", "400"], "{response}");
    let received = api.received();
    assert!(
        received.starts_with("POST /a ") && !received.contains("/b"),
        "{received}"
    );
}

#[tokio::test]
async fn identity_cannot_be_forged_in_any_spelling() {
    let api = Recorder::start().await;
    let gateway = Gateway::to(&format!("http://{}", api.address)).await;
    let forged: String = [
        "x-token-subject",
        "X_Token_Subject",
        "X.Token.Subject",
        "x-token_session",
        "x~token~client",
    ]
    .iter()
    .flat_map(|name| [name, ": root\r\n"])
    .collect();
    let request = format!(
        "GET / HTTP/1.1\r\nhost: a.example\r\nauthorization: Bearer alice\r\n{forged}\
         connection: close, x-token-subject, x-forwarded-for\r\nx-forwarded-for: 10.0.0.1\r\n\r\n"
    );
    let response = gateway.raw(request.as_bytes()).await;
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
    let received = api.received();
    assert!(!received.contains("root"), "{received}");
    for line in [
        "x-token-subject: alice\r\n",
        "x-token-client: s6BhdRkqt3\r\n",
        "x-token-session: \r\n",
        "x-forwarded-for: 127.0.0.1\r\n",
        "x-forwarded-proto: http\r\n",
        "x-forwarded-host: a.example\r\n",
        "authorization: Bearer alice\r\n",
        "via: 1.1 gateway\r\n",
    ] {
        assert!(received.contains(line), "{line}{received}");
    }
}
