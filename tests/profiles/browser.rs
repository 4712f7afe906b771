//! Apps in browsers call a profile by the CORS setting of its endpoint.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{HeaderMap, Request, Response, header::HeaderValue};
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_revocation::{
    RevocationLayer,
    profiles::{Auth0, GitHub, Profile, ProfileLayer},
    revoke::RecordRevocation,
};

use crate::world::World;

const APP: &str = "https://app.test";

async fn send<P: Profile>(profile: P, request: Request<Full<Bytes>>) -> Response<Full<Bytes>> {
    let world = World::default().client("app", "secret");
    let backend = RecordRevocation::new(world.introspect(), world.log.clone());
    let endpoint = RevocationLayer::new("/", world.clients(), backend)
        .cors([HeaderValue::from_static(APP)])
        .realm("profiles")
        .into_endpoint();
    let nothing =
        service_fn(async |_| Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())));
    let service = ProfileLayer::new("/profile", profile, endpoint).layer(nothing);
    let response = service.oneshot(request).await.unwrap();
    response.map(|body| match body {
        http_body_util::Either::Left(body) | http_body_util::Either::Right(body) => body,
    })
}

fn field<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn preflight_allows_the_method_of_the_profile() {
    let preflight = |method: &str, path: &str| {
        Request::options(path)
            .header("origin", APP)
            .header("access-control-request-method", method)
            .body(Full::default())
            .unwrap()
    };
    let response = send(GitHub, preflight("DELETE", "/profile/app/grant")).await;
    let headers = response.headers();
    assert_eq!(field(headers, "access-control-allow-origin"), Some(APP));
    assert_eq!(
        field(headers, "access-control-allow-methods"),
        Some("DELETE")
    );
    let response = send(Auth0::new(), preflight("POST", "/profile")).await;
    let headers = response.headers();
    assert_eq!(field(headers, "access-control-allow-methods"), Some("POST"));
}

#[tokio::test]
async fn refusals_have_the_fields_and_the_realm_of_the_endpoint() {
    for (content_type, body, status) in [
        // Refused by the profile itself.
        ("application/json", "[]", 400),
        ("text/plain", "{}", 415),
        // Refused by the endpoint.
        ("application/json", r#"{"client_id":"app"}"#, 401),
    ] {
        let request = Request::post("/profile")
            .header("origin", APP)
            .header("content-type", content_type)
            .body(Full::from(body))
            .unwrap();
        let response = send(Auth0::new(), request).await;
        assert_eq!(response.status(), status, "{body}");
        let headers = response.headers();
        assert_eq!(field(headers, "access-control-allow-origin"), Some(APP));
        if status == 401 {
            let challenge = field(headers, "www-authenticate").unwrap();
            assert!(challenge.contains("profiles"), "{challenge}");
        }
    }
}
