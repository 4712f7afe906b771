//! Systems whose calls are those of RFC 7009 on other paths.

use tower::Layer as _;
use tower_revocation::{
    introspect::TokenKind::{AccessToken, RefreshToken},
    profiles::{BoxPlatform, Okta, PingAm, ProfileLayer},
};

use crate::{transcript, world::World};

#[tokio::test]
async fn transcript_of_okta_runs() {
    let world = World::default()
        .client("okta-1", "okta")
        .access("at-okta-other", "okta-2", "ann")
        .access("at-okta-1", "okta-1", "ann");
    let layer = ProfileLayer::new("/oauth2/v1/revoke", Okta, world.endpoint());
    let of_server = ProfileLayer::new("/oauth2/aus1/v1/revoke", Okta, world.endpoint());
    let server = world.serve(|resource| layer.layer(of_server.layer(resource)));
    let page = include_str!("../../src/profiles/okta.md");
    assert_eq!(transcript::run(page, server.await).await, 4);
}

#[tokio::test]
async fn transcript_of_box_runs() {
    let world = World::default()
        .client("box-1", "b")
        .of_grant("rt-2", RefreshToken, "box-1", "grant-2")
        .of_grant("at-2", AccessToken, "box-1", "grant-2")
        .access("at-1", "box-1", "ann");
    let layer = ProfileLayer::new("/oauth2/revoke", BoxPlatform, world.endpoint());
    let server = world.serve(|resource| layer.layer(resource)).await;
    let page = include_str!("../../src/profiles/box.md");
    assert_eq!(transcript::run(page, server).await, 5);
}

#[tokio::test]
async fn transcript_of_pingam_runs() {
    let world = World::default()
        .client("ping-1", "ping")
        .of_grant("rt-ping-1", RefreshToken, "ping-1", "grant-1")
        .of_grant("at-ping-1", AccessToken, "ping-1", "grant-1");
    let path = "/oauth2/realms/root/token/revoke";
    let layer = ProfileLayer::new(path, PingAm, world.endpoint());
    let server = world.serve(|resource| layer.layer(resource)).await;
    let page = include_str!("../../src/profiles/pingam.md");
    assert_eq!(transcript::run(page, server).await, 3);
}
