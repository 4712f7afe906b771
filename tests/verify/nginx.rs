//! nginx: `auth_request`.

use std::fs;

use crate::{
    cells::{Cells, hold},
    process::{Proxy, debian, find, recipe},
    world::World,
};

/// The file is included by this one, as by the one of a package. The paths are those of a folder
/// that anybody may write to.
const MAIN: &str = "daemon off; master_process off; pid pid; events {}
    http {
        access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
        uwsgi_temp_path uwsgi; scgi_temp_path scgi;
        include nginx.conf;
    }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_refuses_what_is_not_live() {
    let Some(program) = find(
        &debian("nginx"),
        "nginx is missing: apt install nginx-light",
    ) else {
        return;
    };
    let mut world = World::start().await;
    let proxy = Proxy::start(
        &program,
        &world,
        &[("nginx.conf", recipe("nginx.conf"))],
        |command, folder| {
            fs::write(folder.join("main.conf"), MAIN).unwrap();
            command.args(["-e", "stderr", "-p"]).arg(folder);
            command.arg("-c").arg(folder.join("main.conf"));
        },
    )
    .await;
    let cells = Cells {
        malformed: 400,
        unknown: 503,
        retry_after: Some("1"),
        slow: 503,
        down: 503,
        grpc: (401, None),
        sees_fields: true,
    };
    hold(&proxy, &mut world, &cells).await;
}
