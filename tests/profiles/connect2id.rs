//! Connect2id server.

use tower::Layer as _;
use tower_revocation::{
    introspect::{
        Introspection,
        TokenKind::{AccessToken, RefreshToken},
    },
    profiles::{Connect2id, ProfileLayer},
};

use crate::{transcript, world::World};

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
        .token("AT-south-0001", AccessToken, "maple", of("south"));
    let profile = Connect2id::new()
        .tenant("north", "https://north.c2id.test")
        .tenant("south", "https://south.c2id.test");
    let layer = ProfileLayer::new("/token/revoke", profile, world.endpoint());
    let server = world.serve(|resource| layer.layer(resource)).await;
    let page = include_str!("../../src/profiles/connect2id.md");
    assert_eq!(transcript::run(page, server).await, 7);
}
