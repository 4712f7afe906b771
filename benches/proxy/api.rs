//! The API behind the proxies.

use std::{convert::Infallible, net::SocketAddr};

use bytes::Bytes;
use futures::stream;
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    Request, Response,
    body::{Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// The end of each response that is complete.
pub(crate) const END: &str = "}]}\n";

/// How long a large body is.
pub(crate) const LARGE: u64 = 1 << 30;

const ACCOUNT: &str = r#"{"accounts":[{"id":"de58fc1a","name":"current account","balance":"1204.11"}]}
"#;

/// The first event of `/events`.
pub(crate) const EVENT: &str = "data: 0\n\n";

const CHUNK: Bytes = Bytes::from_static(&[b'x'; 64 << 10]);

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Serves on a free port, in this runtime.
pub(crate) async fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            stream.set_nodelay(true).expect("a TCP connection");
            let served =
                http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(respond));
            tokio::spawn(served);
        }
    });
    address
}

async fn respond(request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let body = match request.uri().path() {
        "/large" => large(),
        "/events" => events(),
        _ => {
            let mut body = request.into_body();
            // The benchmark waits for the response, so it notices an upload that fails.
            while let Some(Ok(_)) = body.frame().await {}
            Full::from(ACCOUNT).boxed_unsync()
        }
    };
    Ok(Response::new(body))
}

fn large() -> Body {
    let chunks = LARGE / CHUNK.len() as u64;
    let frames = (0..chunks).map(|_| Ok(Frame::data(CHUNK)));
    StreamBody::new(stream::iter(frames)).boxed_unsync()
}

/// One event, and then nothing for ever.
fn events() -> Body {
    let first = stream::iter([Ok(Frame::data(Bytes::from_static(EVENT.as_bytes())))]);
    StreamBody::new(futures::StreamExt::chain(first, stream::pending())).boxed_unsync()
}
