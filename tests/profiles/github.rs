//! GitHub.

use tower::Layer as _;
use tower_revocation::profiles::{GitHub, ProfileLayer};

use crate::{transcript, world::World};

#[tokio::test]
async fn transcript_of_github_runs() {
    let world = World::default()
        .client("Iv1.made0up", "secret")
        .access("gho_alice_1", "Iv1.made0up", "alice")
        .access("gho_alice_2", "Iv1.made0up", "alice")
        .access("gho_alice_3", "Iv1.made0up", "alice")
        .public("public-app")
        .access("gho_public", "public-app", "alice")
        .access("gho_bob_1", "Iv1.made0up", "bob");
    let layer = ProfileLayer::new("/applications", GitHub, world.endpoint());
    let server = world.serve(|resource| layer.layer(resource)).await;
    let page = include_str!("../../src/profiles/github.md");
    assert_eq!(transcript::run(page, server).await, 13);
}
