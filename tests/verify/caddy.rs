//! Caddy: `forward_auth`, in the version of Debian and in the current one.

use std::path::PathBuf;

use crate::{
    cells::{Cells, hold},
    process::{Proxy, debian, find, installed, recipe},
    world::World,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn caddy_of_debian_refuses_what_is_not_live() {
    refuses_what_is_not_live(&debian("caddy"), "Caddy is missing: apt install caddy").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn current_caddy_refuses_what_is_not_live() {
    let missing = "the current Caddy is missing: tests/verify/install";
    refuses_what_is_not_live(&installed("bin/caddy"), missing).await;
}

async fn refuses_what_is_not_live(programs: &[PathBuf], missing: &str) {
    let Some(program) = find(programs, missing) else {
        return;
    };
    let mut world = World::start().await;
    let proxy = Proxy::start(
        &program,
        &world,
        &[("Caddyfile", recipe("Caddyfile"))],
        |command, folder| {
            command.args(["run", "--adapter", "caddyfile", "--config"]);
            command.arg(folder.join("Caddyfile"));
        },
    )
    .await;
    let cells = Cells {
        malformed: 400,
        unknown: 503,
        retry_after: Some("1"),
        slow: 504,
        down: 502,
        grpc: (401, None),
        sees_fields: true,
    };
    hold(&proxy, &mut world, &cells).await;
}
