//! WSO2 Identity Server.

use tower::Layer as _;
use tower_revocation::{
    introspect::TokenKind::{AccessToken, RefreshToken},
    profiles::{ProfileLayer, Wso2},
};

use crate::{transcript, world::World};

#[tokio::test]
async fn transcript_of_wso2_runs() {
    let world = World::default()
        .client("shop", "shop-secret")
        .public("jwt-app")
        .access("at-7f3a", "shop", "ann@example.com")
        .of_grant("rt-jwt-1", RefreshToken, "jwt-app", "grant-1")
        .of_grant("at-jwt-1", AccessToken, "jwt-app", "grant-1");
    let profile = Wso2::new().echo_digests(true).foreign_tokens_as_wso2(true);
    let layer = ProfileLayer::new("/oauth2/revoke", profile, world.endpoint());
    let plain = ProfileLayer::new("/plain/oauth2/revoke", Wso2::new(), world.endpoint());
    let server = world.serve(|resource| layer.layer(plain.layer(resource)));
    let page = include_str!("../../src/profiles/wso2.md");
    assert_eq!(transcript::run(page, server.await).await, 7);
}
