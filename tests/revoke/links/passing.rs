//! What passes the layer, and in which form.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use hyper::{
    Method,
    body::{Body, Frame},
};
use tower_test::mock;

use super::*;

/// A server that answers with the body of the request.
fn echo() -> AuthorizationServer {
    served(|headers, body| {
        let mut response = Response::new(Full::from(body.to_vec()));
        *response.headers_mut() = headers.clone();
        response
    })
}

async fn send(world: &World, request: Request<Full<Bytes>>) -> Answer {
    let service = world.layer().layer(echo());
    answer(service.oneshot(request).await.unwrap()).await
}

#[tokio::test]
async fn other_requests_pass_unchanged() {
    let world = World::new().await;
    let long = "x".repeat(200_000);
    for (method, uri) in [
        (Method::POST, "/oauth2/revoke"),
        (Method::POST, "/oauth2/token/"),
        (Method::POST, "/OAUTH2/token"),
        (Method::POST, "/x?/oauth2/token"),
        (Method::GET, PATH),
        (Method::OPTIONS, PATH),
    ] {
        let request = Request::builder().method(method).uri(uri);
        let request = request.body(Full::from(long.clone())).unwrap();
        let passed = send(&world, request).await;
        assert_eq!(
            (passed.status, passed.body.len()),
            (StatusCode::OK, long.len())
        );
    }
}

#[tokio::test]
async fn watched_request_and_response_keep_their_bytes() {
    let world = World::new().await;
    let bodies = [
        "",
        "grant_type=client_credentials",
        "grant_type=password&x=%C3%A4+b",
    ];
    for body in bodies {
        let request = Request::post(PATH)
            .header(CONTENT_TYPE, FORM)
            .header("x-a", "b");
        let request = request
            .header(ACCEPT_ENCODING, "gzip")
            .body(body.into())
            .unwrap();
        let passed = send(&world, request).await;
        assert_eq!(
            (&*passed.body, &passed.headers["x-a"]),
            (body.as_bytes(), &"b".parse().unwrap())
        );
    }
}

#[tokio::test]
async fn response_that_is_no_token_response_passes() {
    let world = World::new().await;
    let refused = || {
        served(|_, _| {
            let mut response = json_response(&json!({ "error": "invalid_grant" }));
            *response.status_mut() = StatusCode::BAD_REQUEST;
            response
        })
    };
    let form = "grant_type=refresh_token&refresh_token=unknown";
    let answer = world.ask(refused(), form).await;
    assert_eq!(answer.error(), (400, "invalid_grant".into()));
    assert!(!answer.headers.contains_key("cache-control"));
    // A login may get anything.
    for body in ["{}", "{", "", "[1]"] {
        let server = served(move |_, _| {
            let response = Response::builder().header(CONTENT_TYPE, "application/json");
            response.body(Full::from(body)).unwrap()
        });
        assert_eq!(world.ask(server, "grant_type=password").await.body, body);
    }
}

#[tokio::test]
async fn refresh_token_in_json_is_read_too() {
    let world = World::new().await;
    let [first, refresh] = world.login().await;
    let json = json!({ "grant_type": "refresh_token", "refresh_token": refresh }).to_string();
    let request = Request::post(PATH).header(CONTENT_TYPE, "application/json");
    let request = request.body(Full::from(json)).unwrap();
    let service = world.layer().layer(world.authorization_server());
    let [second, rotated] = answer(service.oneshot(request).await.unwrap())
        .await
        .tokens();
    assert_eq!(
        world.revoke("test-client", &rotated).await,
        Outcome::Revoked
    );
    assert!(!world.is_live(&first).await && !world.is_live(&second).await);
}

#[tokio::test]
async fn without_a_check_revoked_tokens_pass() {
    let world = World::new().await;
    let layer = LearnLinksLayer::new(PATH, world.tokens(), world.links.clone());
    let [_, refresh] = world.login().await;
    world.revoke("test-client", &refresh).await;
    let body = format!("grant_type=refresh_token&refresh_token={refresh}");
    let passed = layer.layer(echo()).oneshot(form(&body)).await.unwrap();
    assert_eq!(answer(passed).await.body, body);
}

/// A body that never ends, in chunks of 1 KiB. It counts what was read.
struct Endless(Arc<AtomicUsize>);

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.fetch_add(1024, Ordering::SeqCst);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b' '; 1024])))))
    }
}

#[tokio::test]
async fn endless_response_is_not_held_back() {
    let world = World::new().await;
    let read = Arc::new(AtomicUsize::new(0));
    let counted = read.clone();
    let server = service_fn(move |_: Request<WatchedBody<Full<Bytes>>>| {
        let response = Response::builder().header(CONTENT_TYPE, "application/json");
        std::future::ready(response.body(Endless(counted.clone())))
    });
    let request = Request::post(PATH).header(CONTENT_TYPE, FORM);
    let request = request.body(Full::from("grant_type=password")).unwrap();
    let response = world.layer().layer(server).oneshot(request).await.unwrap();
    let held = read.load(Ordering::SeqCst);
    assert!((64 * 1024..=70 * 1024).contains(&held), "{held}");
    let mut body = response.into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first.len(), held);
    assert!(body.frame().await.unwrap().unwrap().is_data());
    assert!(!body.is_end_stream());
}

#[tokio::test]
async fn readiness_is_that_of_the_inner_service() {
    let world = World::new().await;
    let layer = LearnLinksLayer::new(PATH, world.tokens(), world.links.clone());
    let (mut service, mut handle) =
        mock::spawn_layer::<Request<WatchedBody<Full<Bytes>>>, Response<Full<Bytes>>, _>(layer);
    handle.allow(0);
    assert!(service.poll_ready().is_pending());
    handle.allow(1);
    assert!(service.poll_ready().is_ready());
    let response = tokio::spawn(service.call(form("")));
    let (request, respond) = handle.next_request().await.unwrap();
    assert_eq!(request.uri(), PATH);
    respond.send_response(Response::new(Full::from("done")));
    assert_eq!(answer(response.await.unwrap().unwrap()).await.body, "done");
}
