//! The compression of tower-http around the layer.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, Response, body::Incoming, client::conn::http1::SendRequest, header,
    server::conn::http1,
};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tower::{BoxError, Layer as _, service_fn};
use tower_http::compression::CompressionLayer;
use tower_revocation::{Outcome, RevocationLayer, RevocationRequest, client::Credentials};

/// A connection to a server with compression around the layer. The inner service has a long body.
async fn connect() -> SendRequest<Full<Bytes>> {
    let authenticator = service_fn(async |request: Request<Credentials>| {
        Ok::<_, BoxError>(match request.into_body() {
            Credentials::ClientId { client_id } => Some(client_id),
            _ => None,
        })
    });
    let backend =
        service_fn(async |_: RevocationRequest<String>| Ok::<_, BoxError>(Outcome::Revoked));
    let inner = service_fn(async |_: Request<Incoming>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("inner ".repeat(100))))
    });
    let layered = RevocationLayer::new("/revoke", authenticator, backend).layer(inner);
    let service = TowerToHyperService::new(CompressionLayer::new().layer(layered));

    let (client, server) = tokio::io::duplex(64 * 1024);
    tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(server), service));
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(client))
        .await
        .unwrap();
    tokio::spawn(connection);
    sender
}

#[tokio::test]
async fn compression_keeps_the_empty_200_empty() {
    let mut server = connect().await;
    let request = Request::post("/revoke")
        .header(header::ACCEPT_ENCODING, "gzip")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::from("token=45ghiukldjahdnhzdauz&client_id=spa-1"))
        .unwrap();
    let response = server.send_request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()[header::CONTENT_LENGTH], "0");
    assert!(!response.headers().contains_key(header::CONTENT_ENCODING));
    assert!(
        response
            .into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes()
            .is_empty()
    );

    // Compression is on: it compresses the body of the inner service.
    let request = Request::get("/")
        .header(header::ACCEPT_ENCODING, "gzip")
        .body(Full::default())
        .unwrap();
    let response = server.send_request(request).await.unwrap();
    assert_eq!(response.headers()[header::CONTENT_ENCODING], "gzip");
}
