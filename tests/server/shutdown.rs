//! The shutdown of the server.

use futures::future::join4;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{
    http::{C1, Http},
    process::{Server, TIMEOUT, folder},
};

#[tokio::test]
async fn idle_server_ends_at_the_first_signal_with_success() {
    for signal in ["TERM", "INT"] {
        let (_folder, data) = folder();
        let mut server = Server::start(&data);
        let http = Http::to(server.url(""));
        // An idle connection stays open.
        http.get("/.well-known/oauth-authorization-server").await;
        server.signal(signal);
        assert!(server.wait().0.success(), "{signal}");
    }
}

/// Sends half of a revocation. Returns the rest.
pub(crate) async fn half_a_request(server: &Server, token: &str) -> (TcpStream, String) {
    let body = format!("client_id=spa-1&token={token}");
    let (first, rest) = body.split_at(10);
    let head = format!(
        "POST /oauth2/revoke HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    // Now the server is reading the body.
    let mut buffer = [0; 25];
    let read = timeout(TIMEOUT, stream.read_exact(&mut buffer)).await;
    read.expect("the server asks for the body").unwrap();
    assert_eq!(&buffer, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(first.as_bytes()).await.unwrap();
    (stream, rest.to_owned())
}

/// Waits until the server has handled the signal.
pub(crate) async fn until_it_no_longer_listens(server: &Server) {
    let refused = async {
        while TcpStream::connect(&server.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(TIMEOUT, refused)
        .await
        .expect("the server stops listening");
}

#[tokio::test]
async fn request_in_flight_completes_and_new_connections_are_refused() {
    let (_folder, data) = folder();
    let mut server = Server::start(&data);
    let (mut stream, rest) = half_a_request(&server, "unknown").await;
    server.signal("TERM");
    until_it_no_longer_listens(&server).await;
    stream.write_all(rest.as_bytes()).await.unwrap();
    let mut response = String::new();
    let read = timeout(TIMEOUT, stream.read_to_string(&mut response)).await;
    read.expect("the server responds and closes the connection")
        .unwrap();
    assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
    assert!(server.wait().0.success());
}

#[tokio::test]
async fn second_signal_ends_the_server_at_once() {
    let (_folder, data) = folder();
    let mut server = Server::start(&data);
    let _in_flight = half_a_request(&server, "unknown").await;
    server.signal("TERM");
    until_it_no_longer_listens(&server).await;
    server.signal("TERM");
    assert_eq!(server.wait().0.code(), Some(1));
}

#[tokio::test]
async fn confirmed_revocations_hold_after_a_graceful_shutdown() {
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
    // Revoked tokens stay revoked, and live tokens stay live.
    let (access, _) = http.tokens(C1).await;
    assert_eq!(http.me(&access).await.status, 200);
}

#[tokio::test]
async fn idle_connection_is_closed() {
    let (_folder, data) = folder();
    let server = Server::start(&data);
    let answer_until_it_is_closed = async |sent: &str| {
        let mut stream = TcpStream::connect(&server.address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut response = String::new();
        let closed = timeout(TIMEOUT, stream.read_to_string(&mut response)).await;
        closed.expect("the server closes the connection").unwrap();
        response
    };
    let (silent, begun, half, idle) = join4(
        answer_until_it_is_closed(""),
        answer_until_it_is_closed("P"),
        answer_until_it_is_closed("POST / HTTP/1.1\r\nhost"),
        answer_until_it_is_closed("GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n"),
    )
    .await;
    assert_eq!([&*silent, &*begun, &*half], ["", "", ""]);
    assert!(idle.starts_with("HTTP/1.1 200 OK\r\n"), "{idle}");
}
