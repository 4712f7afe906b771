//! What an operator does in a browser that runs no scripts.

use crate::{
    browser::{self, Browser},
    world::World,
};

/// Checks the page that is shown: how accessible it is in both schemes, and how it fits a phone.
pub(crate) async fn check(browser: &mut Browser, axe: Option<&str>, name: &str) {
    for scheme in ["light", "dark"] {
        browser.scheme(scheme).await;
        if let Some(axe) = axe {
            // It waits for timers, which are scripts.
            browser.scripts(true).await;
            browser.evaluate(axe).await;
            let run =
                "axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', \
                       'best-practice'] })
                .then(found => JSON.stringify(found.violations.map(it =>
                    [it.id, it.help, it.nodes.map(node => node.html)])))";
            assert_eq!(browser.evaluate(run).await, "[]", "{name}, {scheme}");
            browser.scripts(false).await;
        }
        browser.picture(&format!("{name}-{scheme}")).await;
        browser.size(320, 700).await;
        let width = browser
            .evaluate("document.documentElement.scrollWidth")
            .await;
        assert!(width.as_u64().unwrap() <= 320, "{name} is {width} wide");
        browser.size(360, 700).await;
        browser.picture(&format!("{name}-{scheme}-phone")).await;
        browser.size(1280, 900).await;
    }
    browser.scheme("light").await;
}

#[tokio::test]
async fn operator_revokes_the_tokens_of_a_subject_without_scripts() {
    let Some(program) = browser::program() else {
        return;
    };
    let axe = browser::axe();
    let axe = axe.as_deref();
    let world = World::new().await;
    let subject = "<b>alice</b> & \"co\"";
    let token = world.issuer.token().subject(subject).sign();
    let mut browser = Browser::without_scripts(&program).await;

    browser.open(&format!("{}/status", world.base)).await;
    assert_eq!(browser.path().await, "/sign-in");
    check(&mut browser, axe, "sign-in").await;
    browser.fill("Token of an operator", "wrong").await;
    browser.click("Sign in").await;
    browser.shows("This is not the token of an operator").await;
    check(&mut browser, axe, "sign-in-failed").await;
    browser.fill("Token of an operator", "token-operator").await;
    browser.click("Sign in").await;
    assert_eq!(browser.path().await, "/");
    browser.shows("operator-1").await;
    check(&mut browser, axe, "home").await;

    browser.fill("Subject", subject).await;
    browser.click("Find").await;
    browser.shows(&format!("Subject {subject}")).await;
    check(&mut browser, axe, "subject").await;
    assert!(world.is_live(&token).await);
    browser.click("Continue").await;
    browser
        .shows(&format!(
            "You are about to revoke all tokens of the subject {subject}."
        ))
        .await;
    browser.shows("stay live").await;
    check(&mut browser, axe, "confirm").await;
    assert!(world.is_live(&token).await);
    browser
        .fill("Reason (optional)", "laptop <i>lost</i>")
        .await;
    browser.click("Revoke now").await;
    browser
        .shows(&format!(
            "You have revoked all tokens of the subject {subject}."
        ))
        .await;
    browser.shows("laptop <i>lost</i>").await;
    check(&mut browser, axe, "receipt").await;
    assert!(!world.is_live(&token).await);

    browser.click("Status").await;
    browser.shows("1 record, at most 1 in half an hour.").await;
    check(&mut browser, axe, "status").await;
    browser.click("Sign out").await;
    assert_eq!(browser.path().await, "/sign-in");
    browser.open(&world.base).await;
    assert_eq!(browser.path().await, "/sign-in");
    assert!(
        browser.complaints().is_empty(),
        "{:?}",
        browser.complaints()
    );
}

#[tokio::test]
async fn operator_checks_and_revokes_a_token_that_is_typed() {
    let Some(program) = browser::program() else {
        return;
    };
    let axe = browser::axe();
    let axe = axe.as_deref();
    let world = World::new().await;
    let issued = world
        .issuer
        .token()
        .subject("alice")
        .session("s-1")
        .client("shop");
    let token = issued.sign();
    let mut browser = Browser::without_scripts(&program).await;
    browser.open(&world.base).await;
    browser.fill("Token of an operator", "token-operator").await;
    browser.press_and_load("Enter").await;
    browser.click("Check a token").await;
    check(&mut browser, axe, "token").await;
    browser.fill("Token", &token).await;
    browser.click("Check").await;
    browser.shows("The token is live.").await;
    browser.shows("s-1").await;
    check(&mut browser, axe, "token-live").await;
    browser.click("Revoke its session").await;
    browser
        .shows("You are about to revoke the session s-1.")
        .await;
    browser.shows("are revoked too").await;
    browser.click("Cancel").await;
    assert!(world.is_live(&token).await);

    browser.click("Check a token").await;
    browser.fill("Token", &token).await;
    browser.click("Revoke it").await;
    browser
        .shows("You are about to revoke the token that you typed.")
        .await;
    browser.press("Tab").await;
    browser.fill("Reason (optional)", "found in a log").await;
    browser.press("Tab").await;
    assert_eq!(browser.focused().await, "Revoke now");
    browser.press_and_load("Enter").await;
    browser
        .shows("You have revoked the token that you typed.")
        .await;
    assert!(!world.is_live(&token).await);
    browser.click("Check a token").await;
    browser.fill("Token", &token).await;
    browser.click("Check").await;
    browser
        .shows("The token is revoked. A record about its token covers it.")
        .await;
    check(&mut browser, axe, "token-revoked").await;
    assert!(
        browser.complaints().is_empty(),
        "{:?}",
        browser.complaints()
    );
}

#[tokio::test]
async fn every_control_is_reached_by_keyboard() {
    let Some(program) = browser::program() else {
        return;
    };
    let world = World::new().await;
    let mut browser = Browser::without_scripts(&program).await;
    browser.open(&world.base).await;
    let mut reached = Vec::new();
    for _ in 0..3 {
        browser.press("Tab").await;
        reached.push(browser.focused().await);
    }
    assert_eq!(
        reached,
        ["Skip to the content", "Token of an operator", "Sign in"]
    );
    browser.fill("Token of an operator", "token-security").await;
    browser.press_and_load("Enter").await;
    let mut reached = Vec::new();
    for _ in 0..11 {
        browser.press("Tab").await;
        reached.push(browser.focused().await);
    }
    assert_eq!(
        reached,
        [
            "Skip to the content",
            "Find a subject",
            "Revoke",
            "Check a token",
            "Orders",
            "Status",
            "Sign out",
            "Subject",
            "Find",
            "Revoke a client, a session, a token or something else",
            "More about the status",
        ]
    );
    let outline = "getComputedStyle(document.activeElement).outlineStyle";
    assert_eq!(browser.evaluate(outline).await, "solid");
}
