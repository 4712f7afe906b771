//! The revocation endpoint in both modes.

use hyper::StatusCode;

use super::{
    http::Http,
    process::Sidecar,
    world::{OTHER, SHOP, World},
};

fn gateway(sidecar: &Sidecar) -> Http {
    Http::to(sidecar.url("gateway.listen"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revoked_token_is_refused_also_after_a_kill() {
    let world = World::new().await;
    let sidecar = world.start(&world.terminate());
    let http = gateway(&sidecar);
    let (token, other) = (world.token(), world.token());
    assert_eq!(http.get_with("/me", &token).await.text, "/me alice ");
    assert_eq!(http.revoke(SHOP, &token).await.status, 200);
    assert!(http.get_with("/me", &token).await.is_refused());
    assert_eq!(http.get_with("/me", &other).await.status, 200);
    sidecar.kill();

    let sidecar = world.start(&world.terminate());
    let http = gateway(&sidecar);
    assert!(http.get_with("/me", &token).await.is_refused());
    assert_eq!(http.get_with("/me", &other).await.status, 200);
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn script_revokes_only_if_that_is_allowed() {
    let world = World::new().await;
    world.register(&[serde_json::json!({
        "client_id": SHOP.0, "token_endpoint_auth_method": "none",
    })]);
    for is_allowed in [false, true] {
        let key = format!("dangerously_allow_jsonp = {is_allowed}\n");
        let sidecar = world.start(&(world.terminate() + &key));
        let http = gateway(&sidecar);
        let token = world.token();
        let script = format!(
            "/oauth2/revoke?token={token}&client_id={}&callback=done",
            SHOP.0
        );
        let answer = http.get(&script).await;
        let log = if is_allowed {
            assert_eq!(
                (answer.status.as_u16(), &*answer.text),
                (200, "/**/done();")
            );
            assert!(http.get_with("/", &token).await.is_refused());
            sidecar.end()
        } else {
            assert_eq!(answer.status, 405);
            assert_eq!(http.get_with("/", &token).await.status, 200);
            sidecar.end()
        };
        assert_eq!(log.contains("tokens are in URLs"), is_allowed, "{log}");
        assert!(!log.contains(&token));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_client_of_a_token_revokes_it() {
    let world = World::new().await;
    let sidecar = world.start(&world.terminate());
    let http = gateway(&sidecar);
    let token = world.token();
    let refused = http.revoke((SHOP.0, "wrong"), &token).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["error"]),
        (401, &"invalid_client".into())
    );
    let refused = http.revoke(OTHER, &token).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["error"]),
        (400, &"invalid_grant".into())
    );
    assert_eq!(http.get_with("/", &token).await.status, 200);
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opaque_refresh_token_without_introspection_is_unsupported_and_not_200() {
    let world = World::new().await;
    let sidecar = world.start(&world.terminate());
    for token in [
        "45ghiukldjahdnhzdauz",
        "v1.MjAyNi0xMS0yNw",
        &world.issuer.token().typ("rt+jwt").sign(),
    ] {
        let answer = gateway(&sidecar).revoke(SHOP, token).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        assert_eq!(answer.json()["error"], "unsupported_token_type");
    }
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forwarded_revocation_is_recorded_after_the_200_of_the_authority() {
    let world = World::new().await;
    let sidecar = world.start(&world.forward());
    let http = gateway(&sidecar);
    let (token, other) = (world.token(), world.token());
    assert_eq!(http.revoke(SHOP, &token).await.status, 200);
    assert!(http.get_with("/", &token).await.is_refused());
    assert_eq!(http.get_with("/", &other).await.status, 200);
    let bodies = world.authority.bodies.lock().unwrap().clone();
    assert_eq!(bodies, [format!("token={token}")]);
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failure_of_the_authority_is_503_and_nothing_is_recorded() {
    let world = World::new().await;
    let sidecar = world.start(&world.forward());
    let http = gateway(&sidecar);
    let token = world.token();
    for status in [500, 503, 429, 302] {
        *world.authority.status.lock().unwrap() = StatusCode::from_u16(status).unwrap();
        let answer = http.revoke(SHOP, &token).await;
        assert_eq!(answer.status, 503, "{status}");
        assert!(!answer.header("retry-after").is_empty(), "{status}");
        assert_eq!(http.get_with("/", &token).await.status, 200, "{status}");
    }
    *world.authority.status.lock().unwrap() = StatusCode::OK;
    assert_eq!(http.revoke(SHOP, &token).await.status, 200);
    assert!(http.get_with("/", &token).await.is_refused());
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn foreign_token_revokes_nothing_else_of_its_client() {
    let world = World::new().await;
    // The authority says 200 to everybody, and nobody here knows the clients.
    let sidecar = world.start(&world.forward());
    let http = gateway(&sidecar);
    let token = world.issuer.token().client(SHOP.0).session("s1").sign();
    let sibling = world.issuer.token().client(SHOP.0).session("s1").sign();
    let answer = http.revoke(OTHER, &token).await;
    assert!(answer.status == 400 || answer.status == 200, "{answer:?}");
    assert_eq!(http.get_with("/", &sibling).await.status, 200);
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gateway_without_an_api_only_revokes() {
    let world = World::new().await;
    let text = world.config(&world.terminate());
    let upstream = format!("upstream = \"{}\"\n", world.upstream);
    let config = world.write("config.toml", &text.replace(&upstream, ""));
    let sidecar = Sidecar::start(&config);
    let http = gateway(&sidecar);
    let token = world.token();
    assert_eq!(http.get_with("/", &token).await.status, 404);
    assert_eq!(http.revoke(SHOP, &token).await.status, 200);
    sidecar.end();
}
