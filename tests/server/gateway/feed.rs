//! Gateways that follow the log of the authorization server over HTTP: a fleet without a database.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use super::{C1, World};
use crate::{
    http::Http,
    process::{Server, error_line},
};

/// A gateway that follows the server, over TLS as from another machine, or not.
fn following(world: &World, feed: &str) -> Command {
    let mut command = world.command_to(&world.server.url(""));
    let token = world.path().join("feed-token");
    command
        .env_remove("DATA")
        .env("LOG", feed)
        .env("TOWER_REVOCATION_PASSWORD_FILE", token)
        .env("REVOCATION", format!("{}/oauth2/revoke", world.issuer));
    command
}

async fn until_refused(http: &Http, token: &str) {
    let begun = Instant::now();
    while !http.me(token).await.is_refused_token() {
        assert!(begun.elapsed() < Duration::from_secs(60), "never refused");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn token_that_is_revoked_at_the_server_is_refused_at_every_gateway() {
    let world = World::new().await;
    let ca = world.path().join("ca.pem");
    let plain = format!("{}?lease=2s", world.server.url("/feed"));
    let encrypted = format!(
        "{}/feed?lease=2s&sslrootcert={}",
        world.issuer,
        ca.display()
    );
    let gateways = [&plain, &encrypted].map(|feed| Server::run(following(&world, feed)));
    let https = gateways.each_ref().map(|gateway| Http::to(gateway.url("")));
    let token = world.http.own_token(C1).await;
    for http in &https {
        assert_eq!(http.me(&token).await.status, 200);
    }
    assert_eq!(world.http.revoke(C1, &token).await.status, 200);
    for http in &https {
        until_refused(http, &token).await;
    }

    // What is revoked at a gateway is revoked at the server, and so at the other gateway.
    let token = world.http.own_token(C1).await;
    let live = world.http.own_token(C1).await;
    assert_eq!(https[0].revoke(C1, &token).await.status, 200);
    assert!(world.http.me(&token).await.is_refused_token());
    for http in &https {
        until_refused(http, &token).await;
        assert_eq!(http.me(&live).await.status, 200);
        assert_eq!(http.get("/gateway/health").await.status, 200);
    }

    // Without the server they refuse every token, and what they know is still revoked.
    world.server.kill();
    let begun = Instant::now();
    for http in &https {
        while http.get("/gateway/health").await.status != 503 {
            assert!(begun.elapsed() < Duration::from_secs(60), "ready for ever");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(http.me(&live).await.status, 503);
        assert!(http.me(&token).await.is_refused_token());
    }
}

#[tokio::test]
async fn feed_that_cannot_be_used_is_a_one_line_error() {
    let world = World::new().await;
    let feed = world.server.url("/feed");
    let mut nowhere = following(&world, &feed);
    nowhere.env_remove("REVOCATION");
    let line = error_line(nowhere);
    assert!(line.contains("set REVOCATION"), "{line}");
    let mut nobody = following(&world, &feed);
    nobody.env_remove("TOWER_REVOCATION_PASSWORD_FILE");
    let line = error_line(nobody);
    assert!(
        line.starts_with("LOG: ") && line.contains("asks for a token"),
        "{line}"
    );
    let elsewhere = world.server.url("/other");
    let line = error_line(following(&world, &elsewhere));
    assert!(line.contains("there is no feed at /other"), "{line}");
}
