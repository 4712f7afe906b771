//! The documents of the issuer, fetched by the library.

use axum::Router;
use http_body_util::BodyExt as _;
use hyper::{Request, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;
use tower::ServiceExt as _;
use tower_revocation::{
    Secret,
    introspect::{
        Introspected,
        jwt::{Audience, JwtTokens},
    },
    test_util::TestIssuer,
};

#[tokio::test]
async fn library_discovers_the_keys() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = TestIssuer::new(format!("http://{}", listener.local_addr().unwrap()));
    let server = Router::new().fallback_service(issuer.server());
    tokio::spawn(axum::serve(listener, server).into_future());

    let audience = Audience::any_of([TestIssuer::AUDIENCE]);
    let tokens = JwtTokens::discover(issuer.issuer(), audience).unwrap();
    let token = Secret::from(issuer.token().sign());
    let introspected = tokens.oneshot(token).await.unwrap();
    assert!(
        matches!(introspected, Introspected::Token(_)),
        "{introspected:?}"
    );
}

async fn document(issuer: &TestIssuer, path: &str) -> Option<Value> {
    let request = Request::get(path).body(()).unwrap();
    let response = issuer.server().oneshot(request).await.unwrap();
    if response.status() == StatusCode::NOT_FOUND {
        return None;
    }
    assert_eq!(response.headers()["content-type"], "application/json");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    Some(serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn paths_are_those_of_the_specifications() {
    for (issuer, metadata) in [
        (
            "https://issuer.test",
            [
                "/.well-known/openid-configuration",
                "/.well-known/oauth-authorization-server",
            ],
        ),
        (
            "https://issuer.test/tenant",
            [
                "/tenant/.well-known/openid-configuration",
                "/.well-known/oauth-authorization-server/tenant",
            ],
        ),
    ] {
        let test = TestIssuer::new(issuer);
        for path in metadata {
            let document = document(&test, path).await.unwrap();
            assert_eq!(document["issuer"], issuer);
            assert_eq!(document["jwks_uri"], format!("{issuer}/jwks"));
        }
        let root = issuer.strip_prefix("https://issuer.test").unwrap();
        let jwks = document(&test, &format!("{root}/jwks")).await.unwrap();
        assert_eq!(jwks["keys"].as_array().unwrap().len(), 1);
        assert_eq!(document(&test, "/other").await, None);
    }
}

#[tokio::test]
async fn key_set_document_has_no_private_member() {
    for issuer in [
        TestIssuer::new("https://issuer.test"),
        TestIssuer::rs256("https://issuer.test"),
    ] {
        let jwks = document(&issuer, "/jwks").await.unwrap();
        let key = jwks["keys"][0].as_object().unwrap();
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(!key.contains_key(private), "{key:?}");
        }
    }
}
