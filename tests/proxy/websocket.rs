//! WebSocket connections pass on routes that allow them, until their token ends.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};

use tower_revocation::proxy::{ReverseProxy, Upstream, server::Server};

use crate::fixture::{Gateway, read_to_end, soon};

/// An API that accepts a WebSocket and echoes its bytes. The channel gets the head of each request,
/// and then an empty text once its connection is closed.
async fn echoing() -> (String, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, heads) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let sender = sender.clone();
            tokio::spawn(async move {
                let mut read = Vec::new();
                while !read.ends_with(b"\r\n\r\n") {
                    if stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
                        return;
                    }
                }
                sender.send(String::from_utf8(read).unwrap()).unwrap();
                let response = b"HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\n\
                    upgrade: websocket\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
                let _ = stream.write_all(response).await;
                let (mut reader, mut writer) = stream.split();
                let _ = tokio::io::copy(&mut reader, &mut writer).await;
                let _ = sender.send(String::new());
            });
        }
    });
    (url, heads)
}

async fn open(gateway: &Gateway, token: &str) -> TcpStream {
    let mut client = gateway.connect().await;
    let request = format!(
        "GET /ws HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\nupgrade: websocket\r\n\
         connection: keep-alive, Upgrade\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         sec-websocket-version: 13\r\n\r\n"
    );
    client.write_all(request.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        assert_ne!(soon(client.read_buf(&mut read)).await.unwrap(), 0);
    }
    let response = String::from_utf8(read).unwrap();
    assert!(response.starts_with("HTTP/1.1 101 "), "{response}");
    for field in [
        "upgrade: websocket\r\n",
        "connection: upgrade\r\n",
        "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n",
    ] {
        assert!(response.contains(field), "{field}{response}");
    }
    client
}

async fn is_echoed(client: &mut TcpStream, text: &[u8]) {
    client.write_all(text).await.unwrap();
    let mut read = vec![0; text.len()];
    soon(client.read_exact(&mut read)).await.unwrap();
    assert_eq!(read, text);
}

/// A frame that looks like a request with two framings.
const FRAME: &[u8] =
    b"\x82\x50POST / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n";

#[tokio::test]
async fn bytes_pass_in_both_directions_until_the_token_is_revoked() {
    let (url, mut heads) = echoing().await;
    let gateway = Gateway::to(&url).await;
    let mut alice = open(&gateway, "alice").await;
    let head = soon(heads.recv()).await.unwrap();
    for field in [
        "upgrade: websocket\r\n",
        "connection: upgrade\r\n",
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        "x-token-subject: alice\r\n",
    ] {
        assert!(head.contains(field), "{field}{head}");
    }
    let mut bob = open(&gateway, "bob").await;
    soon(heads.recv()).await.unwrap();
    is_echoed(&mut alice, FRAME).await;
    is_echoed(&mut bob, FRAME).await;

    gateway.tokens.revoke("alice").await;
    let closed = timeout(Duration::from_secs(1), read_to_end(&mut alice)).await;
    assert_eq!(closed.expect("it is cut within a second"), "");
    assert_eq!(soon(heads.recv()).await.unwrap(), "");
    is_echoed(&mut bob, b"still here").await;
}

#[tokio::test]
async fn close_of_either_side_closes_the_other() {
    let (url, mut heads) = echoing().await;
    let gateway = Gateway::to(&url).await;
    let mut client = open(&gateway, "alice").await;
    soon(heads.recv()).await.unwrap();
    is_echoed(&mut client, b"one").await;
    client.shutdown().await.unwrap();
    assert_eq!(soon(heads.recv()).await.unwrap(), "");
    assert_eq!(read_to_end(&mut client).await, "");
}

#[tokio::test]
async fn shutdown_cuts_what_is_open_at_its_limit() {
    let (url, mut heads) = echoing().await;
    let limit = Duration::from_millis(500);
    let upstream = Upstream::new(&url).unwrap();
    let server = Server::new().shutdown_timeout(limit);
    let gateway = Gateway::with(upstream, server).await;
    let mut client = open(&gateway, "alice").await;
    soon(heads.recv()).await.unwrap();
    drop(gateway.stop);
    is_echoed(&mut client, b"one").await;
    soon(gateway.serving).await.unwrap();
    assert_eq!(read_to_end(&mut client).await, "");
    assert_eq!(soon(heads.recv()).await.unwrap(), "");
}

#[tokio::test]
async fn websocket_without_a_byte_is_closed_and_a_busy_one_is_not() {
    let (url, mut heads) = echoing().await;
    let limit = Duration::from_secs(1);
    let proxy = ReverseProxy::new(Upstream::new(&url).unwrap()).unwrap();
    let gateway = Gateway::around(proxy.websocket_idle_timeout(limit), Server::new()).await;
    let mut silent = open(&gateway, "alice").await;
    soon(heads.recv()).await.unwrap();
    let mut busy = open(&gateway, "bob").await;
    soon(heads.recv()).await.unwrap();
    let chats = async {
        for _ in 0..20 {
            is_echoed(&mut busy, b"still here").await;
            tokio::time::sleep(limit / 10).await;
        }
    };
    let (rest, ()) = tokio::join!(read_to_end(&mut silent), chats);
    assert_eq!(rest, "");
    assert_eq!(soon(heads.recv()).await.unwrap(), "");
    is_echoed(&mut busy, b"still here").await;
}

#[tokio::test]
async fn refused_token_opens_nothing() {
    let (url, mut heads) = echoing().await;
    let gateway = Gateway::to(&url).await;
    let request = "GET /ws HTTP/1.1\r\nhost: a\r\nauthorization: Bearer forged\r\n\
                   upgrade: websocket\r\nconnection: upgrade\r\n\r\n\
                   GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let response = gateway.raw(request.as_bytes()).await;
    assert!(response.starts_with("HTTP/1.1 401 "), "{response}");
    assert!(heads.try_recv().is_err());
}
