//! The gateway: what the API sees, and what ends.

use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, Full};
use hyper::{Method, header};

use super::{
    http::Http,
    process::TIMEOUT,
    world::{SHOP, World},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn identity_cannot_be_forged() {
    let world = World::new().await;
    let sidecar = world.start("routes = [{ path = \"/open\", token = \"optional\" }]\n");
    let http = Http::to(sidecar.url("gateway.listen"));
    for name in ["x-token-subject", "X_Token_Subject", "x.token.subject"] {
        let forged = |path: &str| http.request(Method::GET, path).header(name, "root");
        let anonymous = http
            .send(forged("/open").body(Full::default()).unwrap())
            .await;
        assert_eq!(anonymous.text, "/open  ", "{name}");
        let request = forged("/me")
            .header(header::AUTHORIZATION, format!("Bearer {}", world.token()))
            .body(Full::default());
        assert_eq!(
            http.send(request.unwrap()).await.text,
            "/me alice ",
            "{name}"
        );
    }
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_stream_is_cut_soon_after_the_revocation() {
    let world = World::new().await;
    let sidecar = world.start(&world.terminate());
    let http = Http::to(sidecar.url("gateway.listen"));
    let (token, other) = (world.token(), world.token());
    let mut events = http.open("/events", &token).await;
    let mut others = http.open("/events", &other).await;
    assert_eq!(http.revoke(SHOP, &token).await.status, 200);
    let revoked = Instant::now();
    let end = async {
        loop {
            match events.frame().await {
                Some(Ok(_)) => {}
                Some(Err(_)) => return,
                None => panic!("the stream ends as if it were whole"),
            }
        }
    };
    tokio::time::timeout(TIMEOUT, end).await.unwrap();
    let took = revoked.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert!(others.frame().await.unwrap().is_ok());
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn preflight_passes_only_if_it_may() {
    let world = World::new().await;
    for (setting, expected) in [("check", 401), ("pass", 200)] {
        let sidecar = world.start(&format!("preflight = \"{setting}\"\n"));
        let http = Http::to(sidecar.url("gateway.listen"));
        let preflight = http
            .request(Method::OPTIONS, "/")
            .header(header::ORIGIN, "https://app.example.com")
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "GET")
            .body(Full::default());
        assert_eq!(http.send(preflight.unwrap()).await.status, expected);
        // It is none without its fields.
        let request = http.request(Method::OPTIONS, "/").body(Full::default());
        assert_eq!(http.send(request.unwrap()).await.status, 401);
        sidecar.end();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn routes_without_a_token_are_canonical_paths_only() {
    let world = World::new().await;
    let sidecar = world.start(
        "routes = [
            { path = \"/public/admin\", token = \"required\" },
            { path = \"/public/*\", token = \"optional\" },
        ]\n",
    );
    let http = Http::to(sidecar.url("gateway.listen"));
    assert_eq!(http.get("/public/a").await.status, 200);
    for path in [
        "/public",
        "/public/admin",
        "/public/%61dmin",
        "/public/adm%69n",
        "/public/caf%c3%a9",
        "/public/%2e%2e/me",
        "/public//a",
        "/public/..%2fme",
        "/me",
    ] {
        assert_eq!(http.get(path).await.status, 401, "{path}");
    }
    // A bad token is refused there too.
    assert!(http.get_with("/public/a", "bad").await.is_refused());
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn api_that_is_down_is_502_with_nothing_of_ours() {
    let world = World::new().await;
    let text = world
        .config("")
        .replace(&world.upstream, "http://127.0.0.1:1");
    let sidecar = super::process::Sidecar::start(&world.write("config.toml", &text));
    let http = Http::to(sidecar.url("gateway.listen"));
    let answer = http.get_with("/", &world.token()).await;
    assert_eq!((answer.status.as_u16(), &*answer.text), (502, ""));
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn token_does_not_reach_the_api_if_it_is_removed() {
    let world = World::new().await;
    for (setting, reaches) in [("keep", true), ("remove", false)] {
        let sidecar = world.start(&format!("authorization = \"{setting}\"\n"));
        let http = Http::to(sidecar.url("gateway.listen"));
        let token = world.token();
        let answer = http.get_with("/authorization", &token).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.text.contains(&token), reaches, "{answer:?}");
        sidecar.end();
    }
}
