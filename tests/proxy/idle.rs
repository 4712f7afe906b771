//! Idle connections make room for new ones.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tower_revocation::proxy::server::Server;

use crate::{
    fixture::{Gateway, ask, get, read_to_end, soon},
    floods::{gateway, is_served},
    versions::{http1, http2},
};

#[tokio::test]
async fn idle_connection_makes_room_for_a_new_one() {
    for client in [http1(), http2()] {
        let gateway = gateway(Server::new().max_connections(1)).await;
        assert_eq!(ask(&client, get(gateway.url("/"))).await.status(), 200);
        assert!(is_served(gateway.connect().await).await);
        // The client opens another connection.
        assert_eq!(ask(&client, get(gateway.url("/"))).await.status(), 200);
    }
}

/// A connection that has got a response without a body, and stays open.
async fn idle(gateway: &Gateway) -> TcpStream {
    let mut stream = gateway.connect().await;
    answered(&mut stream).await;
    stream
}

async fn answered(stream: &mut TcpStream) {
    let request = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        assert_ne!(soon(stream.read_buf(&mut read)).await.unwrap(), 0);
    }
    assert!(read.starts_with(b"HTTP/1.1 401 "));
}

#[tokio::test]
async fn connection_that_is_idle_the_longest_makes_room_first() {
    let gateway = gateway(Server::new().max_connections(3)).await;
    let mut busy = idle(&gateway).await;
    let request = b"GET /never HTTP/1.1\r\nhost: a\r\nauthorization: Bearer alice\r\n\r\n";
    busy.write_all(request).await.unwrap();
    let mut longest = idle(&gateway).await;
    let mut other = idle(&gateway).await;
    assert!(is_served(gateway.connect().await).await);
    assert_eq!(read_to_end(&mut longest).await, "");
    answered(&mut other).await;
    let unread = busy.try_read(&mut [0]).unwrap_err();
    assert_eq!(unread.kind(), std::io::ErrorKind::WouldBlock);
}
