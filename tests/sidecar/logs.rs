//! A log on a server that several sidecars share, and the feed of another sidecar.

#[path = "../fixture/memory.rs"]
mod memory;
#[path = "../fixture/postgres/mod.rs"]
mod postgres;
#[path = "../fixture/redis/mod.rs"]
mod redis;

use std::time::Duration;

use super::{
    http::{Answer, Http},
    port::{self, free_port},
    process::{Sidecar, TIMEOUT},
    world::{SHOP, World},
};

/// Only other tests call these.
const _: () = {
    use postgres::Server;
    use redis::{Sentinels, Server as Other};
    let _ = (Server::backup, Server::restore, Server::standby);
    let _ = (Server::port, Server::socket, Server::sql);
    let _ = (Other::replica, Other::signal, Other::say);
    let _ = (
        Sentinels::start,
        Sentinels::url,
        Sentinels::until_failed_over,
    );
    let _ = |sentinels: Sentinels| sentinels.primary;
};

/// Two sidecars with one log: what one of them revokes, the other refuses.
async fn shared_by_two(url: &str) {
    let world = World::new().await;
    let log = format!("url = {url:?}");
    let first = world.config_with(&log, &world.terminate());
    let second = first.replace("admin.sock", "second.sock");
    let first = Sidecar::start(&world.write("first.toml", &first));
    let second = Sidecar::start(&world.write("second.toml", &second));
    let [one, two] = [&first, &second].map(|it| Http::to(it.url("gateway.listen")));
    let (token, other) = (world.token(), world.token());
    assert_eq!(two.get_with("/", &token).await.status, 200);
    assert_eq!(one.revoke(SHOP, &token).await.status, 200);
    refused_soon(&two, &token).await;
    assert_eq!(two.get_with("/", &other).await.status, 200);
    first.end();
    second.end();
}

/// The lease bounds how long that takes.
async fn refused_soon(http: &Http, token: &str) {
    let begun = std::time::Instant::now();
    while !http.get_with("/", token).await.is_refused() {
        assert!(begun.elapsed() < TIMEOUT);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_in_postgresql() {
    let Some(server) = postgres::Server::start(&[]) else {
        return;
    };
    shared_by_two(&server.url("postgres")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_in_redis() {
    for server in redis::Server::each(&["--maxmemory-policy", "noeviction"]) {
        shared_by_two(&server.url()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn feed_of_another_sidecar() {
    let world = World::new().await;
    let tokens = world.write("feed", "a-token-that-nobody-can-guess\n");
    let sections = format!(
        "{}[feed]\nlisten = \"127.0.0.1:{}\"\ntokens_file = {tokens:?}\n",
        world.terminate(),
        free_port(),
    );
    let first = Sidecar::start(&world.write("first.toml", &world.config(&sections)));
    let feed = format!("{}/feed", first.url("feed.listen"));
    let log = format!("url = {feed:?}\npassword_file = {tokens:?}");
    let second = world.config_with(&log, &world.forward());
    let second = second.replace("admin.sock", "second.sock");
    let second = Sidecar::start(&world.write("second.toml", &second));
    let [one, two] = [&first, &second].map(|it| Http::to(it.url("gateway.listen")));
    let token = world.token();
    assert_eq!(two.get_with("/", &token).await.status, 200);
    assert_eq!(one.revoke(SHOP, &token).await.status, 200);
    refused_soon(&two, &token).await;

    // Without its source, it soon knows nothing, and says so.
    first.kill();
    let admin = Http::to(second.url("admin.listen"));
    let begun = std::time::Instant::now();
    loop {
        let ready = admin.get("/readyz").await;
        if ready.status == 503 {
            assert!(!ready.json()["reasons"].as_array().unwrap().is_empty());
            break;
        }
        assert!(begun.elapsed() < TIMEOUT);
    }
    let live = world.token();
    let unknown = two.get_with("/", &live).await;
    assert_eq!(unknown.status, 503, "{unknown:?}");
    assert_eq!(admin.get("/livez").await.status, 200);
    second.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stale_route_is_served_without_the_log_and_revoked_tokens_stay_refused() {
    let world = World::new().await;
    let tokens = world.write("feed", "a-token-that-nobody-can-guess\n");
    let sections = format!(
        "{}[feed]\nlisten = \"127.0.0.1:{}\"\ntokens_file = {tokens:?}\n",
        world.terminate(),
        free_port(),
    );
    let first = Sidecar::start(&world.write("first.toml", &world.config(&sections)));
    let feed = format!("{}/feed", first.url("feed.listen"));
    let log = format!("url = {feed:?}\npassword_file = {tokens:?}");
    let route = "routes = [{ path = \"/stale\", serve_stale = \"1h\" }]\n";
    let second = world.config_with(&log, route);
    let second = second.replace("admin.sock", "second.sock");
    let second = Sidecar::start(&world.write("second.toml", &second));
    let [one, two] = [&first, &second].map(|it| Http::to(it.url("gateway.listen")));
    let (live, revoked) = (world.token(), world.token());
    assert_eq!(one.revoke(SHOP, &revoked).await.status, 200);
    refused_soon(&two, &revoked).await;

    first.kill();
    ready_is(&Http::to(second.url("admin.listen")), 503).await;
    assert_eq!(two.get_with("/stale", &live).await.status, 200);
    assert!(two.get_with("/stale", &revoked).await.is_refused());
    assert_eq!(two.get_with("/other", &live).await.status, 503);
    second.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_that_is_away_at_the_start_is_tried_again() {
    let world = World::new().await;
    let port = free_port();
    let log = format!("url = \"postgres://revoker@127.0.0.1:{port}/app\"");
    let text = world.config_with(&log, &world.terminate());
    let sidecar = Sidecar::begin(&world.write("config.toml", &text));
    let admin = Http::to(sidecar.url("admin.listen"));
    let http = Http::to(sidecar.url("gateway.listen"));
    assert_eq!(admin.get("/livez").await.status, 200);
    assert_eq!(admin.get("/readyz").await.status, 503);
    assert_eq!(http.get_with("/", &world.token()).await.status, 503);
    assert_eq!(http.revoke(SHOP, &world.token()).await.status, 503);
    sidecar.end();
}

/// Waits until `/readyz` has this status.
async fn ready_is(admin: &Http, status: u16) -> Answer {
    let begun = std::time::Instant::now();
    loop {
        let ready = admin.get("/readyz").await;
        if ready.status == status {
            return ready;
        }
        assert!(begun.elapsed() < TIMEOUT, "{ready:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_that_goes_away_is_503_with_a_reason_until_it_is_back() {
    for mut server in redis::Server::each(&[]) {
        let world = World::new().await;
        let log = format!("url = \"{}?lease=1s\"", server.url());
        let config = world.write("c.toml", &world.config_with(&log, &world.terminate()));
        let sidecar = Sidecar::start(&config);
        let http = Http::to(sidecar.url("gateway.listen"));
        let admin = Http::to(sidecar.url("admin.listen"));
        let (revoked, live) = (world.token(), world.token());
        assert_eq!(http.revoke(SHOP, &revoked).await.status, 200);

        server.stop();
        let ready = ready_is(&admin, 503).await;
        assert!(
            ready.json()["reasons"][0]["reason"].is_string(),
            "{ready:?}"
        );
        // What is known counts, and ignorance is neither a 200 nor a 401.
        assert!(http.get_with("/", &revoked).await.is_refused());
        assert_eq!(http.get_with("/", &live).await.status, 503);
        assert_eq!(http.revoke(SHOP, &live).await.status, 503);
        assert_eq!(admin.get("/livez").await.status, 200);

        server.restart();
        ready_is(&admin, 200).await;
        assert_eq!(http.get_with("/", &live).await.status, 200);
        assert_eq!(http.revoke(SHOP, &live).await.status, 200);
        assert!(http.get_with("/", &live).await.is_refused());
        sidecar.end();
    }
}
