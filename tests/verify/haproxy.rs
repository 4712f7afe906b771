//! `HAProxy`: a Lua action.

use crate::{
    cells::{Cells, hold},
    process::{Proxy, debian, find, recipe},
    world::World,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn haproxy_refuses_what_is_not_live() {
    let Some(program) = find(
        &debian("haproxy"),
        "HAProxy is missing: apt install haproxy",
    ) else {
        return;
    };
    let mut world = World::start().await;
    let files = ["haproxy.cfg", "haproxy.lua"].map(|file| (file, recipe(file)));
    let proxy = Proxy::start(&program, &world, &files, |command, folder| {
        command.args(["-db", "-f"]).arg(folder.join("haproxy.cfg"));
    })
    .await;
    let cells = Cells {
        malformed: 400,
        unknown: 503,
        retry_after: Some("1"),
        slow: 504,
        down: 503,
        grpc: (401, None),
        sees_fields: false,
    };
    hold(&proxy, &mut world, &cells).await;
}
