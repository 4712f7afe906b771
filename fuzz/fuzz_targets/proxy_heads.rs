//! Any bytes on a connection to the proxy.
//!
//! ```sh
//! cargo fuzz run --sanitizer none proxy_heads fuzz/corpus/proxy_heads fuzz/seeds/proxy_heads
//! ```
//!
//! A request with two framings follows the bytes. Nobody must receive it, whatever comes before it.

#![no_main]

use std::{convert::Infallible, future::pending, sync::LazyLock, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Incoming, header::HeaderName};
use libfuzzer_sys::fuzz_target;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
    runtime::{Builder, Runtime},
};
use tower::{Layer as _, service_fn};
use tower_revocation::proxy::{IdentityHeaders, SanitizeLayer, SanitizedBody, server::Server};

const BOTH: &[u8] = b"POST /both-framings HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\
    transfer-encoding: chunked\r\n\r\n0\r\n\r\n";

/// The fields that no API may receive, however they are written.
const FIELDS: [&str; 9] = [
    "connection",
    "forwarded",
    "keep-alive",
    "proxy-authorization",
    "remote-user",
    "transfer-encoding",
    "upgrade",
    "x-real-ip",
    "x-token-subject",
];

async fn receive(
    request: Request<SanitizedBody<Incoming>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    assert_ne!(request.uri().path(), "/both-framings");
    assert!(request.uri().path().starts_with('/'));
    check(request.headers().keys());
    if let Ok(body) = request.into_body().collect().await {
        if let Some(trailers) = body.trailers() {
            check(trailers.keys());
        }
    }
    Ok(Response::default())
}

fn check<'a>(names: impl Iterator<Item = &'a HeaderName>) {
    for name in names {
        let spelled = name.as_str().replace(['_', '.'], "-");
        assert!(!FIELDS.contains(&&*spelled), "{name}");
    }
}

static SERVER: LazyLock<(Runtime, String)> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let path = std::env::temp_dir().join(format!("proxy-heads-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let identity = IdentityHeaders::new().subject(HeaderName::from_static("x-token-subject"));
    let service = SanitizeLayer::new()
        .identity(identity)
        .set_forwarded(false)
        .layer(service_fn(receive));
    runtime.block_on(async {
        let listener = UnixListener::bind(&path).unwrap();
        let server = Server::new().head_timeout(Duration::from_secs(1));
        tokio::spawn(server.serve(listener, service, pending()));
    });
    (runtime, path.to_str().unwrap().to_owned())
});

fuzz_target!(|data: &[u8]| {
    if data.windows(5).any(|part| part == b"/both") {
        return;
    }
    let (runtime, path) = &*SERVER;
    runtime.block_on(async {
        let mut stream = UnixStream::connect(path).await.unwrap();
        // The server closes the connection after a malformed request.
        let _ = stream.write_all(data).await;
        let _ = stream.write_all(BOTH).await;
        let _ = stream.shutdown().await;
        let mut response = Vec::new();
        let _ = stream.read_to_end(&mut response).await;
    });
});
