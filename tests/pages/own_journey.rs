//! What a user does in a browser that runs no scripts.

use crate::{
    browser::{self, Browser},
    journey::check,
    world::World,
};

#[tokio::test]
async fn user_ends_other_sessions_without_scripts() {
    let Some(program) = browser::program() else {
        return;
    };
    let axe = browser::axe();
    let axe = axe.as_deref();
    let world = World::new().await;
    let own = world.used("alice", "s1").await;
    let [second, third] = [
        world.used("alice", "s2").await,
        world.used("alice", "s3").await,
    ];
    let pasted = world.issuer.token().subject("alice").sign();
    let mut browser = Browser::without_scripts(&program).await;
    browser.open(&format!("{}/me", world.base)).await;
    check(&mut browser, axe, "own-sign-in").await;
    browser.fill("Your access token", "wrong").await;
    browser.click("Sign in").await;
    browser.shows("This access token is not valid here.").await;
    browser.fill("Your access token", &own).await;
    browser.press_and_load("Enter").await;
    assert_eq!(browser.path().await, "/me");
    browser
        .shows("Chrome, network 127.0.0.0/24 This session")
        .await;
    browser.shows("Firefox, network 192.0.2.0/24").await;
    check(&mut browser, axe, "own").await;
    browser.click("End it").await;
    browser.shows("The session has ended.").await;
    assert!(world.is_live(&second).await != world.is_live(&third).await);
    browser.click("End all other sessions").await;
    browser
        .shows("All other sessions that were seen here have ended.")
        .await;
    assert!(!world.is_live(&second).await && !world.is_live(&third).await);
    assert!(world.is_live(&own).await && world.is_live(&pasted).await);
    browser.fill("A token of yours", &pasted).await;
    browser.click("Revoke").await;
    browser.shows("The token is revoked.").await;
    assert!(!world.is_live(&pasted).await);
    browser.click("End this session").await;
    browser
        .shows("Your token has expired, or it was revoked.")
        .await;
    assert!(!world.is_live(&own).await);
    check(&mut browser, axe, "own-ended").await;
    assert!(
        browser.complaints().is_empty(),
        "{:?}",
        browser.complaints()
    );
}

#[tokio::test]
async fn operator_sees_tokens_and_orders_of_a_subject() {
    let Some(program) = browser::program() else {
        return;
    };
    let axe = browser::axe();
    let axe = axe.as_deref();
    let world = World::with_trail().await;
    let tokens = [
        world.used("alice", "s1").await,
        world.used("alice", "s2").await,
    ];
    let mut browser = Browser::without_scripts(&program).await;
    browser.open(&world.base).await;
    browser.fill("Token of an operator", "token-operator").await;
    browser.press_and_load("Enter").await;
    browser.fill("Subject", "alice").await;
    browser.press_and_load("Enter").await;
    browser.shows("Seen here since").await;
    browser.click("Its session").await;
    browser.shows("one session of the subject alice").await;
    browser.shows("1 would be revoked.").await;
    browser
        .fill("Reason (optional)", "laptop lost in a train, ticket 4711")
        .await;
    browser.press_and_load("Enter").await;
    browser
        .shows("This is revoked: one session of the subject alice.")
        .await;
    check(&mut browser, axe, "order").await;
    assert!(world.is_live(&tokens[0]).await != world.is_live(&tokens[1]).await);
    browser.click("Orders").await;
    browser.shows("ticket 4711").await;
    check(&mut browser, axe, "orders").await;
    browser.click("Find a subject").await;
    browser.fill("Subject", "alice").await;
    browser.press_and_load("Enter").await;
    check(&mut browser, axe, "subject-seen").await;
    browser.click("Revoke").await;
    check(&mut browser, axe, "revoke").await;
    assert!(
        browser.complaints().is_empty(),
        "{:?}",
        browser.complaints()
    );
}
