//! Idle connections make room for new ones.

use std::{convert::Infallible, future::pending, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tower::service_fn;
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

#[tokio::test]
async fn peer_that_reads_late_gets_the_whole_response() {
    const LENGTH: usize = 64 * 1024 * 1024;
    let service = service_fn(async |_: Request<Incoming>| {
        let body = Bytes::from(vec![b'a'; LENGTH]);
        Ok::<_, Infallible>(Response::new(Full::new(body)))
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::new().idle_timeout(Duration::from_millis(100));
    tokio::spawn(server.serve(listener, service, pending()));

    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    stream.write_all(request).await.unwrap();
    // Longer than the server waits for an idle peer to close the connection.
    sleep(Duration::from_secs(6)).await;
    let mut read = Vec::new();
    while read.len() < LENGTH {
        assert_ne!(soon(stream.read_buf(&mut read)).await.unwrap(), 0);
    }
    // The connection is idle now.
    while soon(stream.read_buf(&mut read)).await.unwrap() > 0 {}
    assert!(read.len() > LENGTH);
}
