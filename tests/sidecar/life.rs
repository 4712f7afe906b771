//! Start, readiness, series, lines, and the end.

use std::{
    net::{Ipv4Addr, SocketAddr},
    os::unix::net::UnixDatagram,
    sync::Arc,
};

use http_body_util::{BodyExt as _, Full};
use hyper::Method;
use serde_json::Value;
use tokio::sync::Barrier;

use tower_revocation::log::NumericDate;

use super::{
    http::Http,
    port::free_port,
    process::{Sidecar, program},
    world::{SHOP, World, publish},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readiness_waits_for_the_keys_of_the_issuer() {
    let world = World::new().await;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let issuer = format!("http://{address}");
    let text = world.config("").replace(world.issuer.issuer(), &issuer);
    let sidecar = Sidecar::begin(&world.write("config.toml", &text));
    let admin = Http::to(sidecar.url("admin.listen"));
    let http = Http::to(sidecar.url("gateway.listen"));
    // Whatever its stores do, the process is alive.
    assert_eq!(admin.get("/livez").await.status, 200);
    let keys_are_missing = |json: Value| json["reasons"][0]["part"] == issuer.as_str();
    let mut ready = admin.get("/readyz").await;
    while !keys_are_missing(ready.json()) {
        assert_eq!(ready.status, 503, "{ready:?}");
        ready = admin.get("/readyz").await;
    }
    let token = tower_revocation::test_util::TestIssuer::new(&*issuer);
    let unknown = http.get_with("/", &token.token().sign()).await;
    assert_eq!(unknown.status, 503);
    assert!(!unknown.header("retry-after").is_empty());

    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    publish(listener, &token);
    sidecar.wait_for("run: ready");
    assert_eq!(admin.get("/readyz").await.json()["ready"], true);
    assert_eq!(http.get_with("/", &token.token().sign()).await.status, 200);
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_are_served_by_address_or_by_a_name_of_the_configuration() {
    let world = World::new().await;
    let config = world
        .config("")
        .replace("[admin]\n", "[admin]\nhosts = [\"ops.example\"]\n");
    let sidecar = Sidecar::start(&world.write("config.toml", &config));
    let admin = Http::to(sidecar.url("admin.listen"));
    for path in ["/readyz", "/metrics"] {
        for (host, expected) in [
            ("127.0.0.1:9002", 200),
            ("10.1.2.3", 200),
            ("[::1]:9002", 200),
            ("localhost:1", 200),
            ("OPS.example:9002", 200),
            ("attacker.example:9002", 421),
            ("ops.example.attacker.example", 421),
            ("127.0.0.1.attacker.example", 421),
        ] {
            let request = admin.request(Method::GET, path).header("host", host);
            let answer = admin.send(request.body(Full::default()).unwrap()).await;
            assert_eq!(answer.status, expected, "{path} {host}");
            assert_eq!(answer.text.contains("admin.hosts"), expected == 421);
        }
    }
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_refusal_is_one_line_without_the_token() {
    let world = World::new().await;
    for format in ["json", "text"] {
        let sections = format!("[logging]\nformat = \"{format}\"\n{}", world.terminate());
        let config = world.write("config.toml", &world.config(&sections));
        let sidecar = Sidecar::begin(&config);
        let url = if format == "json" {
            sidecar.wait_for("\"message\":\"ready\"");
            let log = sidecar.log();
            let line = log.lines().find(|line| line.contains("gateway.listen"));
            let line: Value = serde_json::from_str(line.unwrap()).unwrap();
            format!("http://{}", line["address"].as_str().unwrap())
        } else {
            sidecar.wait_for("run: ready");
            sidecar.url("gateway.listen")
        };
        let http = Http::to(url);
        let token = world.token();
        // Keys that were fetched before a token was issued do not settle that it is forged.
        let long_ago = NumericDate::new(NumericDate::now().seconds() - 120);
        let forged = world.issuer.token().issued_at(long_ago).forged().sign();
        assert_eq!(http.revoke(SHOP, &token).await.status, 200);
        let refused = [(&token, "revoked"), (&forged, "signature")];
        for (place, (token, word)) in refused.into_iter().enumerate() {
            assert!(http.get_with("/", token).await.is_refused());
            sidecar.wait_for_times("token refused", place + 1);
            let log = sidecar.log();
            let lines: Vec<_> = log
                .lines()
                .filter(|line| line.contains("token refused"))
                .collect();
            assert_eq!(lines.len(), place + 1, "{lines:?}");
            assert!(
                lines[place].contains(word) && lines[place].contains("token"),
                "{lines:?}"
            );
        }
        assert_eq!(http.get("/").await.status, 401);
        sidecar.wait_for("missing");
        let log = sidecar.end();
        for secret in [&token, &forged, SHOP.1] {
            let signature = secret.rsplit('.').next().unwrap();
            assert!(!log.contains(signature), "{log}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn series_have_help_and_histograms() {
    let world = World::new().await;
    let sidecar = world.start("");
    let http = Http::to(sidecar.url("gateway.listen"));
    let admin = Http::to(sidecar.url("admin.listen"));
    assert_eq!(http.get_with("/", &world.token()).await.status, 200);
    let answer = admin.get("/metrics").await;
    assert!(
        answer
            .header("content-type")
            .starts_with("text/plain; version=0.0.4")
    );
    for text in [
        "# HELP tower_revocation_checks_total ",
        "# TYPE tower_revocation_checks_total counter\n",
        "tower_revocation_checks_total{verdict=\"live\"",
        "# TYPE tower_revocation_check_duration_seconds histogram\n",
        "tower_revocation_check_duration_seconds_bucket{verdict=\"live\"",
        "# HELP sidecar_config_reload_successful ",
        "sidecar_build_info{version=\"",
    ] {
        assert!(answer.text.contains(text), "no {text:?}: {}", answer.text);
    }
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trace_context_passes() {
    let world = World::new().await;
    let sidecar = world.start("");
    let http = Http::to(sidecar.url("gateway.listen"));
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request = http
        .request(hyper::Method::GET, "/")
        .header("authorization", format!("Bearer {}", world.token()))
        .header("traceparent", trace)
        .body(http_body_util::Full::default());
    let answer = http.send(request.unwrap()).await;
    assert_eq!(answer.text, format!("/ alice {trace}"));
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_in_flight_end_well_and_streams_are_told() {
    let world = World::new().await;
    let text = world.config("");
    let text = text.replace("shutdown_delay = \"0s\"", "shutdown_delay = \"1s\"");
    let sidecar = Sidecar::start(&world.write("config.toml", &text));
    let http = Http::to(sidecar.url("gateway.listen"));
    let admin = Http::to(sidecar.url("admin.listen"));
    let token = world.token();
    let mut events = http.open("/events", &token).await;
    assert!(events.frame().await.unwrap().is_ok());
    let slow = tokio::spawn({
        let (http, token) = (http.clone(), token.clone());
        async move { http.get_with("/slow", &token).await }
    });
    sidecar.signal("TERM");
    sidecar.wait_for("the process ends");
    // Readiness ends first, and requests are still served.
    let ready = admin.get("/readyz").await;
    assert_eq!(
        (ready.status.as_u16(), &ready.json()["ready"]),
        (503, &false.into())
    );
    assert_eq!(http.get_with("/", &token).await.status, 200);
    assert_eq!(slow.await.unwrap().text, "whole");
    let mut sidecar = sidecar;
    let (status, log) = sidecar.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    // The stream has ended with the process.
    while let Some(Ok(_)) = events.frame().await {}
}

/// Responses to one client until the process is told to end.
const ENOUGH: usize = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn load_until_the_end_gets_answers_or_nothing() {
    let world = World::new().await;
    let sidecar = world.start("");
    let url = sidecar.url("gateway.listen");
    let under_load = Arc::new(Barrier::new(5));
    let calls: Vec<_> = (0..4)
        .map(|_| {
            let (http, token) = (Http::to(url.clone()), world.token());
            let under_load = under_load.clone();
            tokio::spawn(async move {
                let mut served = 0;
                while let Some(answer) = tokio::task::unconstrained(async {
                    let request = http
                        .request(hyper::Method::GET, "/")
                        .header("authorization", format!("Bearer {token}"))
                        .body(http_body_util::Full::default());
                    http.try_send(request.unwrap()).await
                })
                .await
                {
                    assert_eq!(answer.status, 200);
                    assert_eq!(answer.text, "/ alice ");
                    served += 1;
                    if served == ENOUGH {
                        under_load.wait().await;
                    }
                }
                served
            })
        })
        .collect();
    // All of them go on while the process ends.
    under_load.wait().await;
    sidecar.end();
    for call in calls {
        assert!(call.await.unwrap() >= ENOUGH);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn systemd_is_told() {
    let world = World::new().await;
    let socket = UnixDatagram::bind(world.path("notify")).unwrap();
    socket
        .set_read_timeout(Some(super::process::TIMEOUT))
        .unwrap();
    let config = world.write("config.toml", &world.config(""));
    let mut command = program();
    command
        .arg("--config")
        .arg(&config)
        .env("NOTIFY_SOCKET", world.path("notify"))
        .env("WATCHDOG_USEC", "200000");
    let sidecar = Sidecar::run(command);
    let told = |expected: &str| {
        let mut buffer = [0; 1024];
        loop {
            let len = socket.recv(&mut buffer).expect(expected);
            let text = String::from_utf8_lossy(&buffer[..len]);
            if text.contains(expected) {
                return text.into_owned();
            }
        }
    };
    told("READY=1");
    told("WATCHDOG=1");
    sidecar.signal("HUP");
    let reloading = told("RELOADING=1");
    assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
    told("READY=1");
    sidecar.signal("TERM");
    told("STOPPING=1");
    sidecar.end_after_signal();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_the_process_are_for_its_user_only() {
    use std::os::unix::fs::PermissionsExt as _;

    let world = World::new().await;
    let sidecar = world.start("");
    for name in ["log.redb", "admin.sock"] {
        let mode = std::fs::metadata(world.path(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "{name}: {mode:o}");
    }
    let limits =
        std::fs::read_to_string(format!("/proc/{}/limits", sidecar.id())).unwrap_or_default();
    if let Some(line) = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))
    {
        let numbers: Vec<_> = line.split_whitespace().skip(3).take(2).collect();
        assert_eq!(numbers[0], numbers[1], "{line}");
    }
    if let Some(line) = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
    {
        let numbers: Vec<_> = line.split_whitespace().skip(4).take(2).collect();
        assert_eq!(numbers, ["0", "0"]);
    }
    sidecar.end();
}
