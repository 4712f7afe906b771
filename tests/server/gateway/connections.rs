//! The gateway closes an idle connection, but not one with a response in progress.

use futures::future::join_all;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{C1, World};
use crate::{events::goes_on, process::TIMEOUT};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// An empty frame (RFC 9113 §6.5).
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

#[tokio::test]
async fn silent_connection_is_closed_and_an_open_stream_is_not() {
    let world = World::new().await;
    let (gateway, http) = world.gateway();
    let token = world.http.own_token(C1).await;
    let mut events = http.events(&token).await;

    let settled = [PREFACE, SETTINGS].concat();
    let begun = [PREFACE, SETTINGS, &[0, 0, 9, 1]].concat();
    let until_closed = async |sent: &[u8]| {
        let mut stream = TcpStream::connect(&gateway.address).await.unwrap();
        stream.write_all(sent).await.unwrap();
        let mut response = Vec::new();
        let closed = timeout(TIMEOUT, stream.read_to_end(&mut response)).await;
        // The connection may also be reset.
        let _ = closed.expect("the gateway closes the connection");
        response
    };
    let responses = join_all(
        [
            &b""[..],
            b"P",
            b"PRI",
            &PREFACE[..23],
            PREFACE,
            &settled,
            &begun,
            b"G",
            b"GET / HTTP/1.1\r\nhost",
            b"GET /gateway/health HTTP/1.1\r\nhost: localhost\r\n\r\n",
        ]
        .map(until_closed),
    )
    .await;
    for silent in &responses[..4] {
        assert!(silent.is_empty());
    }
    assert!(responses[9].starts_with(b"HTTP/1.1 200 OK\r\n"));
    assert!(goes_on(&mut events).await);
}
