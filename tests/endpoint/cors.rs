//! CORS for browser apps (RFC 7009 §2.3, Fetch).

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request, Response,
    header::{self, HeaderValue},
};
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_http::cors::{Any, CorsLayer};

use super::fixture::{C1, FullResponse, Layer, World, send, with};

const SPA: &str = "https://spa.example";

fn with_cors(world: &std::sync::Arc<World>) -> Layer {
    world.layer().cors([HeaderValue::from_static(SPA)])
}

fn preflight(origin: &str) -> Request<Full<Bytes>> {
    Request::options("/revoke")
        .header(header::ORIGIN, origin)
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
        .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "authorization")
        .body(Full::default())
        .unwrap()
}

fn varies(response: &FullResponse) -> bool {
    response.headers.get_all(header::VARY).iter().any(|value| {
        value
            .to_str()
            .unwrap()
            .to_ascii_lowercase()
            .split(", ")
            .any(|name| name == "origin")
    })
}

#[tokio::test]
async fn without_cors_there_are_no_cors_fields() {
    let world = World::new();
    let response = world.send(preflight(SPA)).await;
    assert_eq!(response.status, 204);
    assert_eq!(response.header(header::ALLOW), Some("POST, OPTIONS"));
    let own = with("token=RT1", |head| {
        head.header("authorization", C1).header("origin", SPA)
    });
    for response in [response, world.send(own).await] {
        assert!(
            response
                .headers
                .keys()
                .all(|name| !name.as_str().starts_with("access-control"))
        );
        assert!(!response.headers.contains_key(header::VARY));
    }
}

#[tokio::test]
async fn preflight_calls_no_service() {
    let world = World::new();
    let response = send(with_cors(&world), preflight(SPA)).await;
    assert!(response.status == 200 || response.status == 204);
    assert_eq!(
        response.header(header::ACCESS_CONTROL_ALLOW_ORIGIN),
        Some(SPA)
    );
    assert_eq!(
        response.header(header::ACCESS_CONTROL_ALLOW_METHODS),
        Some("POST")
    );
    let headers = response
        .header(header::ACCESS_CONTROL_ALLOW_HEADERS)
        .unwrap();
    assert_eq!(
        headers,
        "authorization,content-type,oauth-client-attestation,oauth-client-attestation-pop"
    );
    assert!(
        response
            .headers
            .contains_key(header::ACCESS_CONTROL_MAX_AGE)
    );
    assert_eq!(
        response.header(header::VARY),
        Some("origin, access-control-request-method, access-control-request-headers")
    );
    assert_eq!(response.header(header::CACHE_CONTROL), Some("no-store"));
    assert!(
        !response
            .headers
            .contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS)
    );
    assert!(world.authentications.lock().unwrap().is_empty());
    assert_eq!(world.looked_up(), 0);
}

#[tokio::test]
async fn options_without_preflight_fields_gets_the_normal_response() {
    let world = World::new();
    let requests = [
        Request::options("/revoke"),
        Request::options("/revoke").header(header::ORIGIN, SPA),
        Request::options("/revoke").header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST"),
    ];
    for request in requests {
        let response = send(with_cors(&world), request.body(Full::default()).unwrap()).await;
        assert_eq!(response.status, 204);
        assert_eq!(response.header(header::ALLOW), Some("POST, OPTIONS"));
        assert!(varies(&response));
    }
}

#[tokio::test]
async fn every_status_has_the_cors_fields() {
    let requests = [
        (200, with("token=RTpub&client_id=spa-1", |head| head)),
        (400, with("client_id=spa-1", |head| head)),
        (401, with("token=RTpub", |head| head)),
        (413, with(vec![b'a'; 70_000], |head| head)),
        (405, Request::put("/revoke").body(Full::default()).unwrap()),
        (415, Request::post("/revoke").body(Full::default()).unwrap()),
    ];
    for (status, mut request) in requests {
        request
            .headers_mut()
            .insert(header::ORIGIN, HeaderValue::from_static(SPA));
        let response = send(with_cors(&World::new()), request).await;
        assert_eq!(response.status, status);
        assert_eq!(
            response.header(header::ACCESS_CONTROL_ALLOW_ORIGIN),
            Some(SPA),
            "{status}"
        );
        let exposed = response
            .header(header::ACCESS_CONTROL_EXPOSE_HEADERS)
            .unwrap();
        assert_eq!(exposed, "retry-after,www-authenticate");
        assert!(varies(&response), "{status}");
        assert!(
            !response
                .headers
                .contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS)
        );
    }
}

#[tokio::test]
async fn responses_vary_by_origin_even_without_one() {
    let response = send(
        with_cors(&World::new()),
        with("token=RTpub&client_id=spa-1", |head| head),
    )
    .await;
    response.assert_ok();
    assert!(varies(&response));
    let anybody = World::new().layer().cors([HeaderValue::from_static("*")]);
    let response = send(anybody, with("token=RTpub&client_id=spa-1", |head| head)).await;
    assert!(varies(&response));
    assert_eq!(
        response.header(header::ACCESS_CONTROL_ALLOW_ORIGIN),
        Some("*")
    );
}

#[tokio::test]
async fn other_origins_are_not_allowed_but_served() {
    for origin in ["https://evil.example", "null", "https://spa.example:8443"] {
        let world = World::new();
        let response = send(with_cors(&world), preflight(origin)).await;
        assert!(
            !response
                .headers
                .contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN),
            "{origin}"
        );
        // CORS is not access control: a page of any origin can post a form.
        let form = with("token=RTpub&client_id=spa-1", |head| {
            head.header(header::ORIGIN, origin)
        });
        let response = send(with_cors(&world), form).await;
        response.assert_ok();
        assert!(
            !response
                .headers
                .contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN)
        );
    }
}

#[tokio::test]
async fn inner_service_keeps_its_own_cors_policy() {
    let inner =
        CorsLayer::new()
            .allow_origin(Any)
            .layer(service_fn(async |_: Request<Full<Bytes>>| {
                Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default()))
            }));
    let service = with_cors(&World::new()).layer(inner);
    let request = Request::get("/")
        .header(header::ORIGIN, SPA)
        .body(Full::default())
        .unwrap();
    let Ok(response) = service.oneshot(request).await;
    assert_eq!(response.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
}

#[tokio::test]
async fn cors_layer_outside_composes() {
    let world = World::new();
    let inner = service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let origin = HeaderValue::from_static(SPA);
    let service = CorsLayer::new()
        .allow_origin(origin)
        .layer(world.layer().layer(inner));
    let Ok(response) = service.clone().oneshot(preflight(SPA)).await;
    assert_eq!(response.status(), 200);
    let form = with("token=RTpub&client_id=spa-1", |head| {
        head.header(header::ORIGIN, SPA)
    });
    let Ok(response) = service.oneshot(form).await;
    assert_eq!(
        response
            .headers()
            .get_all(header::ACCESS_CONTROL_ALLOW_ORIGIN)
            .iter()
            .count(),
        1
    );
}
