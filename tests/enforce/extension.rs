//! Tokens that an outer layer has verified.

use axum::{Extension, Router, routing::get};
use hyper::{Request, StatusCode, header};
use tower::{Layer as _, ServiceExt as _};
use tower_revocation::{
    enforce::{EnforcementLayer, Index, Verdict},
    introspect::Introspection,
    log::{MemoryLog, RevocationLog as _, Selector},
};

use crate::fixture::{ask, body, forever, good, guarded, request, verdict, with_token};

fn verified(token: Option<Introspection>) -> Request<http_body_util::Full<hyper::body::Bytes>> {
    let mut request = request(None);
    if let Some(token) = token {
        request.extensions_mut().insert(token);
    }
    request
}

#[tokio::test]
async fn introspection_of_an_extension_is_checked_against_the_index() {
    let log = MemoryLog::new();
    let layer = EnforcementLayer::from_extension(Index::follow(&log).await.unwrap());
    let response = ask(&layer, verified(Some(good()))).await;
    assert_eq!(body(response).await, "alice");

    log.append(forever(Selector::session("s1"))).await.unwrap();
    let (status, _) = verdict(&layer, verified(Some(good()))).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn request_without_an_introspection_has_no_token() {
    let index = Index::follow(&MemoryLog::new()).await.unwrap();
    let layer = EnforcementLayer::from_extension(index);
    assert_eq!(
        verdict(&layer, verified(None)).await.1,
        Some(Verdict::Missing)
    );
    // The Authorization header does not count.
    assert_eq!(
        verdict(&layer, with_token()).await.1,
        Some(Verdict::Missing)
    );
}

#[tokio::test]
async fn expired_introspection_is_refused() {
    let index = Index::follow(&MemoryLog::new()).await.unwrap();
    let layer = EnforcementLayer::from_extension(index);
    let mut token = good();
    token.exp = token.iat;
    assert_eq!(
        verdict(&layer, verified(Some(token))).await.1,
        Some(Verdict::Expired)
    );
}

#[tokio::test]
async fn token_of_the_header_replaces_the_extension() {
    let (layer, _) = guarded(good()).await;
    let mut forged = good();
    forged.sub = Some("mallory".into());
    let mut request = with_token();
    request.extensions_mut().insert(forged);
    assert_eq!(body(ask(&layer, request).await).await, "alice");
}

#[tokio::test]
async fn axum_handler_extracts_the_introspection() {
    async fn me(Extension(token): Extension<Introspection>) -> String {
        format!(
            "{} by {}",
            token.sub.as_deref().unwrap_or_default(),
            token.client_id
        )
    }
    let (layer, log) = guarded(good()).await;
    let app = Router::new().route("/me", get(me)).layer(layer);
    let get = || {
        let request = Request::get("/me").header(header::AUTHORIZATION, "Bearer mF_9.B5f-4.1JqM");
        request.body(axum::body::Body::empty()).unwrap()
    };
    let response = app.clone().oneshot(get()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let body = axum::body::to_bytes(response.into_body(), 1024)
        .await
        .unwrap();
    assert_eq!(body, "alice by s6BhdRkqt3");

    log.append(forever(Selector::client("s6BhdRkqt3")))
        .await
        .unwrap();
    let response = app.oneshot(get()).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn layer_works_around_a_whole_axum_app() {
    let (layer, _) = guarded(good()).await;
    let app = layer.layer(Router::new().route("/me", get(async || "hello")));
    let request = Request::get("/me").body(axum::body::Body::empty()).unwrap();
    assert_eq!(
        app.oneshot(request).await.unwrap().status(),
        StatusCode::UNAUTHORIZED
    );
}
