//! How sessions end.

use crate::{client::Visitor, world::World};

#[tokio::test]
async fn sign_out_ends_the_session_for_every_copy_of_the_cookie() {
    let world = World::new().await;
    let mut operator = Visitor::operator(&world, "operator").await;
    let copy = operator.cookies.clone();
    let token = operator.get("/").await.hidden("form_token");
    let answer = operator.post("/sign-out", &[("form_token", &token)]).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (303, "/sign-in")
    );
    assert!(!operator.cookies.contains_key("__Host-revocation-operator"));
    operator.cookies = copy;
    assert_eq!(operator.get("/").await.header("location"), "/sign-in");
}

#[tokio::test]
async fn token_that_is_removed_ends_its_sessions() {
    let world = World::new().await;
    let mut operator = Visitor::operator(&world, "operator").await;
    let mut viewer = Visitor::operator(&world, "viewer").await;
    let reloaded = world.reload(&["viewer", "security"]).await;
    operator.host.clone_from(&reloaded);
    viewer.host = reloaded;
    assert_eq!(operator.get("/").await.header("location"), "/sign-in");
    assert_eq!(viewer.get("/").await.status, 200);
    // It is ended, and does not wait for the token to come back.
    operator.host.clone_from(&world.host);
    assert_eq!(operator.get("/").await.header("location"), "/sign-in");
}

#[tokio::test]
async fn seventeenth_session_of_an_operator_ends_the_first() {
    let world = World::new().await;
    let mut first = Visitor::operator(&world, "operator").await;
    let mut other = Visitor::operator(&world, "viewer").await;
    for _ in 0..16 {
        Visitor::operator(&world, "operator").await;
    }
    assert_eq!(first.get("/").await.status, 303);
    assert_eq!(other.get("/").await.status, 200);
}
