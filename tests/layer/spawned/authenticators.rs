//! Authenticators with boxed errors.

use std::time::Duration;

use hyper::{Request, StatusCode};
use tower::{BoxError, Layer as _, service_fn, timeout::Timeout, util::BoxCloneSyncService};
use tower_revocation::{
    Outcome, RevocationLayer, RevocationRequest,
    client::{Credentials, limit::LimitFailuresLayer},
};

use crate::spawned::connection::{inner, revocation};

/// The layer with this authenticator around an API.
macro_rules! layered {
    ($authenticator:expr, $client:ty) => {{
        let backend =
            service_fn(async |_: RevocationRequest<$client>| Ok::<_, BoxError>(Outcome::Revoked));
        RevocationLayer::new("/revoke", $authenticator, backend).layer(inner())
    }};
}

#[tokio::test]
async fn closure_with_boxed_errors() {
    let authenticator = service_fn(async |request: Request<Credentials>| {
        Ok::<_, BoxError>(match request.into_body() {
            Credentials::ClientId { client_id } => Some(client_id),
            _ => None,
        })
    });
    let service = layered!(authenticator, String);
    assert_eq!(answered!(service, revocation()), StatusCode::OK);
}

#[tokio::test]
async fn closure_that_fails() {
    let authenticator = service_fn(async |_: Request<Credentials>| {
        Err::<Option<String>, _>(BoxError::from("the directory is down"))
    });
    let service = layered!(authenticator, String);
    let answer = answered!(service, revocation());
    assert_eq!(answer, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn closure_with_a_static_client() {
    let authenticator =
        service_fn(async |_: Request<Credentials>| Ok::<_, BoxError>(Some("spa-1")));
    let service = layered!(authenticator, &'static str);
    assert_eq!(answered!(service, revocation()), StatusCode::OK);
}

#[tokio::test]
async fn boxed_service() {
    let authenticator =
        service_fn(async |_: Request<Credentials>| Ok::<_, BoxError>(None::<String>));
    let authenticator = BoxCloneSyncService::new(authenticator);
    let service = layered!(authenticator, String);
    assert_eq!(answered!(service, revocation()), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn service_behind_a_timeout() {
    let authenticator = service_fn(async |_: Request<Credentials>| Ok::<_, BoxError>(Some(())));
    let authenticator = Timeout::new(authenticator, Duration::from_secs(10));
    let service = layered!(authenticator, ());
    assert_eq!(answered!(service, revocation()), StatusCode::OK);
}

#[tokio::test]
async fn limited_closure() {
    let authenticator = service_fn(async |_: Request<Credentials>| Ok::<_, BoxError>(Some("spa")));
    let service = layered!(LimitFailuresLayer::new().layer(authenticator), &'static str);
    assert_eq!(answered!(service, revocation()), StatusCode::OK);
}

#[tokio::test]
async fn limited_boxed_service() {
    let authenticator = service_fn(async |_: Request<Credentials>| Ok::<_, BoxError>(Some(7_u8)));
    let authenticator = BoxCloneSyncService::new(authenticator);
    let authenticator = LimitFailuresLayer::new().layer(authenticator);
    let authenticator = Timeout::new(authenticator, Duration::from_secs(10));
    let service = layered!(authenticator, u8);
    assert_eq!(answered!(service, revocation()), StatusCode::OK);
}
