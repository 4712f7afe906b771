//! Where the layer goes in an axum application: every claim of the guide `mounting_in_axum`.

use axum::{Router, body::Body, routing::get};
use hyper::{Request, StatusCode};
use tower::{BoxError, Layer as _, ServiceExt as _, service_fn};
use tower_revocation::{Outcome, RevocationLayer, RevocationRequest, client::Credentials};

macro_rules! layer {
    ($path:literal) => {{
        let authenticator = service_fn(async |request: Request<Credentials>| {
            Ok::<_, BoxError>(request.body().claimed_client_id().map(String::from))
        });
        let backend =
            service_fn(async |_: RevocationRequest<String>| Ok::<_, BoxError>(Outcome::Revoked));
        RevocationLayer::new($path, authenticator, backend)
    }};
}

/// The status of a revocation at `/oauth2/revoke`. The layer responds with 200.
async fn revoke(app: Router) -> StatusCode {
    let request = Request::post("/oauth2/revoke")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from("token=t&client_id=spa-1"))
        .unwrap();
    app.oneshot(request).await.unwrap().status()
}

fn router() -> Router {
    Router::new().route("/", get(async || "hello"))
}

async fn teapot() -> StatusCode {
    StatusCode::IM_A_TEAPOT
}

#[tokio::test]
async fn layer_around_the_application_works() {
    let service = layer!("/oauth2/revoke").layer(router());
    let app = Router::new().fallback_service(service);
    assert_eq!(revoke(app).await, 200);
}

#[tokio::test]
async fn layer_after_the_routes_works() {
    assert_eq!(revoke(router().layer(layer!("/oauth2/revoke"))).await, 200);
}

#[tokio::test]
async fn layer_after_the_fallback_works() {
    let app = router().fallback(teapot).layer(layer!("/oauth2/revoke"));
    assert_eq!(revoke(app).await, 200);
}

#[tokio::test]
async fn nested_service_works_with_the_rest_of_the_path() {
    let nested = layer!("/revoke").layer(router());
    assert_eq!(
        revoke(Router::new().nest_service("/oauth2", nested)).await,
        200
    );
}

#[tokio::test]
async fn merging_the_layered_router_works_if_it_has_a_fallback() {
    let layered = Router::new()
        .fallback(teapot)
        .layer(layer!("/oauth2/revoke"));
    assert_eq!(revoke(router().merge(layered)).await, 200);
}

#[tokio::test]
async fn endpoint_works_as_a_route() {
    let endpoint = layer!("/oauth2/revoke").into_endpoint();
    let app = router().route_service("/oauth2/revoke", endpoint);
    assert_eq!(revoke(app).await, 200);
}

#[tokio::test]
async fn fallback_after_the_layer_replaces_it() {
    let app = router().layer(layer!("/oauth2/revoke")).fallback(teapot);
    assert_eq!(revoke(app).await, 418);
}

#[tokio::test]
async fn route_layer_sees_routes_only() {
    let app = router().route_layer(layer!("/oauth2/revoke"));
    assert_eq!(revoke(app).await, 404);
}

#[tokio::test]
async fn nested_router_without_fallback_and_route_is_not_called() {
    let layered = router().layer(layer!("/revoke"));
    assert_eq!(revoke(Router::new().nest("/oauth2", layered)).await, 404);
}

#[tokio::test]
async fn merging_another_router_drops_the_layered_default_fallback() {
    let app = router()
        .layer(layer!("/oauth2/revoke"))
        .merge(Router::new().route("/other", get(async || "other")));
    assert_eq!(revoke(app).await, 404);
}
