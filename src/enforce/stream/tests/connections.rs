//! What a client sees when its body is cut.

use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

use super::*;

/// A server whose body sends one frame and then stays pending.
macro_rules! served {
    ($server:expr, $io:expr, $index:expr, $protocol:expr) => {{
        let life = $index.life();
        let service = hyper::service::service_fn(move |_: hyper::Request<Incoming>| {
            let body = EnforcedBody::watched(silent(1), life.clone(), $protocol);
            std::future::ready(Ok::<_, Infallible>(hyper::Response::new(body)))
        });
        tokio::spawn($server.serve_connection(TokioIo::new($io), service))
    }};
}

#[tokio::test]
async fn over_http_1_a_cut_is_not_an_end() {
    let (ours, mut client) = duplex(1024);
    let index = Arc::new(Index::default());
    let served = served!(http1::Builder::new(), ours, index, Protocol::Http);
    client
        .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    let mut response = Vec::new();
    while !response.ends_with(b"4\r\ndata\r\n") {
        assert_ne!(client.read_buf(&mut response).await.unwrap(), 0);
    }

    index.revoke();

    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    // No last chunk (RFC 9112 §8): the message is incomplete.
    assert_eq!(rest, b"");
    assert!(served.await.unwrap().is_err());
}

#[tokio::test]
async fn over_http_2_a_cut_resets_the_stream_and_grpc_gets_trailers() {
    for protocol in [Protocol::Http, Protocol::Grpc] {
        let (ours, theirs) = duplex(1024);
        let index = Arc::new(Index::default());
        served!(
            http2::Builder::new(TokioExecutor::new()),
            ours,
            index,
            protocol
        );
        let (mut client, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(theirs))
                .await
                .unwrap();
        tokio::spawn(connection);
        let request = hyper::Request::new(Full::<Bytes>::default());
        let mut body = client.send_request(request).await.unwrap().into_body();
        assert!(body.frame().await.unwrap().unwrap().is_data());

        index.revoke();

        let last = body.frame().await.unwrap();
        if protocol == Protocol::Grpc {
            assert_eq!(last.unwrap().into_trailers().unwrap()["grpc-status"], "16");
            assert!(body.frame().await.is_none());
        } else {
            assert!(last.is_err());
        }
    }
}
