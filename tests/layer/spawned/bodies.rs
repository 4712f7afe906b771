//! Response bodies with boxed errors.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use hyper::{Request, Response, StatusCode, body::Incoming};
use tower::{
    BoxError, Layer as _, Service, service_fn,
    util::{BoxCloneSyncService, MapRequestLayer},
};
use tower_revocation::{
    Outcome, RevocationLayer, RevocationRequest, Secret,
    client::Credentials,
    enforce::{EnforcementLayer, Index},
    introspect::{Introspection, TokenKind},
    log::{MemoryLog, NumericDate},
};

use crate::spawned::connection::{call, revocation};

type Body = UnsyncBoxBody<Bytes, BoxError>;

fn api()
-> impl Service<Request<Incoming>, Response = Response<Body>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ Sync
+ 'static {
    service_fn(async |_: Request<Incoming>| {
        let body = Full::<Bytes>::from("api").map_err(|never| match never {});
        Ok(Response::new(body.boxed_unsync()))
    })
}

macro_rules! enforced {
    ($inner:expr) => {{
        let introspect = service_fn(async |_: Secret| {
            let mut token = Introspection::new(TokenKind::AccessToken, "spa-1");
            token.iat = Some(NumericDate::new(1_300_819_380));
            Ok::<_, BoxError>(Some(token))
        });
        let index = Index::follow(&MemoryLog::new()).await.unwrap();
        EnforcementLayer::new(introspect, index).layer($inner)
    }};
}

#[tokio::test]
async fn inner_service_with_boxed_bodies() {
    assert_eq!(answered!(enforced!(api()), call()), StatusCode::OK);
}

#[tokio::test]
async fn boxed_inner_service() {
    let api = BoxCloneSyncService::new(api());
    assert_eq!(answered!(enforced!(api), call()), StatusCode::OK);
}

#[tokio::test]
async fn both_layers() {
    let authenticator = service_fn(async |_: Request<Credentials>| Ok::<_, BoxError>(Some("spa")));
    let backend = service_fn(async |_: RevocationRequest<&'static str>| {
        Ok::<_, BoxError>(Outcome::IssuedToAnother)
    });
    let layer = RevocationLayer::new("/revoke", authenticator, backend);
    let service = layer.layer(enforced!(api()));
    assert_eq!(answered!(service.clone(), call()), StatusCode::OK);
    assert_eq!(answered!(service, revocation()), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn inner_service_whose_layers_box_errors() {
    let service = tower_http::catch_panic::CatchPanicLayer::new().layer(enforced!(api()));
    assert_eq!(answered!(service, call()), StatusCode::OK);
}

/// In a block, closures of tower do not accept a request with `BoxError` in the type of its body.
#[tokio::test]
async fn outer_layer_that_gives_body_errors_a_type() {
    let authenticator = service_fn(async |_: Request<Credentials>| Ok::<_, BoxError>(Some("spa")));
    let backend = service_fn(async |_: RevocationRequest<&'static str>| {
        Ok::<_, BoxError>(Outcome::IssuedToAnother)
    });
    let inner = service_fn(async |_: Request<UnsyncBoxBody<Bytes, std::io::Error>>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("api")))
    });
    let layer = RevocationLayer::new("/revoke", authenticator, backend);
    let service = MapRequestLayer::new(|request: Request<Incoming>| {
        request.map(|body| body.map_err(std::io::Error::other).boxed_unsync())
    })
    .layer(layer.layer(inner));
    assert_eq!(answered!(service, revocation()), StatusCode::BAD_REQUEST);
}
