//! What clients of each proxy see: a row of its table for each test.

use crate::{
    cells::{Cells, hold},
    process::Proxy,
    programs::{caddy_of_debian, current_caddy, haproxy, nginx, traefik},
    world::World,
};

const NGINX: Cells = Cells {
    malformed: 400,
    unknown: 503,
    retry_after: Some("1"),
    slow: 503,
    down: 503,
    grpc: (401, None),
    sees_fields: true,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_refuses_what_is_not_live() {
    let world = World::start().await;
    let proxy = nginx(world.ports()).await;
    row(proxy, world, NGINX).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn haproxy_refuses_what_is_not_live() {
    let world = World::start().await;
    let proxy = haproxy(world.ports()).await;
    let cells = Cells {
        slow: 504,
        sees_fields: false,
        ..NGINX
    };
    row(proxy, world, cells).await;
}

const CADDY: Cells = Cells {
    slow: 504,
    down: 502,
    ..NGINX
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn caddy_of_debian_refuses_what_is_not_live() {
    let world = World::start().await;
    let proxy = caddy_of_debian(world.ports()).await;
    row(proxy, world, CADDY).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn current_caddy_refuses_what_is_not_live() {
    let world = World::start().await;
    let proxy = current_caddy(world.ports()).await;
    row(proxy, world, CADDY).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traefik_refuses_what_is_not_live() {
    let world = World::start().await;
    let proxy = traefik(world.ports()).await;
    let cells = Cells {
        // After 30 s, which nobody can set.
        slow: 500,
        down: 500,
        sees_fields: false,
        ..NGINX
    };
    row(proxy, world, cells).await;
}

async fn row(proxy: Option<Proxy>, mut world: World, cells: Cells) {
    if let Some(proxy) = proxy {
        hold(&proxy, &mut world, &cells).await;
    }
}
