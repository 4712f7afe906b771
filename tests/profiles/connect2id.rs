//! Connect2id server.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response};
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_revocation::{
    introspect::{
        Introspection,
        TokenKind::{AccessToken, RefreshToken},
    },
    profiles::{Connect2id, ProfileLayer},
};

use crate::{events::Lines, transcript, world::World};

fn of(tenant: &str) -> impl Fn(&mut Introspection) {
    move |token| {
        token.tenant = Some(format!("https://{tenant}.c2id.test"));
        token.sub = Some("alice".to_owned());
    }
}

#[tokio::test]
async fn transcript_of_connect2id_runs() {
    let world = World::default()
        .client("maple", "tree-sap")
        .token("RT-north-0001", RefreshToken, "maple", of("north"))
        .token("AT-north-0001", AccessToken, "maple", of("north"))
        .token("AT-south-0001", AccessToken, "maple", of("south"))
        .token("AT-south-0002", AccessToken, "maple", of("south"));
    let profile = Connect2id::new()
        .tenant("north", "https://north.c2id.test")
        .tenant("south", "https://south.c2id.test");
    let layer = ProfileLayer::new("/token/revoke", profile, world.endpoint());
    let server = world.serve(|resource| layer.layer(resource)).await;
    let page = include_str!("../../src/profiles/connect2id.md");
    assert_eq!(transcript::run(page, server).await, 12);
}

#[tokio::test]
async fn identifier_of_a_failure_is_in_exactly_one_event() {
    let (lines, _guard) = Lines::listen();
    let world = World::default().client("maple", "tree-sap");
    let layer = ProfileLayer::new("/token/revoke", Connect2id::new(), world.endpoint());
    let service = layer.layer(service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    }));
    let request = Request::post("/token/revoke")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", "Basic bWFwbGU6d3Jvbmc=")
        .body(Full::<Bytes>::from("token=AT-1"))
        .unwrap();
    let response = service.oneshot(request).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let id = body["client_auth_id"].as_str().unwrap();
    assert_eq!(id.len(), 22);
    let lines = lines.take();
    let events: Vec<_> = lines.lines().filter(|line| line.contains(id)).collect();
    assert_eq!(events.len(), 1, "{lines}");
    assert!(events[0].contains("wrong_secret"), "{lines}");
    assert!(!lines.contains("AT-1"), "{lines}");
}
