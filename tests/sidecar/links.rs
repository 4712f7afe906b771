//! The revocation of an opaque refresh token ends the access tokens that were issued with it.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Method, Request, Response, body::Incoming, header};
use serde_json::{Value, json};
use tower::service_fn;
use tower_revocation::test_util::TestIssuer;

use super::{
    commands::run,
    http::{Answer, Http},
    issuers::{Endpoint, second_issuer},
    process::Sidecar,
    world::{SHOP, World, bind, serve},
};

/// A token endpoint whose refresh tokens are opaque. Returns its URL.
async fn authorization_server(issuer: &TestIssuer) -> String {
    let (listener, base) = bind().await;
    let (issuer, next) = (issuer.clone(), Arc::new(AtomicU32::new(0)));
    let service = service_fn(move |request: Request<Incoming>| {
        let number = next.fetch_add(1, Relaxed);
        let token = issuer.token().client(SHOP.0).subject("alice");
        let access_token = token.id(format!("jti-{number}")).sign();
        async move {
            assert_eq!(request.uri().path(), "/as/token.oauth2");
            let body = request.into_body().collect().await.unwrap().to_bytes();
            assert!(body.starts_with(b"grant_type="), "{body:?}");
            let json = json!({
                "access_token": access_token,
                "refresh_token": format!("linked-refresh-token-{number}"),
                "token_type": "Bearer",
            });
            let mut response = Response::new(Full::from(json.to_string()).boxed_unsync());
            let kind = header::HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            Ok(response)
        }
    });
    serve(listener, service);
    format!("{base}/as/token.oauth2")
}

async fn ask(http: &Http, form: &str) -> Answer {
    let request = http
        .request(Method::POST, "/oauth2/token")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::from(Bytes::from(form.to_owned())));
    http.send(request.unwrap()).await
}

/// The access token and the refresh token.
async fn tokens(http: &Http, form: &str) -> [String; 2] {
    let answer = ask(http, form).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    ["access_token", "refresh_token"].map(|name| answer.json()[name].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revoked_refresh_token_ends_its_access_tokens_and_gets_no_new_ones() {
    let world = World::new().await;
    let url = authorization_server(&world.issuer).await;
    let sections = format!("{}[links]\nupstream = {url:?}\n", world.terminate());
    let sidecar = world.start(&sections);
    let http = Http::to(sidecar.url("gateway.listen"));
    let [first, refresh] = tokens(&http, "grant_type=authorization_code&code=c").await;
    let [other, _] = tokens(&http, "grant_type=authorization_code&code=d").await;
    let form = format!("grant_type=refresh_token&refresh_token={refresh}");
    let [second, rotated] = tokens(&http, &form).await;
    for token in [&first, &second, &other] {
        assert_eq!(http.get_with("/", token).await.status, 200);
    }
    // The links are in the file of the log.
    sidecar.kill();

    let sidecar = Sidecar::start(&world.path("config.toml"));
    let http = Http::to(sidecar.url("gateway.listen"));
    let unknown = http.revoke(SHOP, "linked-refresh-token-999").await;
    assert_eq!(unknown.json()["error"], "unsupported_token_type");
    assert_eq!(http.revoke(SHOP, &rotated).await.status, 200);
    for token in [&first, &second] {
        assert!(http.get_with("/", token).await.is_refused());
    }
    assert_eq!(http.get_with("/", &other).await.status, 200);
    let form = format!("grant_type=refresh_token&refresh_token={rotated}");
    let refused = ask(&http, &form).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["error"]),
        (400, &"invalid_grant".into())
    );
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operator_inspects_an_opaque_refresh_token() {
    let world = World::new().await;
    let url = authorization_server(&world.issuer).await;
    let sections = format!("{}[links]\nupstream = {url:?}\n", world.terminate());
    let sidecar = world.start(&sections);
    let http = Http::to(sidecar.url("gateway.listen"));
    let [_, refresh] = tokens(&http, "grant_type=authorization_code&code=c").await;
    let inspect = |token: &str| -> Value {
        let checked = run(&world, &["check-token"], token);
        serde_json::from_slice(&checked.stdout).unwrap()
    };
    let inspected = inspect(&refresh);
    assert_eq!(inspected["verdict"], "live", "{inspected}");
    assert_eq!(inspected["claims"]["sub"], "alice");
    assert_eq!(inspect("linked-refresh-token-999")["verdict"], "invalid");
    assert_eq!(http.revoke(SHOP, &refresh).await.status, 200);
    assert_eq!(inspect(&refresh)["verdict"], "revoked");
    sidecar.end();
}

/// The authority says 200 to everybody, so a client that nobody has authenticated ends the access
/// tokens of a refresh token only if its issuer says that it is dead.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn issuer_without_an_endpoint_confirms_no_revocation() {
    for is_asked in [true, false] {
        let world = World::new().await;
        let endpoint = Endpoint::start().await;
        let audience = format!("audience = \"{}\"\n", TestIssuer::AUDIENCE);
        let with = format!("{audience}{}", endpoint.section(&world, ""));
        let (second, section) = second_issuer(&world, "");
        let issuer = if is_asked { &world.issuer } else { &second };
        let url = authorization_server(issuer).await;
        let sections = format!("{}[links]\nupstream = {url:?}\n{section}", world.forward());
        let text = world.config(&sections).replacen(&audience, &with, 1);
        let sidecar = Sidecar::start(&world.write("config.toml", &text));
        let http = Http::to(sidecar.url("gateway.listen"));
        let [access, refresh] = tokens(&http, "grant_type=authorization_code&code=c").await;
        assert_eq!(http.get_with("/", &access).await.status, 200);
        assert_eq!(http.revoke(SHOP, &refresh).await.status, 200);
        let after = http.get_with("/", &access).await;
        assert_eq!(after.is_refused(), is_asked, "{after:?}");
        sidecar.end();
    }
}
