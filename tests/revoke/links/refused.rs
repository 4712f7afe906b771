//! Token requests that are not passed on, and responses that are held back.

use tower_revocation::{
    introspect::Reason,
    log::{Revocation, RevocationLog as _, Selector},
};

use super::*;

const INVALID_GRANT: (u16, &str) = (400, "invalid_grant");

fn is(answer: &Answer, expected: (u16, &str)) {
    assert_eq!(answer.error(), (expected.0, expected.1.to_owned()));
    assert_eq!(answer.headers["cache-control"], "no-store");
}

#[tokio::test]
async fn revoked_refresh_token_is_not_passed_on() {
    let world = World::new().await;
    let [_, refresh] = world.login().await;
    let [_, rotated] = world.refresh(&refresh).await.tokens();
    world.revoke("test-client", &rotated).await;
    for token in [&refresh, &rotated] {
        is(&world.refresh(token).await, INVALID_GRANT);
    }
    assert_eq!(world.requests.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn refresh_token_that_is_revoked_meanwhile_gets_no_tokens() {
    let world = World::new().await;
    let [_, refresh] = world.login().await;
    let (log, token) = (world.log.clone(), world.issuer.token().sign());
    let grant = world
        .links
        .find(&Secret::new(&*refresh))
        .unwrap()
        .unwrap()
        .into_claims()
        .grant
        .unwrap();
    let grant = Selector::grant(&grant).within("https://issuer.test");
    let server = served(move |_, _| {
        let record = Revocation::forever(grant, NumericDate::FOREVER);
        futures::executor::block_on(log.append(vec![record])).unwrap();
        json_response(&json!({ "access_token": token, "refresh_token": "next" }))
    });
    let form = format!("grant_type=refresh_token&refresh_token={refresh}");
    is(&world.ask(server, &form).await, INVALID_GRANT);
    is(&world.refresh("next").await, INVALID_GRANT);
}

#[tokio::test]
async fn refresh_token_is_still_revoked_after_its_link_is_forgotten() {
    let mut world = World::new().await;
    world.links = world.links.clone().per_client(1);
    let [_, refresh] = world.login().await;
    world.revoke("test-client", &refresh).await;
    world.login().await;
    assert!(world.links.find(&Secret::new(&*refresh)).unwrap().is_none());
    is(&world.refresh(&refresh).await, INVALID_GRANT);
}

#[tokio::test]
async fn request_that_cannot_be_read_is_refused() {
    let world = World::new().await;
    let long = format!(
        "grant_type=refresh_token&refresh_token={}",
        "x".repeat(70_000)
    );
    let doubled = "grant_type=refresh_token&refresh_token=a&refresh_token=b";
    for body in [
        &*long,
        doubled,
        "grant_type=refresh_token&refresh_token=%ff",
    ] {
        let answer = world.ask(world.authorization_server(), body).await;
        is(&answer, (400, "invalid_request"));
    }
    assert_eq!(world.requests.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn unknown_state_is_503() {
    let world = World::new().await;
    let [_, refresh] = world.login().await;
    let unready = Index::new();
    let layer = LearnLinksLayer::new(PATH, world.tokens(), world.links.clone());
    let layer = layer.refuse_revoked(move |_| match unready.freshness() {
        Freshness::Fresh => Ok(false),
        _ => Err("the index is not fresh".into()),
    });
    let form = format!("grant_type=refresh_token&refresh_token={refresh}");
    let request = Request::post(PATH).header(CONTENT_TYPE, FORM);
    let request = request.body(Full::from(form)).unwrap();
    let service = layer.layer(world.authorization_server());
    let answer = answer(service.oneshot(request).await.unwrap()).await;
    is(&answer, (503, "temporarily_unavailable"));
    assert!(answer.headers.contains_key("retry-after"));
}

/// The new tokens would be unknown to a revocation of the old one.
#[tokio::test]
async fn response_to_a_refresh_that_cannot_be_read_is_held_back() {
    let world = World::new().await;
    let [_, refresh] = world.login().await;
    let form = format!("grant_type=refresh_token&refresh_token={refresh}");
    let long = json!({ "access_token": "a", "x": "y".repeat(70_000) }).to_string();
    for body in [
        "{}",
        "[]",
        "{",
        r#"{"access_token":"a","access_token":"b"}"#,
        &long,
    ] {
        let body = body.to_owned();
        let server = served(move |_, _| {
            let response = Response::builder().header(CONTENT_TYPE, "application/json");
            response.body(Full::from(body.clone())).unwrap()
        });
        is(
            &world.ask(server, &form).await,
            (503, "temporarily_unavailable"),
        );
    }
    for (name, value) in [("content-type", "text/plain"), ("content-encoding", "gzip")] {
        let token = world.issuer.token().sign();
        let server = served(move |_, _| {
            let mut response = json_response(&json!({ "access_token": token }));
            response.headers_mut().insert(name, value.parse().unwrap());
            response
        });
        is(
            &world.ask(server, &form).await,
            (503, "temporarily_unavailable"),
        );
    }
}

#[tokio::test]
async fn new_refresh_token_is_linked_if_the_access_token_is_for_another_api() {
    let world = World::new().await;
    let [_, refresh] = world.login().await;
    let elsewhere = world.issuer.token().audience("https://other.test").sign();
    let server = served(move |_, _| {
        json_response(&json!({ "access_token": elsewhere, "refresh_token": "next" }))
    });
    let form = format!("grant_type=refresh_token&refresh_token={refresh}");
    assert_eq!(world.ask(server, &form).await.status, StatusCode::OK);
    assert_eq!(world.revoke("test-client", "next").await, Outcome::Revoked);
    is(&world.refresh(&refresh).await, INVALID_GRANT);
}

#[tokio::test]
async fn access_token_that_could_not_be_introspected_falls_with_its_holder() {
    let world = World::new().await;
    let [_, refresh] = world.login().await;
    let unknown = world.issuer.token().sign();
    let access = unknown.clone();
    let server = served(move |_, _| json_response(&json!({ "access_token": access })));
    let away = LearnLinksLayer::new(PATH, says(Err("no keys")), world.links.clone());
    let form = format!("grant_type=refresh_token&refresh_token={refresh}");
    let request = Request::post(PATH).header(CONTENT_TYPE, FORM);
    let request = request.body(Full::from(form)).unwrap();
    let response = away.layer(server).oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(world.is_live(&unknown).await);
    assert_eq!(
        world.revoke("test-client", &refresh).await,
        Outcome::Revoked
    );
    assert!(!world.is_live(&unknown).await);
}

#[tokio::test]
async fn login_whose_access_token_is_not_recognised_is_not_linked() {
    let world = World::new().await;
    for introspected in [
        Ok(Introspected::Unrecognised(Reason::NotAToken)),
        Ok(Introspected::unhandled(Reason::Audience, None)),
        Err("no keys"),
    ] {
        let layer = LearnLinksLayer::new(PATH, says(introspected), world.links.clone());
        let request = Request::post(PATH).header(CONTENT_TYPE, FORM);
        let request = request
            .body(Full::from("grant_type=authorization_code"))
            .unwrap();
        let service = layer.layer(world.authorization_server());
        let [_, refresh] = answer(service.oneshot(request).await.unwrap())
            .await
            .tokens();
        assert_eq!(
            world.revoke("test-client", &refresh).await,
            Outcome::Unsupported
        );
    }
}
