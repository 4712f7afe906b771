//! The path of the endpoint.

use std::convert::Infallible;

use axum::{
    Router,
    body::Body,
    http::{Request, Response, header},
};
use http_body_util::{BodyExt as _, Full};
use hyper::{Method, Version};
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_revocation::RevocationLayer;

use super::fixture::{C1, World, with};

#[tokio::test]
async fn path_is_compared_byte_for_byte() {
    let world = World::new();
    let elsewhere = [
        "/revoke/",
        "//revoke",
        "/REVOKE",
        "/Revoke",
        "/a/../revoke",
        "/./revoke",
        "/revok%65",
        "/revoke%00",
        "/revoke;a",
        "/a/revoke",
        "/revokes",
        "/",
    ];
    for path in elsewhere {
        let service = world
            .layer()
            .layer(service_fn(async |_: Request<Full<bytes::Bytes>>| {
                Ok::<_, Infallible>(Response::new(Full::from("passed")))
            }));
        let mut request = with("token=RT1", |head| head.header(header::AUTHORIZATION, C1));
        *request.uri_mut() = path.parse().unwrap();
        let Ok(response) = service.oneshot(request).await;
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, "passed", "{path}");
    }
    assert!(world.is_live("RT1"));

    for uri in [
        "/revoke",
        "/revoke?",
        "/revoke?x=y",
        "http://as.example.com/revoke",
    ] {
        let mut request = with("token=RT1", |head| head.header(header::AUTHORIZATION, C1));
        *request.uri_mut() = uri.parse().unwrap();
        World::new().send(request).await.assert_ok();
    }
}

#[test]
fn invalid_paths_panic() {
    for path in ["", "revoke", "/revoke?x", "/revoke#x"] {
        let layer = std::panic::catch_unwind(|| RevocationLayer::new(path, (), ()));
        assert!(layer.is_err(), "{path}");
    }
}

#[tokio::test]
async fn secrets_in_the_query_are_refused_and_the_rest_is_ignored() {
    let attempt = async |query: &str| {
        let world = World::new();
        let mut request = with("token=RT1", |head| head.header(header::AUTHORIZATION, C1));
        *request.uri_mut() = format!("/revoke?{query}").parse().unwrap();
        let response = world.send(request).await;
        (response, world.is_live("RT1"))
    };
    let secret = [
        "token=AT1",
        "tok%65n=AT1",
        "x=y&token=RT1",
        "client_id=post-client&client_secret=p0st",
        "client_assertion=a.b.c",
        "token=%ff",
    ];
    for query in secret {
        let (response, live) = attempt(query).await;
        response.assert_invalid_request();
        assert!(live);
    }
    for query in [
        "client_id=s6BhdRkqt3",
        "%zz",
        "tokens=x",
        "callback=a.b",
        "TOKEN=x",
        "token%00=x",
    ] {
        attempt(query).await.0.assert_ok();
    }
    // The layer does not use a `client_id` in the query.
    let mut request = with("token=RTpub", |head| head);
    *request.uri_mut() = "/revoke?client_id=spa-1".parse().unwrap();
    World::new().send(request).await.assert_unauthorized();
}

#[tokio::test]
async fn passing_request_reaches_the_inner_service_unchanged() {
    let inner = service_fn(async |request: Request<Full<bytes::Bytes>>| {
        Ok::<_, Infallible>(Response::new(Full::from(format!(
            "{} {} {:?} {:?} {:?} {:?}",
            request.method(),
            request.uri(),
            request.version(),
            request.headers(),
            request.extensions().get::<u32>(),
            request.body(),
        ))))
    });
    let request = || {
        let mut request = Request::builder()
            .method(Method::from_bytes(b"QUERY").unwrap())
            .uri("http://host/other?token=x")
            .version(Version::HTTP_10)
            .header(header::AUTHORIZATION, "Basic x")
            .header(header::AUTHORIZATION, "Basic y")
            .body(Full::from("token=%zz"))
            .unwrap();
        request.extensions_mut().insert(1_u32);
        request
    };
    let Ok(bare) = inner.oneshot(request()).await;
    let Ok(through) = World::new().layer().layer(inner).oneshot(request()).await;
    let through = through.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(
        through,
        bare.into_body().collect().await.unwrap().to_bytes()
    );
    assert!(through.starts_with(b"QUERY http://host/other?token=x HTTP/1.0"));
}

#[tokio::test]
async fn asterisk_form_passes() {
    let inner = service_fn(async |_: Request<Full<bytes::Bytes>>| {
        Ok::<_, Infallible>(Response::new(Full::<bytes::Bytes>::from("passed")))
    });
    let request = Request::options("*").body(Full::default()).unwrap();
    let Ok(response) = World::new().layer().layer(inner).oneshot(request).await;
    assert_eq!(
        response.into_body().collect().await.unwrap().to_bytes(),
        "passed"
    );
}

#[tokio::test]
async fn each_of_two_layers_serves_its_own_path() {
    let (a, b) = (World::new(), World::new());
    let layer = |path: &str, world: &std::sync::Arc<World>| {
        RevocationLayer::new(path, world.authenticator(), world.backend())
    };
    let service = layer("/a/revoke", &a).layer(layer("/b/revoke", &b).layer(Router::new()));
    let request = Request::post("/b/revoke")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::AUTHORIZATION, C1)
        .body(Body::from("token=RT1"))
        .unwrap();
    assert_eq!(service.oneshot(request).await.unwrap().status(), 200);
    assert!(a.is_live("RT1") && !b.is_live("RT1"));
}
