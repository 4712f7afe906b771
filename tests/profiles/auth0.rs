//! Auth0.

use tower::Layer as _;
use tower_revocation::{
    introspect::TokenKind::{AccessToken, RefreshToken},
    profiles::{Auth0, ProfileLayer},
};

use crate::{transcript, world::World};

#[tokio::test]
async fn transcript_of_auth0_runs() {
    let world = World::default()
        .client("web-1", "s-1")
        .public("native-1")
        .of_grant("v1.refresh-ABC", RefreshToken, "web-1", "grant-ABC")
        .of_grant("v1.sibling-ABC", AccessToken, "web-1", "grant-ABC")
        .of_grant("v1.refresh-DEF", RefreshToken, "web-1", "grant-DEF")
        .of_grant("v1.sibling-DEF", AccessToken, "web-1", "grant-DEF");
    let world = world
        .of_grant("v1.access-GHI", AccessToken, "native-1", "grant-GHI")
        .of_grant("v1.sibling-GHI", AccessToken, "native-1", "grant-GHI");
    let layer = ProfileLayer::new("/oauth/revoke", Auth0::new(), world.endpoint());
    let token_only = Auth0::new().deletes_grant(false);
    let token_only = ProfileLayer::new("/token-only/oauth/revoke", token_only, world.endpoint());
    let server = world.serve(|resource| layer.layer(token_only.layer(resource)));
    let page = include_str!("../../src/profiles/auth0.md");
    assert_eq!(transcript::run(page, server.await).await, 12);
}
