//! An API that fails, is slow, or answers what cannot be passed on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tower_revocation::proxy::{Upstream, server::Server};

use crate::{
    fixture::{Gateway, ask, get, read_to_end, soon},
    port::free_port,
    versions::{http1, http2},
};

/// An API that answers each head with these bytes, and then closes the connection if `closes`.
struct Scripted {
    url: String,
    requests: Arc<AtomicUsize>,
}

impl Scripted {
    async fn start(response: &'static [u8], closes: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::<AtomicUsize>::default();
        let count = requests.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, response, closes, count.clone()));
            }
        });
        Self { url, requests }
    }
}

async fn answer(mut stream: TcpStream, response: &[u8], closes: bool, count: Arc<AtomicUsize>) {
    let mut read = Vec::new();
    while let Ok(1..) = stream.read_buf(&mut read).await {
        if read.windows(4).any(|part| part == b"\r\n\r\n") {
            count.fetch_add(1, Ordering::SeqCst);
            let _ = stream.write_all(response).await;
            if closes {
                return;
            }
            read.clear();
        }
    }
}

#[tokio::test]
async fn api_that_cannot_be_reached_is_502() {
    let url = format!("http://127.0.0.1:{}", free_port());
    let gateway = Gateway::to(&url).await;
    for client in [http1(), http2()] {
        let response = ask(&client, get(gateway.url("/"))).await;
        assert_eq!(response.status(), 502);
        assert!(response.body().is_empty());
    }
}

#[tokio::test]
async fn response_with_another_coding_than_chunked_is_502() {
    for response in [
        &b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n"[..],
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nx",
    ] {
        let api = Scripted::start(response, true).await;
        let gateway = Gateway::to(&api.url).await;
        let response = ask(&http1(), get(gateway.url("/"))).await;
        assert_eq!(response.status(), 502);
        assert!(response.body().is_empty());
    }
}

#[tokio::test]
async fn request_is_never_sent_twice() {
    for response in [&b""[..], b"HTTP/1.1 200", b"HTTP/9 what\r\n\r\n"] {
        let api = Scripted::start(response, true).await;
        let gateway = Gateway::to(&api.url).await;
        for (sent, method) in [Method::GET, Method::PUT, Method::POST]
            .into_iter()
            .enumerate()
        {
            let mut request = get(gateway.url("/"));
            *request.method_mut() = method;
            let response = ask(&http1(), request).await;
            assert_eq!(response.status(), 502);
            assert!(response.body().is_empty());
            assert_eq!(api.requests.load(Ordering::SeqCst), sent + 1);
        }
    }
}

#[tokio::test]
async fn api_that_never_ends_the_tls_handshake_is_504() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", silent.local_addr().unwrap().port());
    let limit = Duration::from_millis(300);
    let upstream = Upstream::new(&url).unwrap().connect_timeout(limit);
    // The request would wait longer.
    let upstream = upstream.head_timeout(Duration::from_secs(3600));
    let gateway = Gateway::with(upstream, Server::new()).await;
    let response = ask(&http1(), get(gateway.url("/"))).await;
    assert_eq!(response.status(), 504);
}

#[tokio::test]
async fn upload_to_an_api_that_has_responded_and_reads_nothing_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut api, _) = listener.accept().await.unwrap();
        let mut read = [0; 16];
        api.read_exact(&mut read).await.unwrap();
        let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n";
        api.write_all(head).await.unwrap();
        std::future::pending::<()>().await;
    });
    let limit = Duration::from_millis(300);
    let upstream = Upstream::new(&url).unwrap().head_timeout(limit);
    let gateway = Gateway::with(upstream, Server::new()).await;
    let (mut reader, mut writer) = gateway.connect().await.into_split();
    let head = b"POST / HTTP/1.1\r\nhost: a\r\nauthorization: Bearer alice\r\n\
        content-length: 1000000000000\r\n\r\n";
    writer.write_all(head).await.unwrap();
    let part = vec![b'x'; 64 * 1024];
    let uploads = tokio::spawn(async move { while writer.write_all(&part).await.is_ok() {} });
    let mut response = Vec::new();
    let _ = soon(reader.read_to_end(&mut response)).await;
    assert!(response.starts_with(b"HTTP/1.1 200 "));
    soon(uploads).await.unwrap();
}

#[tokio::test]
async fn slow_api_is_504_and_a_slow_client_is_not() {
    let limit = Duration::from_millis(300);
    let api = Scripted::start(b"", false).await;
    let upstream = Upstream::new(&api.url).unwrap().head_timeout(limit);
    let gateway = Gateway::with(upstream, Server::new()).await;
    let begun = Instant::now();
    let response = ask(&http1(), get(gateway.url("/"))).await;
    assert_eq!(response.status(), 504);
    assert!(response.body().is_empty());
    assert!(begun.elapsed() >= limit);

    // The API responds once it has the whole body.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut api, _) = listener.accept().await.unwrap();
        let mut read = Vec::new();
        while !read.ends_with(b"end") {
            assert_ne!(api.read_buf(&mut read).await.unwrap(), 0);
        }
        let response = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        api.write_all(response).await.unwrap();
        read_to_end(&mut api).await
    });
    let upstream = Upstream::new(&url).unwrap().head_timeout(limit);
    let gateway = Gateway::with(upstream, Server::new()).await;
    let mut client = gateway.connect().await;
    let head = "POST / HTTP/1.1\r\nhost: a\r\nauthorization: Bearer alice\r\n\
                connection: close\r\ncontent-length: 6\r\n\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    for part in [&b"a"[..], b"bc", b"end"] {
        sleep(3 * limit).await;
        client.write_all(part).await.unwrap();
    }
    let response = read_to_end(&mut client).await;
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
}

#[tokio::test]
async fn fields_about_the_connection_to_the_api_do_not_pass() {
    let api = Scripted::start(
        b"HTTP/1.1 200 OK\r\nconnection: keep-alive, x-secret\r\nx-secret: 1\r\n\
          keep-alive: timeout=5\r\nproxy-connection: keep-alive\r\nupgrade: h2c\r\n\
          x-public: 2\r\ncontent-length: 0\r\n\r\n",
        false,
    )
    .await;
    let gateway = Gateway::to(&api.url).await;
    for client in [http1(), http2()] {
        let response = ask(&client, get(gateway.url("/"))).await;
        assert_eq!(response.status(), 200);
        let headers = response.headers();
        assert_eq!(headers["x-public"], "2");
        for name in [
            "x-secret",
            "keep-alive",
            "proxy-connection",
            "upgrade",
            "connection",
        ] {
            assert!(!headers.contains_key(name), "{name}");
        }
    }
}

#[tokio::test]
async fn protocol_is_not_switched_without_permission() {
    let websocket = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n\
                      upgrade: websocket\r\n\r\n";
    let another =
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n";
    for (response, path, upgrade) in [
        (&websocket[..], "/", "websocket"),
        (websocket, "/ws", "h2c"),
        (websocket, "/ws/", "websocket"),
        (another, "/ws", "websocket"),
    ] {
        let api = Scripted::start(response, false).await;
        let gateway = Gateway::to(&api.url).await;
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer alice\r\n\
             connection: upgrade\r\nupgrade: {upgrade}\r\n\r\n\
             GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
        );
        let response = gateway.raw(request.as_bytes()).await;
        assert!(
            response.starts_with("HTTP/1.1 502 "),
            "{path} {upgrade}: {response}"
        );
    }
}

#[tokio::test]
async fn other_requests_go_on_after_a_failure() {
    let api = Scripted::start(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", true).await;
    let gateway = Gateway::to(&api.url).await;
    let client = http2();
    let ok = ask(&client, get(gateway.url("/"))).await;
    assert_eq!(ok.status(), 200);
    // A connection that the API has closed is not used again once that is known.
    let request = Request::post(gateway.url("/")).body(Full::<Bytes>::default());
    assert_eq!(ask(&client, request.unwrap()).await.status(), 401);
}
