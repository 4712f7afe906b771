//! The layer and the endpoint in axum applications.

use axum::{
    Router,
    body::Body,
    http::{Request, Response, StatusCode, header},
    routing::{get, post},
};
use tower::{Layer as _, ServiceExt as _};
use tower_revocation::RevocationLayer;

use super::fixture::{C1, Layer, World, send, with};

fn layer(path: &str) -> Layer {
    let world = World::new();
    RevocationLayer::new(path, world.authenticator(), world.backend())
}

async fn post_to(router: Router, path: &str) -> Response<Body> {
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::AUTHORIZATION, C1)
        .body(Body::from("token=RT1"))
        .unwrap();
    router.oneshot(request).await.unwrap()
}

fn plain() -> Router {
    Router::new().route("/", get(async || "hello"))
}

#[tokio::test]
async fn these_ways_of_mounting_in_axum_intercept() {
    let world = World::new();
    let endpoint = world.layer().into_endpoint();
    let ways = [
        (
            "around",
            Router::new().fallback_service(layer("/revoke").layer(plain())),
            "/revoke",
        ),
        (
            "layer after the routes",
            plain().layer(layer("/revoke")),
            "/revoke",
        ),
        (
            "layer after fallback",
            plain().fallback(async || "no").layer(layer("/revoke")),
            "/revoke",
        ),
        (
            "nest_service",
            Router::new().nest_service("/oauth", layer("/revoke").layer(plain())),
            "/oauth/revoke",
        ),
        (
            "around a nest",
            Router::new().fallback_service(
                layer("/oauth/revoke").layer(Router::new().nest("/oauth", plain())),
            ),
            "/oauth/revoke",
        ),
        (
            "plain.merge(layered)",
            plain().merge(
                Router::new()
                    .fallback(async || "no")
                    .layer(layer("/revoke")),
            ),
            "/revoke",
        ),
        (
            "endpoint as a route",
            plain().route_service("/revoke", endpoint),
            "/revoke",
        ),
    ];
    for (way, router, path) in ways {
        let response = post_to(router, path).await;
        assert_eq!(response.status(), 200, "{way}");
        assert_eq!(
            response.headers()[header::CACHE_CONTROL],
            "no-store",
            "{way}"
        );
    }
}

#[tokio::test]
async fn these_ways_of_mounting_in_axum_do_not_intercept() {
    let ways = [
        (
            "route_layer",
            plain().route_layer(layer("/revoke")),
            "/revoke",
        ),
        (
            "layer before fallback",
            plain().layer(layer("/revoke")).fallback(async || "no"),
            "/revoke",
        ),
        (
            "nest",
            Router::new().nest("/oauth", plain().layer(layer("/revoke"))),
            "/oauth/revoke",
        ),
        (
            "layered.merge(plain), without fallbacks",
            plain()
                .layer(layer("/revoke"))
                .merge(Router::new().route("/other", get(async || "hello"))),
            "/revoke",
        ),
        (
            "layered.merge(plain)",
            plain().layer(layer("/revoke")).merge(
                Router::new()
                    .route("/other", get(async || "hello"))
                    .fallback(async || "no"),
            ),
            "/revoke",
        ),
    ];
    for (way, router, path) in ways {
        let response = post_to(router, path).await;
        assert!(
            !response.headers().contains_key(header::CACHE_CONTROL),
            "{way}"
        );
    }
}

#[tokio::test]
async fn allow_field_of_the_layer_is_kept() {
    let router = Router::new()
        .route("/revoke", get(async || "theirs"))
        .layer(layer("/revoke"));
    let request = Request::put("/revoke").body(Body::empty()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers()[header::ALLOW], "POST, OPTIONS");
}

#[tokio::test]
async fn any_body_type_gets_the_same_response() {
    let full = send(
        layer("/revoke"),
        with("token=RT1", |head| head.header("authorization", C1)),
    )
    .await;
    let app = Router::new()
        .route("/revoke", post(async || "no"))
        .layer(layer("/revoke"));
    let axum = post_to(app, "/revoke").await;
    assert_eq!(
        (axum.status(), axum.headers().len()),
        (full.status, full.headers.len())
    );
}
