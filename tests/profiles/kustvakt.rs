//! Kustvakt.

use tower::Layer as _;
use tower_revocation::{
    enforce::Index,
    introspect::TokenKind::{AccessToken, RefreshToken},
    profiles::{Kustvakt, ProfileLayer},
};

use crate::{transcript, world::World};

#[tokio::test]
async fn transcript_of_kustvakt_runs() {
    let world = World::default()
        .client("corpus-ui", "k0rp")
        .public("corpus-app")
        .of_grant("rt-55", RefreshToken, "corpus-ui", "grant-55")
        .of_grant("at-55", AccessToken, "corpus-ui", "grant-55")
        .access("at-56", "corpus-app", "ann")
        .access("at-57", "corpus-app", "ann")
        .client("plain", "secret")
        .access("at-ann", "corpus-ui", "ann")
        .access("at-plugin", "plugin", "ann")
        .access("at-bob", "plugin", "bob");
    let path = "/api/v1.0/oauth2/revoke";
    let index = Index::follow(&world.log).await.unwrap();
    let kustvakt = Kustvakt::new().super_clients(["corpus-ui"], world.introspect(), index);
    let layer = ProfileLayer::new(path, kustvakt, world.endpoint());
    let plain = Kustvakt::new().success_body(false);
    let plain = ProfileLayer::new("/plain/revoke", plain, world.endpoint());
    let server = world.serve(|resource| layer.layer(plain.layer(resource)));
    let page = include_str!("../../src/profiles/kustvakt.md");
    assert_eq!(transcript::run(page, server.await).await, 15);
}
