//! The log of the authorization server. The gateway logs in the same way.

use std::process::Command;

use super::{
    http::{C1, Http},
    process::{Server, binary, command, error_line, folder},
    shutdown::{half_a_request, until_it_no_longer_listens},
};

/// What the line of a revocation of an unknown token contains.
const LINE: &str = "not_found";

#[tokio::test]
async fn line_reaches_a_pipe_without_a_further_request_and_without_colors() {
    let (_folder, data) = folder();
    let server = Server::start(&data);
    let http = Http::to(server.url(""));
    assert_eq!(http.revoke(C1, "unknown").await.status, 200);
    server.wait_for_log(LINE);
    let log = server.kill();
    assert!(!log.contains('\x1b'), "{log}");
}

#[tokio::test]
async fn no_line_before_a_signal_is_lost() {
    let (_folder, data) = folder();
    let server = Server::start(&data);
    let http = Http::to(server.url(""));
    for _ in 0..10 {
        assert_eq!(http.revoke(C1, "unknown").await.status, 200);
    }
    let log = server.end();
    assert_eq!(log.matches(LINE).count(), 10, "{log}");
}

#[tokio::test]
async fn no_line_before_a_second_signal_is_lost() {
    let (_folder, data) = folder();
    let mut server = Server::start(&data);
    let http = Http::to(server.url(""));
    let _in_flight = half_a_request(&server, "unknown").await;
    assert_eq!(http.revoke(C1, "unknown").await.status, 200);
    server.signal("TERM");
    until_it_no_longer_listens(&server).await;
    server.signal("TERM");
    let (status, log) = server.wait();
    assert_eq!(status.code(), Some(1));
    assert_eq!(log.matches(LINE).count(), 1, "{log}");
}

#[tokio::test]
async fn rust_log_chooses_the_lines() {
    for (levels, expected) in [
        ("", 1),
        ("info", 1),
        ("warn", 0),
        ("off", 0),
        ("off,tower_revocation=info", 1),
    ] {
        let (_folder, data) = folder();
        let mut command = command();
        command.env("DATA", &data).env("RUST_LOG", levels);
        let server = Server::run(command);
        let http = Http::to(server.url(""));
        assert_eq!(http.revoke(C1, "unknown").await.status, 200);
        let log = server.end();
        assert_eq!(log.matches(LINE).count(), expected, "{levels}: {log}");
    }
    for wrong in ["tower_revocation=loud", "tower_revocation[span]=debug"] {
        let mut command = command();
        command.env("RUST_LOG", wrong);
        let line = error_line(command);
        assert!(line.starts_with(&format!("RUST_LOG={wrong}: ")), "{line}");
    }
}

#[tokio::test]
async fn terminal_gets_each_line_in_color_unless_no_color_is_set() {
    let version = Command::new("script").arg("--version").output();
    if !version.is_ok_and(|output| output.status.success()) {
        let is_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(!is_ci, "script is missing (Debian: bsdutils)");
        eprintln!("skipped: without script there is no terminal");
        return;
    }
    for no_color in ["", "1"] {
        let (_folder, data) = folder();
        // The server writes to a terminal. `script` prints all of it.
        let mut command = Command::new("script");
        command
            .args(["--quiet", "--return", "--flush", "--command"])
            .arg(binary("authorization_server"))
            .arg("/dev/null")
            .env("LISTEN", "127.0.0.1:0")
            .env("DATA", &data)
            .env("NO_COLOR", no_color);
        let mut server = Server::run(command);
        let http = Http::to(server.url(""));
        assert_eq!(http.revoke(C1, "unknown").await.status, 200);
        let line = loop {
            let line = server.next_line();
            if line.contains(LINE) {
                break line;
            }
        };
        assert_eq!(line.contains('\x1b'), no_color.is_empty(), "{line:?}");
    }
}
