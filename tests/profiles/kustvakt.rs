//! Kustvakt.

use tower_revocation::{
    introspect::TokenKind,
    profiles::{Kustvakt, ProfileLayer},
};

use crate::{transcript, world::World};

#[tokio::test]
async fn transcript_of_kustvakt_runs() {
    let world = World::default()
        .client("corpus-ui", "k0rp")
        .public("corpus-app")
        .token("rt-55", TokenKind::RefreshToken, "corpus-ui", |token| {
            token.grant = Some("grant-55".into());
        })
        .token("at-55", TokenKind::AccessToken, "corpus-ui", |token| {
            token.grant = Some("grant-55".into());
        })
        .access("at-56", "corpus-app", "ann")
        .access("at-57", "corpus-app", "ann");
    let layer = ProfileLayer::new("/api/v1.0/oauth2/revoke", Kustvakt::new(), world.endpoint());
    let server = world.serve(layer).await;
    let page = include_str!("../../src/profiles/kustvakt.md");
    assert_eq!(transcript::run(page, server).await, 5);
}
