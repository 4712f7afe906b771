//! Token requests and responses that cannot be read.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use hyper::body::{Body, Frame};

use super::*;

/// A response with tokens, which the layer cannot read.
fn unreadable(world: &World) -> [(&'static str, AuthorizationServer); 3] {
    let access = world.issuer.token().sign();
    let tokens = json!({ "access_token": access, "refresh_token": "unread" });
    let long = json!({
        "access_token": access, "refresh_token": "unread", "x": "y".repeat(70_000),
    });
    let with = |name: &'static str, value: &'static str| {
        let tokens = tokens.clone();
        served(move |_, _| {
            let mut response = json_response(&tokens);
            let value = value.parse().unwrap();
            response.headers_mut().insert(name, value);
            response
        })
    };
    [
        ("compressed", with("content-encoding", "gzip")),
        ("of another type", with("content-type", "text/plain")),
        ("oversized", served(move |_, _| json_response(&long))),
    ]
}

#[tokio::test]
async fn unread_login_passes_and_its_refresh_token_is_unknown() {
    let world = World::new().await;
    for (what, server) in unreadable(&world) {
        let [access, _] = world.ask(server, "grant_type=password").await.tokens();
        assert_eq!(
            world.revoke("test-client", "unread").await,
            Outcome::Unsupported,
            "{what}"
        );
        assert!(world.is_live(&access).await);
    }
    // Once it is used, everything of its holder falls with it.
    let [access, _] = world.login().await;
    world.refresh("unread").await.tokens();
    assert_eq!(
        world.revoke("test-client", "unread").await,
        Outcome::Revoked
    );
    assert!(!world.is_live(&access).await);
}

#[tokio::test]
async fn unread_response_to_a_refresh_falls_with_the_holder() {
    let world = World::new().await;
    // The server revokes by itself, so nothing is refused here.
    let layer = LearnLinksLayer::new(PATH, world.tokens(), world.links.clone());
    for (what, server) in unreadable(&world) {
        let [_, refresh] = world.login().await;
        let body = format!("grant_type=refresh_token&refresh_token={refresh}");
        let passed = layer.layer(server).oneshot(form(&body)).await.unwrap();
        let [access, _] = answer(passed).await.tokens();
        assert_eq!(
            world.revoke("test-client", &refresh).await,
            Outcome::Revoked
        );
        assert!(!world.is_live(&access).await, "{what}");
    }
}

#[tokio::test]
async fn every_success_is_read() {
    let world = World::new().await;
    for (number, status) in [(0, 201), (1, 202), (2, 299)] {
        let [_, refresh] = world.login().await;
        let body = format!("grant_type=refresh_token&refresh_token={refresh}");
        let access = world.issuer.token().sign();
        let next = format!("next-{number}");
        let tokens = json!({ "access_token": access, "refresh_token": next });
        let server = |json: Value| {
            served(move |_, _| {
                let mut response = json_response(&json);
                *response.status_mut() = StatusCode::from_u16(status).unwrap();
                response
            })
        };
        let held = world.ask(server(json!({})), &body).await;
        assert_eq!(held.error(), (503, "temporarily_unavailable".into()));
        let passed = world.ask(server(tokens), &body).await;
        assert_eq!(passed.status.as_u16(), status);
        assert_eq!(world.revoke("test-client", &next).await, Outcome::Revoked);
        assert!(!world.is_live(&access).await);
    }
}

/// The server may find a refresh token in it, and issue tokens that its revocation would miss.
#[tokio::test]
async fn unreadable_request_is_refused_without_a_check_too() {
    let world = World::new().await;
    let layer = LearnLinksLayer::new(PATH, world.tokens(), world.links.clone());
    for body in [
        "grant_type=refresh_token&refresh_token=a&refresh_token=b".to_owned(),
        "x".repeat(100_000),
    ] {
        let service = layer.layer(world.authorization_server());
        let refused = answer(service.oneshot(form(&body)).await.unwrap()).await;
        assert_eq!(refused.error(), (400, "invalid_request".into()));
    }
    assert_eq!(world.requests.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn token_request_that_stalls_is_408_and_never_passed_on() {
    let world = World::new().await;
    let never = service_fn(async |_: Request<WatchedBody<Stalled>>| {
        Err::<Response<Full<Bytes>>, BoxError>("the request was passed on".into())
    });
    let layer = LearnLinksLayer::new(PATH, world.tokens(), world.links.clone());
    let request = Request::post(PATH)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Stalled)
        .unwrap();
    let response = layer.layer(never).oneshot(request).await.unwrap();
    assert_eq!(response.status(), 408);
}

/// A body that never arrives.
struct Stalled;

impl Body for Stalled {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Pending
    }
}

#[tokio::test]
async fn path_that_no_request_has_is_refused() {
    let world = World::new().await;
    for path in ["", "oauth2/token", "/oauth2/token?x", "/token#a"] {
        let (tokens, links) = (world.tokens(), world.links.clone());
        let made = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            LearnLinksLayer::new(path, tokens, links)
        }));
        assert!(made.is_err(), "{path}");
    }
}
