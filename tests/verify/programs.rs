//! The proxies of others, started with the files of `examples/proxies`.

use std::{fs, path::PathBuf};

use crate::process::{Ports, Proxy, debian, find, installed, recipe};

/// The file is included by this one, as by the one of a package. The paths are those of a folder
/// that anybody may write to.
const NGINX: &str = "daemon off; master_process off; pid pid; events {}
    http {
        access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
        uwsgi_temp_path uwsgi; scgi_temp_path scgi;
        include nginx.conf;
    }";

pub(crate) async fn nginx(ports: Ports) -> Option<Proxy> {
    let program = find(
        &debian("nginx"),
        "nginx is missing: apt install nginx-light",
    )?;
    let files = [("nginx.conf", recipe("nginx.conf"))];
    let proxy = Proxy::start(&program, ports, &files, |command, folder| {
        fs::write(folder.join("main.conf"), NGINX).unwrap();
        command.args(["-e", "stderr", "-p"]).arg(folder);
        command.arg("-c").arg(folder.join("main.conf"));
    });
    Some(proxy.await)
}

pub(crate) async fn haproxy(ports: Ports) -> Option<Proxy> {
    let program = find(
        &debian("haproxy"),
        "HAProxy is missing: apt install haproxy",
    )?;
    let files = ["haproxy.cfg", "haproxy.lua"].map(|file| (file, recipe(file)));
    let proxy = Proxy::start(&program, ports, &files, |command, folder| {
        command.args(["-db", "-f"]).arg(folder.join("haproxy.cfg"));
    });
    Some(proxy.await)
}

pub(crate) async fn caddy_of_debian(ports: Ports) -> Option<Proxy> {
    caddy(
        &debian("caddy"),
        "Caddy is missing: apt install caddy",
        ports,
    )
    .await
}

pub(crate) async fn current_caddy(ports: Ports) -> Option<Proxy> {
    let missing = "the current Caddy is missing: tests/verify/install";
    caddy(&installed("bin/caddy"), missing, ports).await
}

async fn caddy(programs: &[PathBuf], missing: &str, ports: Ports) -> Option<Proxy> {
    let program = find(programs, missing)?;
    let files = [("Caddyfile", recipe("Caddyfile"))];
    let proxy = Proxy::start(&program, ports, &files, |command, folder| {
        command.args(["run", "--adapter", "caddyfile", "--config"]);
        command.arg(folder.join("Caddyfile"));
    });
    Some(proxy.await)
}

/// Envoy with one of its two files, or with a changed one.
pub(crate) async fn envoy(text: String, ports: Ports) -> Option<Proxy> {
    let missing = "Envoy is missing: tests/verify/install";
    let program = find(&installed("envoy/_bin/envoy"), missing)?;
    let files = [("envoy.yaml", text)];
    let proxy = Proxy::start(&program, ports, &files, |command, folder| {
        command.args(["--disable-hot-restart", "--concurrency", "1", "-c"]);
        command.arg(folder.join("envoy.yaml"));
    });
    Some(proxy.await)
}

/// Traefik, once it has read its routes.
pub(crate) async fn traefik(ports: Ports) -> Option<Proxy> {
    let missing = "Traefik is missing: tests/verify/install";
    let program = find(&installed("bin/traefik"), missing)?;
    let files = ["traefik.yaml", "traefik-routes.yaml"].map(|file| (file, recipe(file)));
    let proxy = Proxy::start(&program, ports, &files, |command, folder| {
        command.arg("--configFile").arg(folder.join("traefik.yaml"));
    })
    .await;
    // It listens before.
    proxy.wait_for_another_status(404).await;
    Some(proxy)
}
