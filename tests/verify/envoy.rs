//! Envoy: `ext_authz`, over gRPC and over HTTP.

use crate::{
    cells::{Cells, hold},
    client::{call, get, send},
    process::{Proxy, recipe},
    programs::envoy,
    world::{Mode, World},
};

const GRPC: Cells = Cells {
    malformed: 400,
    unknown: 503,
    retry_after: Some("1"),
    slow: 503,
    down: 503,
    grpc: (200, Some("16")),
    sees_fields: true,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn envoy_over_grpc_refuses_what_is_not_live() {
    refuses_what_is_not_live(recipe("envoy-grpc.yaml"), &GRPC).await;
}

/// Envoy sends the fields of the request in another form, and joins those that are there twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn envoy_with_joined_fields_refuses_what_is_not_live() {
    let raw = "encode_raw_headers: true";
    let text = changed("envoy-grpc.yaml", raw, "encode_raw_headers: false");
    refuses_what_is_not_live(text, &GRPC).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn envoy_over_http_refuses_what_is_not_live() {
    let cells = Cells {
        retry_after: None,
        sees_fields: false,
        ..GRPC
    };
    refuses_what_is_not_live(recipe("envoy-http.yaml"), &cells).await;
}

/// Whoever sets this wants requests to pass while the sidecar is down. What is unknown is still
/// refused, and so is a call that cannot be read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failure_mode_allow_passes_nothing_that_we_do_not_know() {
    let world = World::start().await;
    let closed = "failure_mode_allow: false";
    let text = changed("envoy-grpc.yaml", closed, "failure_mode_allow: true");
    let Some(proxy) = envoy(text, world.ports()).await else {
        return;
    };
    let live = world.authority.live();
    assert_eq!(get(proxy.port, "/a", &live).await.status, 200);
    let before = world.requests();
    world.authority.set(Mode::Fails);
    assert_eq!(get(proxy.port, "/a", &live).await.status, 503);
    world.authority.set(Mode::Works);
    // Longer than the limit of a call here, and shorter than the limit of Envoy.
    let long = "1".repeat(50 << 10);
    let fields = [("Authorization", &*live), ("X-Own", &long)];
    let reply = send(proxy.port, "GET /a", &fields).await;
    assert_eq!(reply.status, 503, "{reply:?}");
    assert_eq!(world.requests(), before);
}

async fn refuses_what_is_not_live(text: String, cells: &Cells) {
    let mut world = World::start().await;
    if let Some(proxy) = envoy(text, world.ports()).await {
        calls(&proxy, &world).await;
        hold(&proxy, &mut world, cells).await;
    }
}

/// A file of `examples/proxies` with another line.
fn changed(file: &str, line: &str, other: &str) -> String {
    let text = recipe(file);
    assert!(text.contains(line), "{file}: {line}");
    text.replace(line, other)
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
