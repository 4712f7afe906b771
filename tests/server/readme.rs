//! The first screen of the README, run to the letter.

use std::process::Command;

use super::process::{Server, command, folder, output};

/// What the README has a newcomer type while the server runs.
fn lines() -> &'static str {
    let readme = include_str!("../../README.md");
    let (_, after) = readme
        .split_once("```sh\nTOKEN=")
        .expect("the README has the lines");
    let start = readme.len() - after.len() - "TOKEN=".len();
    let (lines, _) = readme[start..].split_once("```").expect("the lines end");
    lines
}

/// What it has a newcomer type to authenticate by a certificate and by an assertion.
#[test]
fn lines_about_certificates_and_assertions_show_what_they_say() {
    let (_folder, data) = folder();
    let mut command = command();
    command.env("DATA", &data).env("TLS_LISTEN", "127.0.0.1:0");
    let mut server = Server::run(command);
    let tls = server.next_line();
    let tls = tls.strip_prefix("listening on ").expect("where TLS is");
    let readme = include_str!("../../README.md");
    let (_, after) = readme
        .split_once("```sh\ncd target/authorization_server.keys\n")
        .expect("the README has the lines");
    let (lines, _) = after.split_once("```").expect("the lines end");
    let lines = lines
        .replace("https://localhost:8443", tls)
        .replace("127.0.0.1:8089", &server.address);
    let output = output(
        Command::new("bash")
            .args(["-euo", "pipefail", "-c", &lines])
            .current_dir(data.with_extension("keys")),
    );
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("access_token"), "{said}");
    assert!(said.contains("HTTP/1.1 200 OK"), "{said}");
}

#[test]
fn lines_of_the_readme_show_what_they_say() {
    let (_folder, data) = folder();
    let server = Server::start(&data);
    // Another port than a server that somebody may be running.
    let lines = lines().replace("127.0.0.1:8089", &server.address);
    let output = output(Command::new("bash").args(["-euo", "pipefail", "-c", &lines]));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");

    let (before, after) = said.split_once("HTTP/1.1 200 OK").expect("the revocation");
    assert!(before.contains(r#""client_id":"s6BhdRkqt3""#), "{said}");
    assert!(after.contains("HTTP/1.1 401 Unauthorized"), "{said}");
    assert!(after.contains(r#"error="invalid_token""#), "{said}");
}
