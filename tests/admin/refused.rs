//! Requests that are wrong in form, and orders that cannot be carried out.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use hyper::body::{Body, Frame};
use tower::service_fn;
use tower_revocation::introspect::Introspected;

use super::*;

const ALICE: &str = r#"{"target":{"subject":"alice"}}"#;

#[tokio::test]
async fn unknown_paths_and_methods() {
    let world = World::new().await;
    for uri in [
        "/",
        "/v1",
        "/v1/revocations/",
        "/v1/revocations%20",
        "/V1/status",
        "/v1//status",
    ] {
        send(world.local(), get(uri)).await.is_problem(404);
    }
    for (method, uri, allowed) in [
        (Method::PUT, "/v1/revocations", "GET, POST"),
        (Method::DELETE, "/v1/revocations", "GET, POST"),
        (Method::GET, "/v1/revocations:bulk", "POST"),
        (Method::POST, "/v1/revocations:export", "GET"),
        (Method::GET, "/v1/tokens:inspect", "POST"),
        (Method::POST, "/v1/status", "GET"),
        (Method::HEAD, "/v1/status", "GET"),
    ] {
        let mut request = get(uri);
        *request.method_mut() = method;
        let answer = send(world.local(), request).await;
        answer.is_problem(405);
        assert_eq!(answer.headers["allow"], allowed);
    }
    // Strangers do not learn what there is.
    send(world.remote(), get("/v1/unknown"))
        .await
        .is_problem(401);
}

#[tokio::test]
async fn body_must_be_a_short_json_document() {
    let world = World::new().await;
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "",
    ] {
        let mut request = post("/v1/revocations", ALICE);
        request
            .headers_mut()
            .insert(CONTENT_TYPE, content_type.parse().unwrap());
        send(world.local(), request).await.is_problem(415);
    }
    let mut none = post("/v1/revocations", ALICE);
    none.headers_mut().remove(CONTENT_TYPE);
    send(world.local(), none).await.is_problem(415);
    let coded = with(post("/v1/revocations", ALICE), "content-encoding", "gzip");
    send(world.local(), coded).await.is_problem(415);

    let long = format!(
        r#"{{"target":{{"subject":"alice"}},"reason":"{}"}}"#,
        "x".repeat(70_000)
    );
    send(world.local(), post("/v1/revocations", &long))
        .await
        .is_problem(413);
    for body in [
        "",
        "{",
        "null",
        "7",
        "\"x\"",
        "[]",
        &format!("{ALICE} x"),
        &"[".repeat(9000),
    ] {
        let answer = send(world.local(), post("/v1/revocations", body)).await;
        answer.is_problem(400);
    }
    assert_eq!(world.records().await, 0);
    let mut fine = post("/v1/revocations", ALICE);
    let json = "Application/JSON; charset=utf-8".parse().unwrap();
    fine.headers_mut().insert(CONTENT_TYPE, json);
    assert_eq!(send(world.local(), fine).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn error_repeats_nothing_of_the_request() {
    let world = World::new().await;
    for body in [
        r#"{"token":{"secret-word":1}}"#,
        r#"{"token":"secret-word","x":1}"#,
        r#"{"secret-word":1}"#,
        r#"{"token":"secret-word"#,
    ] {
        let answer = send(world.local(), post("/v1/tokens:inspect", body)).await;
        answer.is_problem(400);
        assert!(
            !answer.json.to_string().contains("secret"),
            "{}",
            answer.json
        );
    }
    let in_query = post("/v1/tokens:inspect?token=secret-word", r#"{"token":"x"}"#);
    send(world.local(), in_query).await.is_problem(400);
}

/// A body that never arrives.
struct Stalled;

impl Body for Stalled {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn body_that_does_not_arrive_is_408() {
    let world = World::new().await;
    let request = post("/v1/revocations", "").map(|_| Stalled);
    let started = tokio::time::Instant::now();
    let response = world.local().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
    assert_eq!(
        started.elapsed().as_secs(),
        Duration::from_secs(10).as_secs()
    );
}

#[tokio::test]
async fn what_could_not_be_found_out_is_503() {
    let world = World::new().await;
    let away = service_fn(|_: Secret| {
        let error: BoxError = "secret cause".into();
        std::future::ready(Err::<Introspected, _>(error))
    });
    let tenants = || Tenants::each_issuer([ISSUER]);
    let service = world.service_of(away, tenants(), Access::owner("root"));
    for (uri, body) in [
        ("/v1/tokens:inspect", r#"{"token":"x"}"#),
        ("/v1/revocations", r#"{"target":{"token":"x"}}"#),
    ] {
        let answer = send(service.clone(), post(uri, body)).await;
        answer.is_problem(503);
        assert!(answer.headers.contains_key("retry-after"));
        assert!(!answer.json.to_string().contains("secret"));
    }
    let telling = world
        .service_of(away, tenants(), Access::owner("root"))
        .tell_causes(true);
    let answer = send(telling, post("/v1/tokens:inspect", r#"{"token":"x"}"#)).await;
    answer.is_problem(503);
    let detail = answer.json["detail"].as_str().unwrap();
    assert!(
        detail.ends_with("could not be found out: secret cause"),
        "{detail}"
    );
    // A log without room.
    let full = MemoryLog::new().ceiling(1);
    let index = Index::follow(&full).await.unwrap();
    let administration = Administration::new(full);
    let access = Access::owner("root");
    let service = AdminService::new(administration, index, world.tokens(), tenants(), access);
    let order = |name: &str| post("/v1/revocations", &ALICE.replace("alice", name));
    assert_eq!(
        send(service.clone(), order("alice")).await.status,
        StatusCode::CREATED
    );
    let answer = send(service, order("bob")).await;
    answer.is_problem(503);
    assert_eq!(answer.headers["retry-after"], "60");
}
