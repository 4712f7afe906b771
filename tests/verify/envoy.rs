//! Envoy: `ext_authz`, over gRPC and over HTTP.

use crate::{
    cells::{Cells, hold},
    client::call,
    process::{Proxy, find, installed},
    world::{Mode, World},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn envoy_over_grpc_refuses_what_is_not_live() {
    let cells = Cells {
        malformed: 400,
        unknown: 503,
        retry_after: Some("1"),
        slow: 503,
        down: 503,
        grpc: (200, Some("16")),
        sees_fields: true,
    };
    refuses_what_is_not_live("envoy-grpc.yaml", &cells).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn envoy_over_http_refuses_what_is_not_live() {
    let cells = Cells {
        malformed: 400,
        unknown: 503,
        retry_after: None,
        slow: 503,
        down: 503,
        grpc: (200, Some("16")),
        sees_fields: false,
    };
    refuses_what_is_not_live("envoy-http.yaml", &cells).await;
}

async fn refuses_what_is_not_live(file: &str, cells: &Cells) {
    let mut world = World::start().await;
    if let Some(proxy) = start(&world, file).await {
        calls(&proxy, &world).await;
        hold(&proxy, &mut world, cells).await;
    }
}

async fn start(world: &World, file: &str) -> Option<Proxy> {
    let missing = "Envoy is missing: tests/verify/install";
    let program = find(&installed("envoy/_bin/envoy"), missing)?;
    let files = [file];
    let proxy = Proxy::start(&program, world, &files, |command, folder| {
        command.args(["--disable-hot-restart", "--concurrency", "1", "-c"]);
        command.arg(folder.join(file));
    });
    Some(proxy.await)
}

/// A client of gRPC gets the status of gRPC.
async fn calls(proxy: &Proxy, world: &World) {
    let status = async |authorization: &str| {
        let head = call(proxy.port, authorization).await;
        let status = head.headers().get("grpc-status");
        status.map(|status| status.to_str().unwrap().to_owned())
    };
    let live = world.authority.live();
    // The API is not one of gRPC.
    assert_eq!(status(&live).await, None);
    let before = world.requests();
    assert_eq!(status("None").await.as_deref(), Some("16"));
    assert_eq!(status("Bearer abc").await.as_deref(), Some("16"));
    world.authority.set(Mode::Fails);
    assert_eq!(status(&live).await.as_deref(), Some("14"));
    world.authority.set(Mode::Works);
    assert_eq!(world.requests(), before);
}
