//! A server on a Unix socket, whose peers have no address.

use std::convert::Infallible;

use hyper::{Request, Response, body::Incoming};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
    sync::oneshot,
};
use tower::service_fn;
use tower_revocation::{
    client::PeerAddr,
    proxy::server::{Listener, Server},
};

use crate::fixture::soon;

#[tokio::test]
async fn unix_socket_is_served_until_the_shutdown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let service = service_fn(async |request: Request<Incoming>| {
        let has_address = request.extensions().get::<PeerAddr>().is_some();
        Ok::<_, Infallible>(Response::new(format!("{has_address}")))
    });
    let (stop, stopped) = oneshot::channel::<()>();
    let server = Server::new().max_connections_per_address(0);
    let serving = tokio::spawn(server.serve(listener, service, async { drop(stopped.await) }));

    let mut client = UnixStream::connect(&path).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    client.write_all(request).await.unwrap();
    let mut response = String::new();
    soon(client.read_to_string(&mut response)).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
    assert!(response.ends_with("\r\n\r\nfalse"), "{response}");

    drop(stop);
    soon(serving).await.unwrap();
    assert!(UnixStream::connect(&path).await.is_err());
}

#[tokio::test]
async fn only_the_named_users_are_served() {
    let folder = tempfile::tempdir().unwrap();
    let ours = std::os::unix::fs::MetadataExt::uid(&folder.path().metadata().unwrap());
    for (users, is_served) in [(vec![ours], true), (vec![ours + 1], false), (vec![], false)] {
        let path = folder.path().join(format!("socket-{users:?}"));
        let listener = Listener::from(UnixListener::bind(&path).unwrap()).only_users(users);
        let service = service_fn(async |_: Request<Incoming>| {
            Ok::<_, Infallible>(Response::new(String::new()))
        });
        tokio::spawn(Server::new().serve(listener, service, std::future::pending()));
        let mut client = UnixStream::connect(&path).await.unwrap();
        let request = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        // The peer may be gone already.
        let _ = client.write_all(request).await;
        let mut response = String::new();
        let _ = soon(client.read_to_string(&mut response)).await;
        assert_eq!(
            response.starts_with("HTTP/1.1 200 "),
            is_served,
            "{response}"
        );
    }
}
