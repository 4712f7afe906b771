//! Trailers pass without the fields that mean something only in a head.

use std::{convert::Infallible, future::pending};

use bytes::Bytes;
use futures::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::{
    HeaderMap, Request, Response,
    body::{Frame, Incoming},
    header::HeaderName,
};
use tokio::net::TcpListener;
use tower::service_fn;
use tower_revocation::proxy::server::Server;

use crate::{
    fixture::{Gateway, get, serve, soon},
    versions::{http1, http2},
};

#[tokio::test]
async fn trailers_lose_what_an_api_could_take_for_a_checked_field() {
    // The response names the trailers.
    let api = serve(async |request| {
        let body = request.into_body().collect().await.unwrap();
        let trailers = body.trailers().cloned().unwrap_or_default();
        let mut names: Vec<_> = trailers.keys().map(ToString::to_string).collect();
        names.sort_unstable();
        Response::new(names.join(",").into())
    })
    .await;
    let gateway = Gateway::to(&format!("h2c://{api}")).await;
    let removed: String = [
        "authorization",
        "cookie",
        "host",
        "content-length",
        "transfer-encoding",
        "content-type",
        "expect",
        "dpop",
        "Cache_Control",
        "if.match",
        "x_http_method_override",
        "x-method-override",
        "x-token-subject",
        "X_Token.Subject",
        "x-forwarded-for",
        "te",
        "connection",
        "upgrade",
    ]
    .iter()
    .flat_map(|name| [name, ": x\r\n"])
    .collect();
    let request = format!(
        "POST / HTTP/1.1\r\nhost: a\r\nauthorization: Bearer alice\r\nconnection: close\r\n\
         transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n{removed}grpc-status: 0\r\nx-checksum: 1\r\n\r\n"
    );
    let response = gateway.raw(request.as_bytes()).await;
    assert!(
        response.ends_with("\r\n\r\ngrpc-status,x-checksum"),
        "{response}"
    );
}

const REMOVED: [&str; 11] = [
    "set-cookie",
    "Set_Cookie",
    "content-length",
    "content-type",
    "content.encoding",
    "cache-control",
    "www-authenticate",
    "location",
    "keep_alive",
    "proxy-authenticate",
    "dpop-nonce",
];
const KEPT: [&str; 5] = [
    "etag",
    "grpc-message",
    "grpc-status",
    "grpc-status-details-bin",
    "user-checksum",
];

#[tokio::test]
async fn trailers_of_a_response_lose_what_a_client_could_take_for_its_head() {
    let service = service_fn(async |_: Request<Incoming>| {
        let names = [&REMOVED[..], &KEPT].concat();
        let trailers: HeaderMap = names
            .iter()
            .map(|name| {
                let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
                (name, "0".parse().unwrap())
            })
            .collect();
        let frames = [
            Ok::<_, Infallible>(Frame::data(Bytes::from("hi"))),
            Ok(Frame::trailers(trailers)),
        ];
        // HTTP/1.1 sends those that the head names.
        let response = Response::builder().header("trailer", names.join(", "));
        Ok::<_, Infallible>(
            response
                .body(StreamBody::new(stream::iter(frames)))
                .unwrap(),
        )
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api = listener.local_addr().unwrap();
    tokio::spawn(Server::new().serve(listener, service, pending()));
    for scheme in ["http", "h2c"] {
        let gateway = Gateway::to(&format!("{scheme}://{api}")).await;
        for client in [http1(), http2()] {
            let mut request = get(gateway.url("/"));
            let te = "trailers".parse().unwrap();
            request.headers_mut().insert("te", te);
            let response = soon(client.request(request)).await.unwrap();
            let body = soon(response.into_body().collect()).await.unwrap();
            let trailers = body.trailers().unwrap();
            let mut passed: Vec<_> = trailers.keys().map(HeaderName::as_str).collect();
            passed.sort_unstable();
            assert_eq!(passed, KEPT, "{scheme}");
            assert_eq!(body.to_bytes(), "hi");
        }
    }
}
