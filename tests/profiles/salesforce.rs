//! Salesforce.

use tower::Layer as _;
use tower_revocation::{
    introspect::TokenKind::{AccessToken, RefreshToken},
    profiles::{Possession, ProfileLayer, Salesforce},
};

use crate::{transcript, world::World};

#[tokio::test]
async fn transcript_of_salesforce_runs() {
    let world = World::default()
        .of_grant("00D-made-up", RefreshToken, "app-1", "grant-1")
        .of_grant("00D-access", AccessToken, "app-1", "grant-1")
        .access("00D-other", "app-2", "ann")
        .access("00D-last", "app-2", "ann");
    let endpoint = world.endpoint_of(Possession);
    let path = "/services/oauth2/revoke";
    let layer = ProfileLayer::new(path, Salesforce::new(), endpoint.clone());
    let jsonp = Salesforce::new().strict(true).dangerously_allow_jsonp(true);
    let jsonp = ProfileLayer::new("/jsonp/revoke", jsonp, endpoint);
    let server = world.serve(|resource| layer.layer(jsonp.layer(resource)));
    let page = include_str!("../../src/profiles/salesforce.md");
    assert_eq!(transcript::run(page, server.await).await, 10);
}
