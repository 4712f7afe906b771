//! Bodies of any length pass in both directions, and wait nowhere.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use crate::fixture::{Gateway, PATIENCE, soon};

const LARGE: u64 = 256 * 1024 * 1024;
/// What the sockets, the windows and the buffers of both connections hold, and more.
const HELD: u64 = 64 * 1024 * 1024;
/// A peer that accepts nothing for this long is blocked.
const BLOCKED: Duration = Duration::from_millis(500);

/// Reads a head. Returns it, and the bytes behind it.
async fn head(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let mut read = Vec::new();
    loop {
        if let Some(end) = read.windows(4).position(|part| part == b"\r\n\r\n") {
            let rest = read.split_off(end + 4);
            return (String::from_utf8(read).unwrap(), rest);
        }
        assert_ne!(soon(stream.read_buf(&mut read)).await.unwrap(), 0);
    }
}

/// Writes until the peer takes no more. Returns how many bytes it took.
async fn write_until_blocked(stream: &mut TcpStream, count: &AtomicU64) {
    let part = vec![b'x'; 64 * 1024];
    while let Ok(Ok(written)) = timeout(BLOCKED, stream.write(&part)).await {
        let written = count.fetch_add(written as u64, Ordering::SeqCst) + written as u64;
        if written >= LARGE {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn upload_of_any_length_passes_and_waits_for_the_api() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = Gateway::to(&format!("http://{}", listener.local_addr().unwrap())).await;
    let mut client = gateway.connect().await;
    let request = format!(
        "POST /up HTTP/1.1\r\nhost: a\r\nauthorization: Bearer alice\r\ncontent-length: {LARGE}\r\n\r\n"
    );
    client.write_all(request.as_bytes()).await.unwrap();
    let (mut api, _) = soon(listener.accept()).await.unwrap();
    let (head, rest) = head(&mut api).await;
    assert!(
        head.contains(&format!("content-length: {LARGE}\r\n")),
        "{head}"
    );

    let sent = AtomicU64::new(0);
    write_until_blocked(&mut client, &sent).await;
    let sent = sent.into_inner();
    assert!(sent < HELD, "{sent} bytes wait somewhere");

    // The API reads everything now.
    let reading = async move {
        let mut received = rest.len() as u64;
        let mut buffer = vec![0; 1024 * 1024];
        while received < LARGE {
            let read = api.read(&mut buffer).await.unwrap();
            assert_ne!(read, 0, "{received}");
            received += read as u64;
        }
        let response = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        api.write_all(response).await.unwrap();
        received
    };
    let writing = async {
        let part = vec![b'x'; 1024 * 1024];
        let mut left = LARGE - sent;
        while left > 0 {
            let len = left.min(part.len() as u64);
            let part = &part[..usize::try_from(len).unwrap()];
            client.write_all(part).await.unwrap();
            left -= len;
        }
        let mut response = [0; 15];
        client.read_exact(&mut response).await.unwrap();
        response
    };
    let both = async { tokio::join!(reading, writing) };
    let (received, response) = timeout(4 * PATIENCE, both).await.unwrap();
    assert_eq!(received, LARGE);
    assert_eq!(&response, b"HTTP/1.1 200 OK");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn download_of_any_length_passes_and_waits_for_the_client() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = Gateway::to(&format!("http://{}", listener.local_addr().unwrap())).await;
    let mut client = gateway.connect().await;
    let request = b"GET /down HTTP/1.1\r\nhost: a\r\nauthorization: Bearer alice\r\n\r\n";
    client.write_all(request).await.unwrap();
    let (mut api, _) = soon(listener.accept()).await.unwrap();
    head(&mut api).await;
    let response = format!("HTTP/1.1 200 OK\r\ncontent-length: {LARGE}\r\n\r\n");
    api.write_all(response.as_bytes()).await.unwrap();

    let sent = Arc::new(AtomicU64::new(0));
    write_until_blocked(&mut api, &sent).await;
    let held = sent.load(Ordering::SeqCst);
    assert!(held < HELD, "{held} bytes wait somewhere");

    // The client reads everything now.
    let sending = tokio::spawn(async move {
        let part = vec![b'x'; 1024 * 1024];
        let mut left = LARGE - held;
        while left > 0 {
            let len = left.min(part.len() as u64);
            let part = &part[..usize::try_from(len).unwrap()];
            api.write_all(part).await.unwrap();
            left -= len;
        }
    });
    let (response, rest) = head(&mut client).await;
    assert!(
        response.contains(&format!("content-length: {LARGE}\r\n")),
        "{response}"
    );
    let mut received = rest.len() as u64;
    let mut buffer = vec![0; 1024 * 1024];
    let reading = async {
        while received < LARGE {
            let read = client.read(&mut buffer).await.unwrap();
            assert_ne!(read, 0, "{received}");
            received += read as u64;
        }
    };
    timeout(4 * PATIENCE, reading).await.unwrap();
    sending.await.unwrap();
    assert_eq!(received, LARGE);
}

#[tokio::test]
async fn body_is_asked_for_only_if_the_token_is_live() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = Gateway::to(&format!("http://{}", listener.local_addr().unwrap())).await;
    let expecting = |token: &str| {
        format!(
            "POST / HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\
             expect: 100-continue\r\ncontent-length: 4\r\n\r\n"
        )
    };
    let mut client = gateway.connect().await;
    client
        .write_all(expecting("alice").as_bytes())
        .await
        .unwrap();
    let (mut api, _) = soon(listener.accept()).await.unwrap();
    let (request, mut rest) = head(&mut api).await;
    assert!(!request.contains("expect"), "{request}");
    let (informed, _) = head(&mut client).await;
    assert_eq!(informed, "HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(b"body").await.unwrap();
    while rest.len() < 4 {
        assert_ne!(soon(api.read_buf(&mut rest)).await.unwrap(), 0);
    }
    assert_eq!(rest, b"body");
    let response = b"HTTP/1.1 204 No Content\r\n\r\n";
    api.write_all(response).await.unwrap();
    let (response, _) = head(&mut client).await;
    assert!(response.starts_with("HTTP/1.1 204 "), "{response}");

    let mut client = gateway.connect().await;
    client
        .write_all(expecting("forged").as_bytes())
        .await
        .unwrap();
    let (response, _) = head(&mut client).await;
    assert!(response.starts_with("HTTP/1.1 401 "), "{response}");
}
