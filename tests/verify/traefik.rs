//! Traefik: `forwardAuth`.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::{
    cells::{Cells, hold},
    client::send,
    process::{Proxy, find, installed, recipe},
    world::World,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traefik_refuses_what_is_not_live() {
    let missing = "Traefik is missing: tests/verify/install";
    let Some(program) = find(&installed("bin/traefik"), missing) else {
        return;
    };
    let mut world = World::start().await;
    let files = ["traefik.yaml", "traefik-routes.yaml"].map(|file| (file, recipe(file)));
    let proxy = Proxy::start(&program, &world, &files, |command, folder| {
        command.arg("--configFile").arg(folder.join("traefik.yaml"));
    })
    .await;
    // It listens before it has read its routes.
    let begun = Instant::now();
    while send(proxy.port, "GET /", &[]).await.status == 404 {
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", proxy.log());
        sleep(Duration::from_millis(10)).await;
    }
    let cells = Cells {
        malformed: 400,
        unknown: 503,
        retry_after: Some("1"),
        // After 30 s, which nobody can set.
        slow: 500,
        down: 500,
        grpc: (401, None),
        sees_fields: false,
    };
    hold(&proxy, &mut world, &cells).await;
}
