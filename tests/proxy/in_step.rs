//! The server follows the messages of a connection as hyper reads them.

use std::{
    convert::Infallible,
    future::pending,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Incoming};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestRunner},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
};
use tower::service_fn;
use tower_revocation::proxy::server::Server;

use crate::fixture::soon;

/// A request with two framings. Whatever comes before it, nobody must receive it.
const BOTH: &[u8] = b"POST /both HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\
    transfer-encoding: chunked\r\n\r\n0\r\n\r\n";

static REQUESTS: AtomicUsize = AtomicUsize::new(0);
static RECEIVED: AtomicBool = AtomicBool::new(false);

async fn receive(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.uri().path() == "/both" {
        RECEIVED.store(true, Ordering::SeqCst);
    }
    REQUESTS.fetch_add(1, Ordering::SeqCst);
    let _ = request.into_body().collect().await;
    Ok(Response::default())
}

fn serve(path: &Path) {
    let listener = UnixListener::bind(path).unwrap();
    let serving = Server::new().serve(listener, service_fn(receive), pending());
    tokio::spawn(serving);
}

async fn send(path: PathBuf, before: Vec<u8>) {
    let mut stream = UnixStream::connect(path).await.unwrap();
    let _ = stream.write_all(&before).await;
    let _ = stream.write_all(BOTH).await;
    let _ = stream.shutdown().await;
    let mut response = Vec::new();
    let _ = soon(stream.read_to_end(&mut response)).await;
}

/// Parts of requests, whole and broken.
fn part() -> impl Strategy<Value = Vec<u8>> {
    let text = |text: &'static str| Just(text.as_bytes().to_vec());
    let size = any::<u8>().prop_map(|size| {
        let size = usize::from(size);
        let data = "x".repeat(size);
        format!("{size:x};ext=1\r\n{data}\r\n").into_bytes()
    });
    let length = any::<u8>().prop_map(|size| {
        let data = "y".repeat(usize::from(size));
        format!("POST /l HTTP/1.1\r\nhost: a\r\ncontent-length: {size}\r\n\r\n{data}").into_bytes()
    });
    prop_oneof![
        4 => text("GET /a HTTP/1.1\r\nhost: a\r\n\r\n"),
        4 => length,
        4 => text("POST /c HTTP/1.1\r\nhost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
        4 => size,
        4 => text("0\r\n\r\n"),
        2 => text("0\r\ncontent-length: 4\r\nx: y\r\n\r\n"),
        1 => text("00; a=\"\r\"\r\n\r\n"),
        1 => text("POST /d HTTP/1.1\nhost: a\ncontent-length: 3\n\nabc"),
        1 => text("GET /e HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n"),
        1 => text("POST /f HTTP/1.1\r\nhost: a\r\ncontent-length: 03\r\ncontent-length: 3\r\n\r\nabc"),
        1 => text("content-length: 9\r\n"),
        1 => text("transfer-encoding: chunked\r\n"),
        1 => text("\r\n"),
        1 => vec(any::<u8>(), 0..20),
    ]
}

#[test]
fn two_framings_are_found_behind_any_request() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    {
        let _entered = runtime.enter();
        serve(&path);
    }
    let mut runner = TestRunner::new(Config {
        cases: 1000,
        failure_persistence: None,
        ..Config::default()
    });
    let checked = runner.run(&vec(part(), 0..6), |parts| {
        runtime.block_on(send(path.clone(), parts.concat()));
        prop_assert!(!RECEIVED.load(Ordering::SeqCst));
        Ok(())
    });
    checked.unwrap();
    // The connection goes on behind whole requests.
    assert!(REQUESTS.load(Ordering::SeqCst) > 500);
}
