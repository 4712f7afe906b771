//! The commands ask the sidecar that runs by its admin socket.

use std::{
    os::unix::fs::PermissionsExt as _,
    process::{Command, Output},
};

use serde_json::Value;
use tower_revocation::test_util::TestIssuer;

use super::{
    http::Http,
    port::free_port,
    process::{Sidecar, output, program},
    world::{SHOP, World},
};

pub(super) fn run(world: &World, arguments: &[&str], input: &str) -> Output {
    let socket = world.path("admin.sock");
    output(program().args(arguments).arg("--socket").arg(socket), input)
}

pub(super) fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revoke_ends_the_tokens_of_a_subject_and_of_nobody_else() {
    let world = World::new().await;
    let sidecar = world.start("");
    let http = Http::to(sidecar.url("gateway.listen"));
    let (alice, bob) = (world.token(), world.issuer.token().subject("bob").sign());
    let dry = run(&world, &["revoke", "--subject", "alice", "--dry-run"], "");
    assert_eq!(json(&dry)["already_revoked"], false);
    assert_eq!(http.get_with("/", &alice).await.status, 200);

    let receipt = run(
        &world,
        &["revoke", "--subject", "alice", "--reason", "stolen"],
        "",
    );
    let receipt = json(&receipt);
    assert_eq!(receipt["class"], "subject");
    assert!(receipt["sequence"].is_u64(), "{receipt}");
    assert!(http.get_with("/", &alice).await.is_refused());
    assert_eq!(http.get_with("/", &bob).await.status, 200);
    let log = sidecar.end();
    assert!(log.contains("stolen"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn token_is_checked_from_standard_input() {
    let world = World::new().await;
    let sidecar = world.start(&world.terminate());
    let http = Http::to(sidecar.url("gateway.listen"));
    let token = world.token();
    let checked = json(&run(&world, &["check-token"], &format!("{token}\n")));
    assert_eq!(
        (&checked["verdict"], &checked["claims"]["sub"]),
        (&"live".into(), &"alice".into())
    );
    assert_eq!(http.revoke(SHOP, &token).await.status, 200);
    for (token, verdict) in [(&*token, "revoked"), ("nonsense", "invalid")] {
        let checked = run(&world, &["check-token"], token);
        assert_eq!(checked.status.code(), Some(3), "{checked:?}");
        let checked: Value = serde_json::from_slice(&checked.stdout).unwrap();
        assert_eq!(checked["verdict"], verdict);
    }
    let empty = run(&world, &["check-token"], "");
    assert_eq!(empty.status.code(), Some(2), "{empty:?}");
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn token_that_cannot_be_checked_is_1_with_the_cause() {
    let world = World::new().await;
    let away = format!("http://127.0.0.1:{}", free_port());
    let text = world.config("").replace(world.issuer.issuer(), &away);
    let sidecar = Sidecar::begin(&world.write("config.toml", &text));
    let admin = Http::to(sidecar.url("admin.listen"));
    // The reason is there once the keys were asked for.
    while admin.get("/readyz").await.json()["reasons"][0]["part"] != *away {
        tokio::task::yield_now().await;
    }
    let token = TestIssuer::new(&*away).token().sign();
    let checked = run(&world, &["check-token"], &token);
    assert_eq!(checked.status.code(), Some(1), "{checked:?}");
    let line = String::from_utf8(checked.stderr).unwrap();
    let cause = line
        .split("could not be found out: ")
        .nth(1)
        .unwrap_or_default();
    assert!(line.contains("503: ") && !cause.is_empty(), "{line}");
    assert!(!line.contains(&token), "{line}");
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backup_is_restored_to_a_path_without_a_file() {
    let world = World::new().await;
    let sidecar = world.start(&world.terminate());
    let http = Http::to(sidecar.url("gateway.listen"));
    let (before, after) = (world.token(), world.token());
    assert_eq!(http.revoke(SHOP, &before).await.status, 200);
    let copy = world.path("copy.redb");
    json(&run(&world, &["backup", &copy], ""));
    assert_eq!(http.revoke(SHOP, &after).await.status, 200);
    sidecar.end();

    let restore =
        |from: &str, to: &str| output(program().args(["restore", "--from", from, "--to", to]), "");
    let log = world.path("log.redb");
    let refused = restore(&copy, &log);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let line = String::from_utf8(refused.stderr).unwrap();
    assert!(line.contains("there is a file already"), "{line}");
    std::fs::remove_file(&log).unwrap();
    let missing = restore(&world.path("none"), &log);
    assert_eq!(missing.status.code(), Some(1), "{missing:?}");
    assert!(!std::path::Path::new(&log).exists());
    let restored = restore(&copy, &log);
    assert_eq!(json(&restored)["restored_to"], *log);
    let line = String::from_utf8(restored.stderr).unwrap();
    assert!(line.contains("are live again"), "{line}");

    let sidecar = world.start("");
    let http = Http::to(sidecar.url("gateway.listen"));
    assert!(http.get_with("/", &before).await.is_refused());
    assert_eq!(http.get_with("/", &after).await.status, 200);
    let log = sidecar.end();
    assert!(!log.contains("the file is new"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn status_health_and_backup() {
    let world = World::new().await;
    let sidecar = world.start(&world.terminate());
    let http = Http::to(sidecar.url("gateway.listen"));
    let token = world.token();
    assert_eq!(http.revoke(SHOP, &token).await.status, 200);
    let status = json(&run(&world, &["status"], ""));
    assert_eq!(status["log"]["writable"], true);
    assert_eq!(status["index"]["freshness"], "fresh");
    assert_eq!(status["index"]["records"], 1);
    assert_eq!(status["details"]["readiness"]["ready"], true);
    assert_eq!(status["details"]["log"], *world.path("log.redb"));
    assert_eq!(json(&run(&world, &["health"], ""))["ready"], true);
    assert!(run(&world, &["health", "--live"], "").status.success());

    let copy = world.path("copy.redb");
    assert_eq!(
        json(&run(&world, &["backup", &copy], ""))["copied_to"],
        *copy
    );
    // Nothing is overwritten.
    let again = run(&world, &["backup", &copy], "");
    assert_eq!(again.status.code(), Some(1), "{again:?}");
    let line = String::from_utf8(again.stderr).unwrap();
    assert!(
        line.contains("409: ") && line.contains("choose a path without a file"),
        "{line}"
    );
    let nowhere = run(&world, &["backup", &world.path("none/copy.redb")], "");
    assert_eq!(nowhere.status.code(), Some(1), "{nowhere:?}");
    let line = String::from_utf8(nowhere.stderr).unwrap();
    let expected = format!("there is no folder {}: make it first", world.path("none"));
    assert!(line.contains(&expected), "{line}");
    let relative = run(&world, &["backup", "copy.redb"], "");
    assert_eq!(relative.status.code(), Some(2), "{relative:?}");
    sidecar.end();

    let restored = std::fs::rename(&copy, world.path("log.redb"));
    restored.unwrap();
    let sidecar = world.start("");
    let http = Http::to(sidecar.url("gateway.listen"));
    assert!(http.get_with("/", &token).await.is_refused());
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_sidecar_a_command_says_so_and_fails() {
    let world = World::new().await;
    for command in ["status", "health"] {
        let failed = run(&world, &[command], "");
        assert_eq!(failed.status.code(), Some(1), "{failed:?}");
        let line = String::from_utf8(failed.stderr).unwrap();
        assert!(
            line.contains("admin.sock: ") && line.contains("does the sidecar run?"),
            "{line}"
        );
    }
    let wrong = run(&world, &["revoke"], "");
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn socket_is_found_by_the_configuration() {
    let world = World::new().await;
    let sidecar = world.start("");
    let config = world.path("config.toml");
    let healthy = output(program().args(["health", "--config"]).arg(&config), "");
    assert!(healthy.status.success(), "{healthy:?}");
    sidecar.kill();
    // The socket of a process that was killed is in nobody's way.
    world.start("").end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_over_tcp_need_a_token_and_a_known_host() {
    let world = World::new().await;
    let digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let tokens = world.write("tokens", &format!("helpdesk viewer {digest}\n"));
    let text = world.config("");
    let listen = "listen = \"127.0.0.1:0\"\n[gateway]";
    let with = format!("listen = \"127.0.0.1:0\"\ntokens_file = {tokens:?}\n[gateway]");
    let config = world.write("config.toml", &text.replace(listen, &with));
    let sidecar = Sidecar::start(&config);
    let admin = Http::to(sidecar.url("admin.listen"));
    assert_eq!(admin.get("/v1/status").await.status, 401);
    assert_eq!(admin.get_with("/v1/status", "test").await.status, 200);
    let request = admin
        .request(hyper::Method::GET, "/v1/status")
        .header("host", "evil.example")
        .header("authorization", "Bearer test")
        .body(http_body_util::Full::default());
    assert_eq!(admin.send(request.unwrap()).await.status, 403);
    // The copy of the log is for those who are on the machine.
    assert_eq!(admin.get_with("/v1/backup", "test").await.status, 404);
    sidecar.end();
}

/// As another user, if this is root.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_user_cannot_use_the_admin_socket_whatever_its_mode() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can be another user");
        return;
    }
    let world = World::new().await;
    let sidecar = world.start("");
    let socket = world.path("admin.sock");
    let folder = std::path::Path::new(&socket).parent().unwrap();
    for path in [folder, socket.as_ref()] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap();
    }
    let ask = |user: &str| {
        let mut command = Command::new("setpriv");
        command.args([&format!("--reuid={user}"), "--clear-groups", "curl", "-sS"]);
        command.args(["--unix-socket", &socket, "http://localhost/livez"]);
        output(&mut command, "")
    };
    assert_eq!(ask("0").stdout, b"alive\n");
    let other = ask("65534");
    assert!(!other.status.success(), "{other:?}");
    assert!(other.stdout.is_empty(), "{other:?}");
    // One line, whatever the number of attempts is.
    let line = "a user who may not use the socket closed user=65534 connections=1\n";
    sidecar.wait_for(line);
    assert!(!ask("65534").status.success());
    // The next line is about another attempt.
    let metrics = Http::to(sidecar.url("admin.listen")).get("/metrics").await;
    let series = "tower_revocation_proxy_connections_refused_total{reason=\"user\"} 2\n";
    assert!(metrics.text.contains(series), "{}", metrics.text);
    let log = sidecar.log();
    assert_eq!(log.matches("may not use the socket").count(), 1, "{log}");
    assert!(log.contains(" WARN "), "{log}");
    sidecar.end();
}
