//! Floods and slow peers cost the others nothing.

use std::{future::pending, time::Duration};

use futures::future::join_all;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::sleep,
};
use tower_revocation::proxy::{Upstream, server::Server};

use crate::{
    fixture::{Gateway, ask, echo, get, read_to_end, serve, soon},
    versions::http1,
};

pub(crate) async fn gateway(server: Server) -> Gateway {
    let api = serve(async |request| {
        if request.uri().path() == "/never" {
            pending::<()>().await;
        }
        echo(request).await
    })
    .await;
    let upstream = Upstream::new(&format!("http://{api}")).unwrap();
    Gateway::with(upstream, server).await
}

/// A connection from another address of this machine.
pub(crate) async fn connect_from(address: &str, gateway: &Gateway) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket
        .bind(format!("{address}:0").parse().unwrap())
        .unwrap();
    soon(socket.connect(gateway.address)).await.unwrap()
}

const REQUEST: &[u8] =
    b"GET / HTTP/1.1\r\nhost: a\r\nauthorization: Bearer alice\r\nconnection: close\r\n\r\n";

pub(crate) async fn is_served(mut stream: TcpStream) -> bool {
    // The server may have closed the connection already.
    let _ = stream.write_all(REQUEST).await;
    read_to_end(&mut stream).await.starts_with("HTTP/1.1 200 ")
}

#[tokio::test]
async fn connections_of_one_address_leave_room_for_others() {
    let server = Server::new()
        .max_connections(30)
        .max_connections_per_address(20);
    let gateway = gateway(server).await;
    let flood = join_all((0..200).map(|_| connect_from("127.0.0.2", &gateway))).await;
    assert!(is_served(gateway.connect().await).await);
    assert!(!is_served(connect_from("127.0.0.2", &gateway).await).await);
    drop(flood);
    let served_again = async {
        while !is_served(connect_from("127.0.0.2", &gateway).await).await {
            sleep(Duration::from_millis(5)).await;
        }
    };
    soon(served_again).await;
}

#[tokio::test]
async fn connections_beyond_the_limit_wait() {
    let gateway = gateway(Server::new().max_connections(2)).await;
    let mut open = [gateway.connect().await, gateway.connect().await];
    for stream in &mut open {
        // It is accepted once it is answered.
        let request = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut first = [0; 12];
        soon(stream.read_exact(&mut first)).await.unwrap();
        // It is never idle.
        let request = b"GET /never HTTP/1.1\r\nhost: a\r\nauthorization: Bearer alice\r\n\r\n";
        stream.write_all(request).await.unwrap();
    }
    let waiting = tokio::spawn(is_served(gateway.connect().await));
    sleep(Duration::from_millis(200)).await;
    assert!(!waiting.is_finished());
    drop(open);
    assert!(soon(waiting).await.unwrap());
}

#[tokio::test]
async fn slow_heads_end_and_others_are_served() {
    let limit = Duration::from_millis(500);
    let gateway = gateway(Server::new().head_timeout(limit)).await;
    let slow = join_all((0..100).map(async |number| {
        let mut stream = gateway.connect().await;
        if number % 2 == 0 {
            // The second head is slow.
            stream
                .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
                .await
                .unwrap();
        }
        let trickle = async {
            let _ = stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nx: ").await;
            while stream.write_all(b"y").await.is_ok() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        soon(trickle).await;
    }));
    let others = async {
        let client = http1();
        for _ in 0..20 {
            assert_eq!(ask(&client, get(gateway.url("/"))).await.status(), 200);
            sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::join!(slow, others);
}

#[tokio::test]
async fn idle_connection_is_closed_and_a_slow_response_is_not() {
    let limit = Duration::from_millis(300);
    let gateway = gateway(Server::new().idle_timeout(limit)).await;
    let mut waiting = gateway.connect().await;
    let request = b"GET /never HTTP/1.1\r\nhost: a\r\nauthorization: Bearer alice\r\n\r\n";
    waiting.write_all(request).await.unwrap();
    let mut idle = gateway.connect().await;
    idle.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    let response = read_to_end(&mut idle).await;
    assert!(response.starts_with("HTTP/1.1 401 "), "{response}");
    let settings: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
    let mut idle = gateway.connect().await;
    idle.write_all(&[PREFACE, settings].concat()).await.unwrap();
    read_to_end(&mut idle).await;
    let mut byte = [0];
    let read = tokio::time::timeout(3 * limit, waiting.read(&mut byte)).await;
    assert!(read.is_err(), "{read:?}");
}

#[tokio::test]
async fn peer_that_reads_nothing_is_cut() {
    let limit = Duration::from_millis(500);
    let api = serve(async |_| hyper::Response::new(vec![b'x'; 64 * 1024 * 1024].into())).await;
    let upstream = Upstream::new(&format!("http://{api}")).unwrap();
    let server = Server::new().write_timeout(limit).max_connections(1);
    let gateway = Gateway::with(upstream, server).await;
    let mut stream = gateway.connect().await;
    stream.write_all(REQUEST).await.unwrap();
    // There is room once the connection is closed.
    assert!(is_served(gateway.connect().await).await);
    let response = read_to_end(&mut stream).await;
    assert!(response.starts_with("HTTP/1.1 200 "), "{}", response.len());
    assert!(response.len() < 64 * 1024 * 1024);
}

#[tokio::test]
async fn clients_that_read_nothing_do_not_hold_up_the_others_on_the_connection_to_the_api() {
    let api = serve(async |request| {
        let large = request.uri().path() == "/large";
        let len = if large { 64 * 1024 * 1024 } else { 1024 };
        hyper::Response::new(vec![b'x'; len].into())
    })
    .await;
    let gateway = Gateway::to(&format!("h2c://{api}")).await;
    let mut unread = Vec::new();
    for _ in 0..8 {
        let mut stream = gateway.connect().await;
        let request = b"GET /large HTTP/1.1\r\nhost: a\r\nauthorization: Bearer alice\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut first = [0; 12];
        soon(stream.read_exact(&mut first)).await.unwrap();
        unread.push(stream);
    }
    // Their responses fill everything that has a limit.
    sleep(Duration::from_millis(500)).await;
    let response = ask(&http1(), get(gateway.url("/"))).await;
    assert_eq!(response.body().len(), 1024);
}

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A request on this stream that the API never answers, and its reset (RFC 9113 §4.1).
pub(crate) fn reset_request(stream: u32) -> Vec<u8> {
    // `GET`, `http` by the static table; `/never`, `a` and the token as literals (RFC 7541).
    let mut block = vec![0x82, 0x86, 0x04, 6];
    block.extend(b"/never");
    block.extend([0x01, 1, b'a']);
    block.extend([0x0f, 0x08, 12]);
    block.extend(b"Bearer alice");
    let mut frames = vec![0, 0, u8::try_from(block.len()).unwrap(), 1, 0x5];
    frames.extend(stream.to_be_bytes());
    frames.extend(block);
    frames.extend([0, 0, 4, 3, 0]);
    frames.extend(stream.to_be_bytes());
    frames.extend([0, 0, 0, 8]);
    frames
}

#[tokio::test]
async fn flood_of_resets_ends_its_connection_and_others_are_served() {
    let gateway = gateway(Server::new()).await;
    let flood = async {
        let mut stream = gateway.connect().await;
        let settings: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
        stream
            .write_all(&[PREFACE, settings].concat())
            .await
            .unwrap();
        let (mut reader, mut writer) = stream.split();
        let mut read = Vec::new();
        let flooding = async {
            // The stream has gone once the server closes it.
            let mut sent = 0_u32;
            while writer.write_all(&reset_request(2 * sent + 1)).await.is_ok() {
                sent += 1;
                sleep(Duration::from_millis(1)).await;
            }
            sent
        };
        let reading = reader.read_to_end(&mut read);
        let (sent, _) = tokio::join!(flooding, reading);
        sent
    };
    let others = async {
        let client = http1();
        for _ in 0..20 {
            assert_eq!(ask(&client, get(gateway.url("/"))).await.status(), 200);
        }
    };
    let (sent, ()) = soon(async { tokio::join!(flood, others) }).await;
    assert!(sent < 20_000, "{sent}");
}
