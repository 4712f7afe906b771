//! All ways in which hyper serves a connection.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    server::conn::{http1, http2},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tower::{BoxError, Layer as _, ServiceExt as _, service_fn, util::BoxCloneSyncService};
use tower_revocation::{Outcome, RevocationLayer, RevocationRequest, client::Credentials};

use crate::spawned::connection::{call, inner, revocation, status, status_of_http2};

/// A service of closures and boxed services.
macro_rules! service {
    () => {{
        let authenticator =
            service_fn(async |_: Request<Credentials>| Ok::<_, BoxError>(Some("spa-1")));
        let backend = service_fn(async |_: RevocationRequest<&'static str>| {
            Ok::<_, BoxError>(Outcome::Revoked)
        });
        let backend = BoxCloneSyncService::new(backend);
        let layer = RevocationLayer::new("/revoke", authenticator, backend);
        TowerToHyperService::new(layer.layer(inner()))
    }};
}

#[tokio::test]
async fn over_http1() {
    let (client, server) = tokio::io::duplex(16 * 1024);
    let service = service!();
    tokio::spawn(async move {
        let connection = http1::Builder::new().serve_connection(TokioIo::new(server), service);
        drop(connection.await);
    });
    assert_eq!(status(client, revocation()).await, StatusCode::OK);
}

#[tokio::test]
async fn over_http1_with_upgrades() {
    let (client, server) = tokio::io::duplex(16 * 1024);
    let service = service!();
    tokio::spawn(async move {
        let connection = http1::Builder::new()
            .serve_connection(TokioIo::new(server), service)
            .with_upgrades();
        drop(connection.await);
    });
    assert_eq!(status(client, revocation()).await, StatusCode::OK);
}

#[tokio::test]
async fn over_http1_without_an_adapter() {
    let (client, server) = tokio::io::duplex(16 * 1024);
    let layer = RevocationLayer::new(
        "/revoke",
        service_fn(async |_: Request<Credentials>| Ok::<_, BoxError>(Some("spa-1"))),
        service_fn(async |_: RevocationRequest<&'static str>| Ok::<_, BoxError>(Outcome::Revoked)),
    );
    let service = layer
        .clone()
        .layer(hyper::service::service_fn(inner_of_hyper));
    tokio::spawn(async move {
        let connection = http1::Builder::new().serve_connection(TokioIo::new(server), service);
        drop(connection.await);
    });
    assert_eq!(status(client, revocation()).await, StatusCode::OK);

    let (client, server) = tokio::io::duplex(16 * 1024);
    let service = layer
        .clone()
        .layer(hyper::service::service_fn(inner_of_hyper));
    tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(server), service));
    assert_eq!(status(client, call()).await, StatusCode::IM_A_TEAPOT);

    let (client, server) = tokio::io::duplex(16 * 1024);
    let endpoint = layer.into_endpoint();
    tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(server), endpoint));
    assert_eq!(status(client, revocation()).await, StatusCode::OK);
}

async fn inner_of_hyper(_: Request<Incoming>) -> Result<Response<Empty<Bytes>>, Infallible> {
    let mut response = Response::new(Empty::new());
    *response.status_mut() = StatusCode::IM_A_TEAPOT;
    Ok(response)
}

#[tokio::test]
async fn over_http2() {
    let (client, server) = tokio::io::duplex(16 * 1024);
    let service = service!();
    tokio::spawn(async move {
        let connection = http2::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(server), service);
        drop(connection.await);
    });
    assert_eq!(status_of_http2(client, revocation()).await, StatusCode::OK);
}

#[tokio::test]
async fn over_either_with_upgrades_and_graceful_shutdown() {
    let (client, server) = tokio::io::duplex(16 * 1024);
    let service = service!();
    let graceful = GracefulShutdown::new();
    let watcher = graceful.watcher();
    let connection = tokio::spawn(async move {
        let builder = auto::Builder::new(TokioExecutor::new());
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(server), service);
        drop(watcher.watch(connection).await);
    });
    assert_eq!(status(client, revocation()).await, StatusCode::OK);
    graceful.shutdown().await;
    connection.await.unwrap();
}

#[tokio::test]
async fn endpoint_alone() {
    let authenticator =
        service_fn(async |_: Request<Credentials>| Ok::<_, BoxError>(Some("spa-1")));
    let backend =
        service_fn(async |_: RevocationRequest<&'static str>| Ok::<_, BoxError>(Outcome::Revoked));
    let endpoint = RevocationLayer::new("/", authenticator, backend).into_endpoint();
    assert_eq!(answered!(endpoint, revocation()), StatusCode::OK);
}

#[tokio::test]
async fn one_request_in_a_task() {
    let authenticator =
        service_fn(async |_: Request<Credentials>| Ok::<_, BoxError>(Some("spa-1")));
    let backend =
        BoxCloneSyncService::new(service_fn(async |_: RevocationRequest<&'static str>| {
            Ok::<_, BoxError>(Outcome::Revoked)
        }));
    let endpoint = RevocationLayer::new("/", authenticator, backend).into_endpoint();
    let answer = tokio::spawn(async move { endpoint.oneshot(revocation()).await });
    let Ok(response) = answer.await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

/// In an `async` block, hyper does not accept an inner service with such errors.
#[tokio::test]
async fn inner_service_with_boxed_errors_on_a_connection_outside_a_block() {
    let authenticator =
        service_fn(async |_: Request<Credentials>| Ok::<_, BoxError>(Some("spa-1")));
    let backend = service_fn(async |_: RevocationRequest<&'static str>| {
        Ok::<_, BoxError>(Outcome::IssuedToAnother)
    });
    let inner = service_fn(async |_: Request<Incoming>| {
        Ok::<_, BoxError>(Response::new(Empty::<Bytes>::new()))
    });
    let layer = RevocationLayer::new("/revoke", authenticator, backend);
    let service = TowerToHyperService::new(layer.layer(inner));

    let (client, server) = tokio::io::duplex(16 * 1024);
    let connection = http1::Builder::new().serve_connection(TokioIo::new(server), service);
    tokio::spawn(connection);
    let status = status(client, revocation()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}
