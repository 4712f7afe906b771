//! How it ends.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{
    http::{C1, Http},
    process::{Server, folder},
};

#[tokio::test]
async fn idle_server_ends_at_the_first_signal_with_success() {
    for signal in ["TERM", "INT"] {
        let (_folder, data) = folder();
        let mut server = Server::start(&data);
        let http = Http::to(server.url(""));
        // A connection that is kept alive, and idle.
        http.get("/.well-known/oauth-authorization-server").await;
        server.signal(signal);
        assert!(server.wait().0.success(), "{signal}");
    }
}

/// Half of a revocation, whose other half is still to come.
async fn half_a_request(server: &Server, token: &str) -> (TcpStream, String) {
    let body = format!("client_id=spa-1&token={token}");
    let (first, rest) = body.split_at(10);
    let head = format!(
        "POST /oauth2/revoke HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    // The server reads the body by now.
    let mut buffer = [0; 25];
    stream.read_exact(&mut buffer).await.unwrap();
    assert_eq!(&buffer, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(first.as_bytes()).await.unwrap();
    (stream, rest.to_owned())
}

#[tokio::test]
async fn request_in_flight_is_answered_and_new_ones_are_not_taken() {
    let (_folder, data) = folder();
    let mut server = Server::start(&data);
    let (mut stream, rest) = half_a_request(&server, "unknown").await;
    server.signal("TERM");
    // It no longer listens, once it has noticed.
    while TcpStream::connect(&server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    stream.write_all(rest.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(server.wait().0.success());
}

#[tokio::test]
async fn second_signal_ends_it_at_once() {
    let (_folder, data) = folder();
    let mut server = Server::start(&data);
    let _in_flight = half_a_request(&server, "unknown").await;
    server.signal("TERM");
    while TcpStream::connect(&server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    server.signal("TERM");
    assert_eq!(server.wait().0.code(), Some(1));
}

#[tokio::test]
async fn what_was_answered_before_a_graceful_end_is_there_after_it() {
    let (_folder, data) = folder();
    let mut server = Server::start(&data);
    let http = Http::to(server.url(""));
    let (access, refresh) = http.tokens(C1).await;
    assert_eq!(http.revoke(C1, &refresh).await.status, 200);
    server.signal("TERM");
    assert!(server.wait().0.success());

    let server = Server::start(&data);
    let http = Http::to(server.url(""));
    assert_eq!(http.me(&access).await.status, 401);
    // It keeps the dead, and does not kill the living.
    let (access, _) = http.tokens(C1).await;
    assert_eq!(http.me(&access).await.status, 200);
}

#[tokio::test]
async fn connection_that_asks_for_nothing_is_closed() {
    let (_folder, data) = folder();
    let server = Server::start(&data);
    let close = async |sent: &str| {
        let mut stream = TcpStream::connect(&server.address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // Ends when the server does not wait any longer.
        let _ = stream.read_to_end(&mut answer).await;
    };
    futures::future::join3(close(""), close("P"), close("POST / HTTP/1.1\r\nhost")).await;
}
