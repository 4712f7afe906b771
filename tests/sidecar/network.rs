//! Upgrades and floods, at the binary.

use std::{future::pending, time::Duration};

use futures::future::join_all;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Incoming};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tower::service_fn;

use super::{
    http::Http,
    process::{Sidecar, TIMEOUT},
    world::{SHOP, World, bind, serve},
};

async fn soon<T>(happens: impl Future<Output = T>) -> T {
    timeout(TIMEOUT, happens).await.expect("it does not happen")
}

/// A connection to the gateway from this address of the machine.
async fn connect_from(address: &str, sidecar: &Sidecar) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    let own = format!("{address}:0").parse().unwrap();
    socket.bind(own).unwrap();
    let url = sidecar.url("gateway.listen");
    let gateway = url.strip_prefix("http://").unwrap().parse().unwrap();
    soon(socket.connect(gateway)).await.unwrap()
}

/// Reads until the end of a head.
async fn head(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        if soon(stream.read_u8())
            .await
            .map(|byte| read.push(byte))
            .is_err()
        {
            break;
        }
    }
    String::from_utf8(read).unwrap()
}

/// An API whose connections become a WebSocket, and echo their bytes.
async fn echoing() -> String {
    let (listener, url) = bind().await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                head(&mut stream).await;
                let response = b"HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\n\
                    upgrade: websocket\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
                let _ = stream.write_all(response).await;
                let (mut reader, mut writer) = stream.split();
                let _ = tokio::io::copy(&mut reader, &mut writer).await;
            });
        }
    });
    url
}

/// Asks for a WebSocket. Returns the connection and the head of the response.
async fn websocket(sidecar: &Sidecar, path: &str, token: &str) -> (TcpStream, String) {
    let mut client = connect_from("127.0.0.1", sidecar).await;
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\nupgrade: websocket\r\n\
         connection: Upgrade\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         sec-websocket-version: 13\r\n\r\n"
    );
    client.write_all(request.as_bytes()).await.unwrap();
    let response = head(&mut client).await;
    (client, response)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn websocket_passes_on_its_route_until_its_token_is_revoked() {
    let mut world = World::new().await;
    world.upstream = echoing().await;
    let routes = "routes = [{ path = \"/ws\", upgrade = \"websocket\" }]\n";
    let sidecar = world.start(&format!("{routes}{}", world.terminate()));
    let http = Http::to(sidecar.url("gateway.listen"));
    let (token, other) = (world.token(), world.token());
    let (mut first, response) = websocket(&sidecar, "/ws", &token).await;
    assert!(response.starts_with("HTTP/1.1 101 "), "{response}");
    let (mut second, response) = websocket(&sidecar, "/ws", &other).await;
    assert!(response.starts_with("HTTP/1.1 101 "), "{response}");
    let (_, response) = websocket(&sidecar, "/elsewhere", &token).await;
    assert!(!response.starts_with("HTTP/1.1 101 "), "{response}");

    // A masked text frame, "Hello" (RFC 6455 §5.7).
    let frame = *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    for stream in [&mut first, &mut second] {
        stream.write_all(&frame).await.unwrap();
        let mut echoed = [0; 11];
        soon(stream.read_exact(&mut echoed)).await.unwrap();
        assert_eq!(echoed, frame);
    }
    assert_eq!(http.revoke(SHOP, &token).await.status, 200);
    let mut byte = [0];
    let end = timeout(Duration::from_secs(1), first.read(&mut byte));
    let end = end.await.expect("it is cut within a second");
    assert!(end.is_err() || end.is_ok_and(|read| read == 0));
    second.write_all(&frame).await.unwrap();
    let mut echoed = [0; 11];
    soon(second.read_exact(&mut echoed)).await.unwrap();
    assert_eq!(echoed, frame);
    drop(second);
    sidecar.end();
}

/// The connections of this number that were answered. They stay open.
async fn flood(address: &str, number: usize, sidecar: &Sidecar) -> Vec<TcpStream> {
    let asked = join_all((0..number).map(async |_| {
        let mut stream = connect_from(address, sidecar).await;
        let request = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
        // It may be closed already.
        let _ = stream.write_all(request).await;
        let is_answered = head(&mut stream).await.starts_with("HTTP/1.1 401 ");
        is_answered.then_some(stream)
    }));
    asked.await.into_iter().flatten().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flood_of_idle_connections_does_not_shut_others_out() {
    let world = World::new().await;
    let limits =
        "[limits]\nconnections = 200\nconnections_per_address = 80\nidle_timeout = \"1h\"\n";
    let sidecar = world.start(limits);
    // One address has its share, and all of them together have everything.
    let mut open = flood("127.0.0.2", 300, &sidecar).await;
    assert_eq!(open.len(), 80);
    for address in ["127.0.0.3", "127.0.0.4"] {
        let more = flood(address, 80, &sidecar).await;
        assert_eq!(more.len(), 80);
        open.extend(more);
    }
    let http = Http::to(sidecar.url("gateway.listen"));
    for _ in 0..20 {
        assert_eq!(http.get_with("/", &world.token()).await.status, 200);
    }
    drop(open);
    sidecar.end();
}

/// A request over HTTP/2 on this stream, and its reset (RFC 9113 §4.1).
fn reset_request(stream: u32, token: &str) -> Vec<u8> {
    // `GET`, `http` by the static table; the path, the host and the token as literals (RFC 7541).
    let mut block = vec![0x82, 0x86, 0x04, 6];
    block.extend(b"/never");
    block.extend([0x01, 1, b'a', 0x0f, 0x08]);
    let value = format!("Bearer {token}");
    // An integer of more than seven bits, which the rest of it follows.
    let rest = value.len().checked_sub(127).expect("a long token");
    let byte = |number: usize| u8::try_from(number).unwrap();
    block.extend([127, byte(rest % 128) | 128, byte(rest / 128)]);
    block.extend(value.as_bytes());
    let mut frames = vec![0, byte(block.len() / 256), byte(block.len() % 256), 1, 0x5];
    frames.extend(stream.to_be_bytes());
    frames.extend(block);
    frames.extend([0, 0, 4, 3, 0]);
    frames.extend(stream.to_be_bytes());
    frames.extend([0, 0, 0, 8]);
    frames
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flood_of_resets_ends_its_connection_and_others_are_served() {
    let mut world = World::new().await;
    let (listener, url) = bind().await;
    world.upstream = url;
    let api = async |request: Request<Incoming>| {
        if request.uri().path() == "/never" {
            pending::<()>().await;
        }
        Ok(Response::new(Full::default().boxed_unsync()))
    };
    serve(listener, service_fn(api));
    let sidecar = world.start("");
    let token = world.token();
    let flood = async {
        let mut stream = connect_from("127.0.0.2", &sidecar).await;
        let hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
        stream.write_all(hello).await.unwrap();
        let (mut reader, mut writer) = stream.split();
        let flooding = async {
            let mut sent = 0_u32;
            while writer
                .write_all(&reset_request(2 * sent + 1, &token))
                .await
                .is_ok()
            {
                sent += 1;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            sent
        };
        let mut read = Vec::new();
        tokio::join!(flooding, reader.read_to_end(&mut read)).0
    };
    let others = async {
        let http = Http::to(sidecar.url("gateway.listen"));
        for _ in 0..20 {
            assert_eq!(http.get_with("/", &token).await.status, 200);
        }
    };
    let (sent, ()) = soon(async { tokio::join!(flood, others) }).await;
    assert!(sent > 100, "{sent}");
    sidecar.end();
}
