//! Apigee.

use tower::Layer as _;
use tower_revocation::{
    introspect::{
        Introspection,
        TokenKind::{AccessToken, RefreshToken},
    },
    log::NumericDate,
    profiles::{Apigee, ProfileLayer},
};

use crate::{transcript, world::World};

fn issued_at(seconds: u64) -> impl Fn(&mut Introspection) {
    move |token| {
        token.iat = Some(NumericDate::new(seconds));
        token.sub = Some("ann".to_owned());
    }
}

#[tokio::test]
async fn transcript_of_apigee_runs() {
    let (before, after) = ("issued-at-1699999999", "issued-at-1700000001");
    let world = World::default()
        .client("app", "secret")
        .public("public-app")
        .of_grant("7S22-made-up", RefreshToken, "app", "grant-7")
        .of_grant("7S22-access", AccessToken, "app", "grant-7")
        .of_grant("8T33-made-up", RefreshToken, "app", "grant-8")
        .of_grant("8T33-access", AccessToken, "app", "grant-8")
        .of_grant("9U44-made-up", RefreshToken, "app", "grant-9")
        .of_grant("9U44-access", AccessToken, "app", "grant-9")
        .of_grant("9U44-sibling", AccessToken, "app", "grant-9")
        .access("of-bob", "app", "bob")
        .token(before, AccessToken, "app", issued_at(1_699_999_999))
        .token(after, AccessToken, "app", issued_at(1_700_000_001));
    let layer = ProfileLayer::new("/apigee/revoke", Apigee, world.endpoint());
    let server = world.serve(|resource| layer.layer(resource)).await;
    let page = include_str!("../../src/profiles/apigee.md");
    assert_eq!(transcript::run(page, server).await, 19);
}
