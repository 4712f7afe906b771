//! One hyper connection with one request.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{Empty, Full};
use hyper::{Request, Response, StatusCode, body::Incoming, header};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::DuplexStream;
use tower::{Service, service_fn};

/// Spawns a connection for `$service`, and returns the status of the response to `$request`.
///
/// A macro, because the concrete types must be in the spawned block.
macro_rules! answered {
    ($service:expr, $request:expr) => {{
        let service = hyper_util::service::TowerToHyperService::new($service);
        let (client, server) = tokio::io::duplex(16 * 1024);
        tokio::spawn(async move {
            let executor = hyper_util::rt::TokioExecutor::new();
            let server = hyper_util::rt::TokioIo::new(server);
            hyper_util::server::conn::auto::Builder::new(executor)
                .serve_connection(server, service)
                .await
                .map_err(|error| error.to_string())
        });
        crate::spawned::connection::status(client, $request).await
    }};
}

/// A revocation by the public client `spa-1`.
pub(crate) fn revocation() -> Request<Full<Bytes>> {
    Request::post("/revoke")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::from("token=45ghiukldjahdnhzdauz&client_id=spa-1"))
        .unwrap()
}

/// A request to the API, with a token.
pub(crate) fn call() -> Request<Full<Bytes>> {
    Request::get("/")
        .header(header::AUTHORIZATION, "Bearer mF_9.B5f-4.1JqM")
        .body(Full::default())
        .unwrap()
}

pub(crate) async fn status(client: DuplexStream, request: Request<Full<Bytes>>) -> StatusCode {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(client))
        .await
        .unwrap();
    tokio::spawn(connection);
    sender.send_request(request).await.unwrap().status()
}

pub(crate) async fn status_of_http2(
    client: DuplexStream,
    request: Request<Full<Bytes>>,
) -> StatusCode {
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(client))
            .await
            .unwrap();
    tokio::spawn(connection);
    sender.send_request(request).await.unwrap().status()
}

/// An API that returns 204.
pub(crate) fn inner()
-> impl Service<Request<Incoming>, Response = Response<Empty<Bytes>>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ Sync
+ 'static {
    service_fn(async |_: Request<Incoming>| {
        let mut response = Response::new(Empty::new());
        *response.status_mut() = StatusCode::NO_CONTENT;
        Ok(response)
    })
}
