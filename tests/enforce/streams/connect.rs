//! `CONNECT`, and the other streams of its connection.

use std::convert::Infallible;

use axum::{Router, routing};
use bytes::Bytes;
use futures::FutureExt as _;
use http_body_util::{BodyExt as _, Empty};
use hyper::{
    Method, Request, Response, Version,
    body::Incoming,
    client::conn::{http1, http2},
    header, server, upgrade,
};
use hyper_util::{
    client::legacy::connect::HttpInfo,
    rt::{TokioExecutor, TokioIo},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy, split},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use tower::{Layer as _, ServiceBuilder, service_fn};
use tower_revocation::enforce::{Abortable, TokenLife};

use crate::streams::{
    aborted,
    fixture::{self, Guarded, get, soon, within_a_second},
};

/// Echoes what comes through the tunnel. In HTTP/2 it waits for the end of the token itself.
async fn tunnel(mut request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, Infallible> {
    assert_eq!(request.method(), Method::CONNECT);
    let life = match request.version() {
        Version::HTTP_2 => request.extensions().get().cloned().unwrap(),
        _ => TokenLife::unwatched(),
    };
    let upgraded = upgrade::on(&mut request);
    tokio::spawn(async move {
        let (mut reader, mut writer) = split(TokioIo::new(upgraded.await.unwrap()));
        tokio::select! {
            _end = life.end() => {}
            _ = copy(&mut reader, &mut writer) => {}
        }
    });
    Ok(Response::new(Empty::new()))
}

/// A connection to a server of tunnels, and a signal for when the server has dropped it.
async fn start(guarded: &Guarded, version: Version) -> (TokioIo<TcpStream>, oneshot::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap());
    let (client, accepted) = tokio::join!(client, listener.accept());
    let io = Abortable::new(accepted.unwrap().0);
    let handle = io.handle();
    let tunnels = ServiceBuilder::new()
        .map_request(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(handle.clone());
            request
        })
        .service(guarded.layer.layer(service_fn(tunnel)));
    let (service, io) = (TowerToHyperService::new(tunnels), TokioIo::new(io));
    let (over, is_over) = oneshot::channel();
    if version == Version::HTTP_2 {
        let http = server::conn::http2::Builder::new(TokioExecutor::new());
        let served = http.serve_connection(io, service);
        tokio::spawn(served.map(|_| over.send(())));
    } else {
        let http = server::conn::http1::Builder::new();
        let served = http.serve_connection(io, service);
        tokio::spawn(served.with_upgrades().map(|_| over.send(())));
    }
    (TokioIo::new(client.unwrap()), is_over)
}

fn connect(token: &str) -> Request<Empty<Bytes>> {
    Request::connect("example.com:443")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Empty::new())
        .unwrap()
}

type Tunnel = TokioIo<upgrade::Upgraded>;

async fn upgraded(response: Response<Incoming>) -> Tunnel {
    assert_eq!(response.status(), 200);
    TokioIo::new(soon(upgrade::on(response)).await.unwrap())
}

/// The tunnel echoes.
async fn assert_echo(tunnel: &mut Tunnel) {
    tunnel.write_all(b"hello").await.unwrap();
    let mut read = [0; 5];
    soon(tunnel.read_exact(&mut read)).await.unwrap();
    assert_eq!(&read, b"hello");
}

#[tokio::test]
async fn an_http1_tunnel_is_aborted() {
    let guarded = Guarded::new().await;
    let (io, _) = start(&guarded, Version::HTTP_11).await;
    let (mut client, connection) = http1::handshake(io).await.unwrap();
    tokio::spawn(connection.with_upgrades());
    let response = soon(client.send_request(connect("alice"))).await.unwrap();
    let mut tunnel = upgraded(response).await;
    assert_echo(&mut tunnel).await;
    assert_eq!(guarded.index.watched(), 1);

    guarded.revoke("alice").await;
    let read_end = within_a_second(tunnel.read(&mut [0; 1])).await;
    // There was nothing left to read, so the connection ends without a reset.
    assert_eq!(read_end.unwrap(), 0);
    assert_eq!(guarded.index.watched(), 0);
}

/// The request has a handle of the connection, but the layer does not use it.
#[tokio::test]
async fn an_http2_tunnel_ends_alone() {
    let guarded = Guarded::new().await;
    let (io, mut is_over) = start(&guarded, Version::HTTP_2).await;
    let (mut client, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let mut tunnels = Vec::new();
    for token in ["alice", "bob"] {
        let response = soon(client.send_request(connect(token))).await.unwrap();
        let mut tunnel = upgraded(response).await;
        assert_echo(&mut tunnel).await;
        tunnels.push(tunnel);
    }

    guarded.revoke("alice").await;
    let read_end = within_a_second(tunnels[0].read(&mut [0; 1])).await;
    assert!(matches!(read_end, Ok(0) | Err(_)), "{read_end:?}");

    assert_echo(&mut tunnels[1]).await;
    assert!(is_over.try_recv().is_err());
}

/// Only an upgraded connection ends with its token. This connection serves many tokens.
#[tokio::test]
async fn a_connection_without_an_upgrade_continues() {
    let guarded = Guarded::new().await;
    let hello = routing::get(|| std::future::ready("hello"));
    let app = Router::new().route("/", hello).layer(guarded.layer.clone());
    let url = format!("http://{}/", aborted::by_hyper_util(app).await);
    let client = fixture::http1();
    let mut connections = Vec::new();
    for token in ["alice", "bob"] {
        let response = get(&client, url.clone(), token).await;
        connections.push(
            response
                .extensions()
                .get::<HttpInfo>()
                .unwrap()
                .local_addr(),
        );
        let body = soon(response.into_body().collect()).await.unwrap();
        assert_eq!(body.to_bytes(), "hello");
        guarded.revoke("alice").await;
    }
    assert_eq!(connections[0], connections[1]);
    assert_eq!(guarded.index.watched(), 0);
}
