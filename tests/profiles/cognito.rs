//! Amazon Cognito.

use tower::Layer as _;
use tower_revocation::{
    introspect::TokenKind::{AccessToken, RefreshToken},
    profiles::{Cognito, CognitoApi, ProfileLayer},
};

use crate::{transcript, world::World};

#[tokio::test]
async fn transcript_of_cognito_runs() {
    let world = World::default()
        .client("pool", "pool-secret")
        .of_grant("opaque-refresh-77", RefreshToken, "pool", "origin-77")
        .of_grant("access-77-a", AccessToken, "pool", "origin-77")
        .of_grant("access-77-b", AccessToken, "pool", "origin-77")
        .of_grant("opaque-refresh-78", RefreshToken, "pool", "origin-78")
        .of_grant("access-78", AccessToken, "pool", "origin-78");
    let layer = ProfileLayer::new("/oauth2/revoke", Cognito, world.endpoint());
    let api = ProfileLayer::new("/", CognitoApi, world.endpoint());
    let server = world.serve(|resource| layer.layer(api.layer(resource)));
    let page = include_str!("../../src/profiles/cognito.md");
    assert_eq!(transcript::run(page, server.await).await, 15);
}
