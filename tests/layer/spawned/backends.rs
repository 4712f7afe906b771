//! Backends with boxed errors.

use std::time::Duration;

use hyper::{Request, StatusCode};
use tower::{
    BoxError, Layer as _, ServiceBuilder, ServiceExt as _, service_fn,
    timeout::Timeout,
    util::{BoxCloneService, BoxCloneSyncService},
};
use tower_revocation::{
    ByHint, Outcome, RevocationLayer, RevocationRequest, Secret,
    client::Credentials,
    introspect::{ByFormat, Introspection, TokenKind},
    log::{MemoryLog, NumericDate, Selector},
    revoke::RecordRevocation,
};

use crate::spawned::connection::{inner, revocation};

/// The status of a revocation with this backend.
macro_rules! revoked {
    ($backend:expr, $client:ty) => {{
        let authenticator = service_fn(async |_: Request<Credentials>| {
            Ok::<_, BoxError>(Some(<$client>::from("spa-1")))
        });
        let layer = RevocationLayer::new("/revoke", authenticator, $backend);
        answered!(layer.layer(inner()), revocation())
    }};
}

#[tokio::test]
async fn boxed_service() {
    let backend =
        service_fn(async |_: RevocationRequest<String>| Ok::<_, BoxError>(Outcome::Revoked));
    let backend = BoxCloneSyncService::new(backend);
    assert_eq!(revoked!(backend, String), StatusCode::OK);
}

#[tokio::test]
async fn boxed_service_with_a_static_client() {
    let backend = service_fn(async |_: RevocationRequest<&'static str>| {
        Ok::<_, BoxError>(Outcome::Unsupported)
    });
    let backend = BoxCloneSyncService::new(backend);
    let status = revoked!(backend, &'static str);
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn service_behind_a_timeout() {
    let backend = service_fn(async |_: RevocationRequest<String>| {
        Err::<Outcome, _>(BoxError::from("the database is down"))
    });
    let backend = Timeout::new(backend, Duration::from_secs(10));
    let status = revoked!(backend, String);
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn service_behind_layers_of_tower() {
    let backend = service_fn(async |_: RevocationRequest<String>| {
        Ok::<_, BoxError>(Outcome::IssuedToAnother)
    });
    let backend = ServiceBuilder::new()
        .buffer(8)
        .load_shed()
        .concurrency_limit(8)
        .timeout(Duration::from_secs(10))
        .map_err(|error: BoxError| error)
        .service(backend);
    let status = revoked!(backend, String);
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn boxed_service_that_is_not_sync() {
    let backend =
        service_fn(async |_: RevocationRequest<String>| Ok::<_, BoxError>(Outcome::Revoked));
    let backend = BoxCloneService::new(backend);
    assert_eq!(revoked!(backend, String), StatusCode::OK);
}

#[tokio::test]
async fn key_spaces_by_hint() {
    let access =
        service_fn(async |_: RevocationRequest<String>| Ok::<_, BoxError>(Outcome::NotFound));
    let refresh = BoxCloneSyncService::new(access);
    let backend = ByHint::new(access, refresh);
    assert_eq!(revoked!(backend, String), StatusCode::OK);
}

#[tokio::test]
async fn four_key_spaces_by_hint() {
    let none = service_fn(async |_: RevocationRequest<&str>| Ok::<_, BoxError>(Outcome::NotFound));
    let boxed = BoxCloneSyncService::new(service_fn(async |_: RevocationRequest<&'static str>| {
        Ok::<_, BoxError>(Outcome::IssuedToAnother)
    }));
    let timed = Timeout::new(boxed.clone(), Duration::from_secs(10));
    let backend = ByHint::new(none, boxed)
        .with("pct", none)
        .with("urn:example:ticket", timed);
    let status = revoked!(backend, &'static str);
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn record_over_introspections_by_format() {
    let refresh = service_fn(async |_: Secret| {
        let mut token = Introspection::new(TokenKind::RefreshToken, "spa-1");
        token.token = Some(Selector::token("https://as.example.com", "1"));
        token.iat = Some(NumericDate::new(1000));
        Ok::<_, BoxError>(Some(token))
    });
    let boxed = BoxCloneSyncService::new(refresh);
    let introspect = ByFormat::new(boxed.clone(), ByFormat::new(boxed, refresh));
    let backend = RecordRevocation::new(introspect, MemoryLog::new());
    assert_eq!(revoked!(backend, String), StatusCode::OK);
}

/// To call a combinator directly in an `async` block, box it first.
#[tokio::test]
async fn key_spaces_in_a_task() {
    let access =
        service_fn(async |_: RevocationRequest<String>| Ok::<_, BoxError>(Outcome::NotFound));
    let refresh = BoxCloneSyncService::new(access);
    let backend = BoxCloneSyncService::new(ByHint::new(access, refresh).with("pct", access));
    let request = RevocationRequest::new("spa-1".to_owned(), Secret::new("45ghiukldjahdnhzdauz"));
    let outcome = tokio::spawn(async move { backend.oneshot(request).await });
    assert_eq!(outcome.await.unwrap().unwrap(), Outcome::NotFound);
}
