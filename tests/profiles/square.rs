//! Square.

use tower::Layer as _;
use tower_revocation::profiles::{ProfileLayer, Square};

use crate::{transcript, world::World};

#[tokio::test]
async fn transcript_of_square_runs() {
    let world = World::default()
        .client("sq-app", "app-secret-9")
        .access("EAAA-1", "sq-app", "alice")
        .access("EAAA-2", "sq-app", "alice")
        .access("EAAA-3", "sq-app", "alice")
        .access("EAAA-bob", "sq-app", "bob")
        .access("EAAA-other", "other", "carol")
        .access("EAAA-carol", "sq-app", "carol");
    let layer = ProfileLayer::new("/oauth2/revoke", Square, world.endpoint());
    let server = world.serve(|resource| layer.layer(resource)).await;
    let page = include_str!("../../src/profiles/square.md");
    assert_eq!(transcript::run(page, server).await, 15);
}
