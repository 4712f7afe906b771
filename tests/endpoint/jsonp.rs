//! JSONP, which has to be allowed (RFC 7009 §2.3).

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request, StatusCode, header};

use crate::fixture::{C1, FullResponse, World, send};

async fn get(world: &Arc<World>, query: &str) -> FullResponse {
    let request = Request::get(format!("/revoke?{query}")).body(Full::<Bytes>::default());
    let layer = world.layer().dangerously_allow_jsonp(true);
    send(layer, request.unwrap()).await
}

#[tokio::test]
async fn script_of_a_public_client_revokes() {
    let world = World::new();
    let query = "token=RTpub&client_id=spa-1&callback=package.myCallback";
    let response = get(&world, query).await;
    assert_eq!(response.status, StatusCode::OK);
    assert_eq!(response.body, "/**/package.myCallback();");
    assert!(!world.is_live("RTpub"));
    for (name, value) in [
        ("content-type", "application/javascript; charset=utf-8"),
        ("content-disposition", "attachment"),
        ("cross-origin-resource-policy", "cross-origin"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(response.headers[name], value, "{name}");
    }
}

#[tokio::test]
async fn script_is_told_the_error() {
    for (query, error) in [
        ("token=RTpub2&client_id=spa-1&callback=f", "invalid_grant"),
        ("token=RT1&client_id=unknown&callback=f", "invalid_client"),
        ("token=RT1&callback=f", "invalid_client"),
        ("client_id=spa-1&callback=f", "invalid_request"),
        (
            "token=a&token=b&client_id=spa-1&callback=f",
            "invalid_request",
        ),
        ("token=%ff&client_id=spa-1&callback=f", "invalid_request"),
    ] {
        let world = World::new();
        let response = get(&world, query).await;
        assert_eq!(response.status, StatusCode::OK, "{query}");
        assert_eq!(
            response.body,
            format!(r#"/**/f({{"error":"{error}"}});"#),
            "{query}"
        );
        assert!(world.is_live("RTpub2") && world.is_live("RT1"));
    }
}

#[tokio::test]
async fn request_without_a_valid_callback_gets_no_script() {
    for query in [
        "token=RTpub&client_id=spa-1",
        "token=RTpub&client_id=spa-1&callback=",
        "token=RTpub&client_id=spa-1&callback=alert(1)",
        "token=RTpub&client_id=spa-1&callback=f&callback=g",
        "token=RTpub&client_id=spa-1&callback=%3Cscript%3E",
        "token=RTp&client_id=post-client&client_secret=p0st&callback=f",
    ] {
        let world = World::new();
        let response = get(&world, query).await;
        assert_eq!(response.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(response.headers["content-type"], "application/json");
        assert!(world.is_live("RTpub") && world.is_live("RTp"));
    }
}

#[tokio::test]
async fn script_of_a_confidential_client_is_refused() {
    let world = World::new();
    let request = Request::get("/revoke?token=RT1&callback=f")
        .header(header::AUTHORIZATION, C1)
        .body(Full::<Bytes>::default());
    let layer = world.layer().dangerously_allow_jsonp(true);
    let response = send(layer, request.unwrap()).await;
    assert_eq!(response.body, r#"/**/f({"error":"invalid_client"});"#);
    assert!(world.is_live("RT1"));
}

#[tokio::test]
async fn get_is_refused_by_default() {
    let world = World::new();
    let request = Request::get("/revoke?token=RTpub&client_id=spa-1&callback=f");
    let response = world.send(request.body(Full::default()).unwrap()).await;
    assert_eq!(response.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers[header::ALLOW], "POST, OPTIONS");
    assert!(world.is_live("RTpub"));
}

#[tokio::test]
async fn other_methods_stay_refused_beside_scripts() {
    let world = World::new();
    for method in [Method::HEAD, Method::PUT, Method::DELETE] {
        let request = Request::builder()
            .method(method)
            .uri("/revoke?token=RTpub&callback=f");
        let layer = world.layer().dangerously_allow_jsonp(true);
        let response = send(layer, request.body(Full::default()).unwrap()).await;
        assert_eq!(response.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(response.headers[header::ALLOW], "GET, POST, OPTIONS");
    }
    assert!(world.is_live("RTpub"));
}
