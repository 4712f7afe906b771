//! `examples/spa`: an app of another origin.

use crate::{
    browser::{self, Browser},
    world::World,
};

#[tokio::test]
async fn app_of_another_origin_revokes_for_its_user() {
    let Some(program) = browser::program() else {
        return;
    };
    let world = World::new().await;
    let own = world.used("alice", "s1").await;
    let [second, third] = [
        world.used("alice", "s2").await,
        world.used("alice", "s3").await,
    ];
    let pasted = world.issuer.token().subject("alice").sign();
    let foreign = world.used("bob", "b1").await;
    let mut browser = Browser::start(&program).await;
    browser.open(&world.app).await;
    browser.set("Address of the API", &world.base).await;
    browser.fill("Your access token", &own).await;
    browser.press("Enter").await;
    // Its last use may have been in this second, by another browser.
    browser.waits_for("(this session)").await;
    browser.shows("firefox, network 192.0.2.0/24").await;
    browser.picture("spa").await;
    browser.click_here("End it").await;
    browser.waits_for("The session has ended.").await;
    assert!(world.is_live(&second).await != world.is_live(&third).await);
    browser.click_here("End all other sessions").await;
    browser
        .waits_for("All other sessions that were seen here have ended.")
        .await;
    assert!(!world.is_live(&second).await && !world.is_live(&third).await);
    let label = "A token of yours, such as one that you have pasted somewhere by mistake";
    browser.fill(label, &foreign).await;
    browser.click_here("Revoke").await;
    browser.waits_for("This is no token of yours.").await;
    assert!(world.is_live(&foreign).await);
    browser.fill(label, &pasted).await;
    browser.click_here("Revoke").await;
    browser.waits_for("The token is revoked.").await;
    assert!(!world.is_live(&pasted).await && world.is_live(&own).await);
    browser.click_here("End this session").await;
    browser.waits_for("The token is not live.").await;
    assert!(!world.is_live(&own).await);
}

#[tokio::test]
async fn app_of_an_origin_that_is_not_allowed_learns_nothing() {
    let Some(program) = browser::program() else {
        return;
    };
    let [world, other] = [World::new().await, World::new().await];
    let own = world.used("alice", "s1").await;
    let mut browser = Browser::start(&program).await;
    browser.open(&other.app).await;
    browser.set("Address of the API", &world.base).await;
    browser.fill("Your access token", &own).await;
    browser.press("Enter").await;
    browser
        .waits_for("The API cannot be reached, or it does not allow this page.")
        .await;
}
